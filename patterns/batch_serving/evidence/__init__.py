"""The proof behind batch serving: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = ("cost", "memory", "killed", "equality")


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_rows: int = 150_000  # flights of the largest job that is timed
    n_alone: int = 300  # of them, at most, that are timed one by one
    n_repeats: int = 3  # rounds of what is timed
    n_memory: int = 200_000  # flights of the largest job whose memory is measured
    n_killed: int = 40_000  # flights of the job that is killed
    n_equal: int = 4000  # flights that are scored in several ways
    n_rounds: int = 100  # trees of the model
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_rows": 1000, "n_alone": 50, "n_repeats": 1, "n_memory": 20_000}
        for name, bound in (least | {"n_killed": 400, "n_equal": 500, "n_rounds": 5}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_rows=5000, n_alone=100, n_repeats=1, n_memory=20_000, n_killed=4000, n_equal=500, n_rounds=10
)

GLOSSARY = {
    "per_row": Measure(
        "processor time per row, relative to the model alone with many rows in memory",
        "lower",
        timed=True,
    ),
    "rows_meanwhile": Measure("rows that are scored the other way in the same time", timed=True),
    "peak": Measure(
        "megabytes that Arrow and Python have allocated at the worst moment", "lower", timed=True
    ),
    "peak_of_a_quarter": Measure("the same for a quarter of the rows", "lower", timed=True),
    "lost": Measure("share of the rows without an answer at the end", "lower"),
    "doubled": Measure("share of the rows with more than one answer at the end", "lower"),
    "again": Measure("share of the rows that were scored more than once", "lower"),
    "of_the_old": Measure(
        "share of the answers that are of the old model, if it changes before the second start",
        "lower",
    ),
    "differ": Measure("share of predictions that differ from those of requests in any bit"),
    "log_loss": Measure("log loss", "lower"),
}
