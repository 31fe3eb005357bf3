"""The proof behind stateless serving: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = ("states", "routes", "rows", "overload")


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 10000  # rides to learn from
    n_rounds: int = 200  # trees of the model, where time is measured
    n_requests: int = 3000  # requests to each kind of process
    n_calls: int = 60  # calls of a route in each round that is timed
    n_rounds_timed: int = 10  # rounds, of which the first is left out
    n_large: int = 10000  # rows of a large request
    n_offered: int = 300  # requests of an overload
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 1000, "n_rounds": 10, "n_requests": 100, "n_calls": 20}
        least |= {"n_rounds_timed": 2, "n_large": 100, "n_offered": 50}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_train=2000, n_rounds=50, n_requests=500, n_rounds_timed=4, n_large=2000, n_offered=60
)
GLOSSARY = {
    "repeated": Measure("share of answers that change when the same process is asked again"),
    "permuted": Measure("the same of a fresh process that sees another order"),
    "two_workers": Measure(
        "share of answers that change when two workers share the requests", "lower"
    ),
    "minutes_apart": Measure("mean difference of the answers of one and of two workers", "lower"),
    "moved": Measure("share of rides that two workers move into or out of the top fifth", "lower"),
    "off": Measure("root mean squared distance from the true mean, in minutes", "lower"),
    "p50": Measure(
        "median time of a request, relative to one that computes nothing", "lower", True
    ),
    "cpu": Measure(
        "processor time of the server for a request, relative to the same", "lower", True
    ),
    "one": Measure("processor time for one row, relative to rows as JSON", "lower", True),
    "large": Measure("processor time for a large request, relative to the same", "lower", True),
    "bytes": Measure("size of the large request, relative to the same", "lower"),
    "median": Measure("median time of accepted requests, in times of the work", "lower", True),
    "tail": Measure(
        "90th percentile of the time of accepted requests, in times of the work", "lower", True
    ),
    "refused": Measure("share of requests that are refused", None, True),
    "refusal": Measure(
        "90th percentile of the time of a refusal, in times of the work", "lower", True
    ),
    "retry_after": Measure("share of refusals that say when to try again", "higher", True),
    "health": Measure("share of health checks that succeed", "higher", True),
    "rmse": Measure("root mean squared error in minutes", "lower"),
}
