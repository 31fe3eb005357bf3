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

    n_studies: int = 4  # searches of each function with a known optimum, for each sampler
    n_optima: int = 500  # bowls whose minimum a grid and a random search look for
    n_trials: int = 20  # of each live search on flights
    n_train: int = 6000  # flights of each live trial
    n_draws: int = 150  # searches that the table of curves replays
    n_noises: int = 25  # tables of noise
    n_digits: int = 500  # images for the support vector machine
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_studies": 1, "n_optima": 20, "n_trials": 5, "n_train": 1000, "n_draws": 20}
        for name, bound in (least | {"n_noises": 2, "n_digits": 300}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_studies=1,
    n_optima=50,
    n_trials=5,
    n_train=1000,
    n_draws=30,
    n_noises=3,
    n_digits=300,
)

TRIALS = {n: "trial" if n == 1 else "trials" for n in (1, 3, 10, 30, 100)}
GLOSSARY = {
    **{
        f"regret_{n}": Measure(f"best value after {n} trials, above the known minimum", "lower")
        for n in (10, 25, 50, 75, 100)
    },
    "loss": Measure("mean loss of the best point, above the minimum of zero", "lower"),
    "wins": Measure(
        "share of problems or searches that end with the better value; ties count half", "higher"
    ),
    "own": Measure("log loss of the winning trial, on the rows that chose it", "lower"),
    "honest": Measure("log loss of the winner on days that no trial has seen", "lower"),
    "drift": Measure("log loss of the winner in November and December", "lower"),
    "worse_honest": Measure("share of searches with a worse honest log loss than the default"),
    "worse_drift": Measure("share of searches that are worse in November and December"),
    **{
        f"trials_{n}": Measure(f"log loss by which a score flatters, after {n} {word}", "lower")
        for n, word in TRIALS.items()
    },
    **{
        f"accuracy_{n}": Measure(f"what is said of the accuracy, after {n} {TRIALS[n]}")
        for n in (1, 10, 30)
    },
    "cost": Measure("cost of 80 trials, relative to training all of them to the end", "lower"),
    **{
        f"excess_{n}": Measure(
            f"validation loss found at the cost of {n} full trainings, above the table's best",
            "lower",
        )
        for n in (5, 10, 20)
    },
    "first_rung": Measure("rank correlation of the loss at the early first rung with the best"),
    "later_rung": Measure("rank correlation of the loss at the later first rung with the best"),
    "accuracy": Measure("share of right answers, on digits that no search saw", "higher"),
    "own_accuracy": Measure("cross-validated accuracy of the winner, in the search", "higher"),
    "relative_cost": Measure(
        "rows that models were trained on, relative to 25 trials with all folds", "lower"
    ),
    "main_parameter": Measure("share of importance of the one parameter that matters", "higher"),
}
