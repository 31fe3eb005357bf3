"""The proof behind hyperparameter tuning: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "known_optimum",
    "grid",
    "flights",
    "optimism",
    "noise",
    "pruning",
    "support_vectors",
    "importances",
)


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_studies: int = 5  # searches of each function with a known optimum, for each sampler
    n_optima: int = 500  # bowls whose minimum a grid and a random search look for
    n_trials: int = 20  # of each live search on flights
    n_train: int = 6000  # flights of each live trial
    n_draws: int = 300  # searches that the table of curves replays
    n_replays: int = 10  # of them through Optuna's pruners
    n_noises: int = 30  # tables of noise
    n_digits: int = 500  # images for the support vector machine
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_studies": 1, "n_optima": 20, "n_trials": 5, "n_train": 1000, "n_draws": 20}
        for name, bound in (least | {"n_replays": 1, "n_noises": 2, "n_digits": 300}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_studies=1,
    n_optima=50,
    n_trials=5,
    n_train=1000,
    n_draws=30,
    n_replays=1,
    n_noises=3,
    n_digits=300,
)
