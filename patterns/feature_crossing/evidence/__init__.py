"""The proof behind feature_crossing: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "overcrossing",
    "number_of_rows",
    "number_of_pairs",
    "planes",
    "day_hour",
    "slopes",
    "lat_lon",
    "demand",
    "late",
    "high_cardinality",
    "collisions",
)
ROW_COUNTS = (250, 1000, 4000)
PAIR_COUNTS = (0, 1, 4, 28)


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 1000  # rows of the small synthetic tasks to learn from
    n_test: int = 10_000  # rows to judge by, with their true probabilities
    n_trees: int = 200  # of each model of boosted trees
    row_counts: tuple[int, ...] = ROW_COUNTS  # of the curve over training rows
    pair_counts: tuple[int, ...] = PAIR_COUNTS  # of the curve over interacting pairs
    n_cells: int = 4900  # combinations to hash; a square number
    n_collisions: int = 100_000  # rows of these combinations
    n_ratings: int = 30_000  # rows of users and items
    n_users: int = 170  # users, and items
    dimension: int = 4  # of the embeddings; the true rank is 2, and who would know
    with_keras: bool = True  # whether the embeddings are fitted with Keras too
    n_map: int = 3000  # places on the map
    share_of_days: float = 0.8  # of the training days of demand, drawn at random
    n_late: int = 12_000  # flights to train on, in each fold, drawn at random
    n_late_test: int = 12_000  # flights to test on, in each fold, drawn at random
    n_folds: int = 3  # of the forward folds of the real data, the last ones
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least: dict[str, float] = {"n_train": 500, "n_test": 1000, "n_trees": 1, "n_cells": 400}
        least |= {"n_collisions": 10_000, "n_ratings": 5000, "n_users": 50, "dimension": 2}
        least |= {"n_map": 500, "share_of_days": 0.3, "n_late": 2000, "n_late_test": 2000}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.share_of_days > 1:
            raise ValueError(f"share_of_days must be at most 1, got {self.share_of_days}")
        if round(self.n_cells**0.5) ** 2 != self.n_cells:
            raise ValueError(f"n_cells must be a square number, got {self.n_cells}")
        if self.n_folds not in (1, 2, 3):
            raise ValueError(f"n_folds must be 1, 2 or 3, got {self.n_folds}")
        for name, known in {"row_counts": ROW_COUNTS, "pair_counts": PAIR_COUNTS}.items():
            if not set(getattr(self, name)) <= set(known):
                raise ValueError(f"{name} must be some of {known}, got {getattr(self, name)}")


FAST = Config(
    n_train=500,
    n_test=2000,
    n_trees=20,
    row_counts=(250,),
    pair_counts=(0, 1),
    n_cells=900,
    n_collisions=20_000,
    n_ratings=20_000,
    n_users=140,
    with_keras=False,
    n_map=1000,
    n_late=4000,
    n_folds=1,
)

GLOSSARY = {
    "accuracy": Measure("expected share of right classes under the true probabilities", "higher"),
    "log_loss": Measure("expected log loss under the true probabilities", "lower"),
    **{f"rows_{n}": Measure(f"log loss after training on {n} rows", "lower") for n in ROW_COUNTS},
    **{f"pairs_{n}": Measure(f"log loss where {n} pairs interact", "lower") for n in PAIR_COUNTS},
    "interacting": Measure("RMSE where hour and day interact; that of the noise is 2", "lower"),
    "additive": Measure("RMSE where hour and day do not interact", "lower"),
    "slopes_differ": Measure("RMSE to the true mean, where the slopes of groups differ", "lower"),
    "slopes_equal": Measure("RMSE to the true mean, where they are equal", "lower"),
    "r2": Measure("R² of the true mean", "higher"),
    "rmse": Measure("root mean squared error, in departures per hour", "lower"),
    "october": Measure("RMSE of the hours of October", "lower"),
    "november": Measure("RMSE of the hours of November", "lower"),
    "december": Measure("RMSE of the hours of December", "lower"),
    "numbers": Measure("what the model has learned: coefficients, or splits and leaves", "lower"),
    "auc": Measure("area under the ROC curve, averaged over test periods", "higher"),
    "jul_aug": Measure("area under the ROC curve in July and August", "higher"),
    "sep_oct": Measure("area under the ROC curve in September and October", "higher"),
    "nov_dec": Measure("area under the ROC curve in November and December", "higher"),
    "signal_kept": Measure("R² relative to that of the vocabulary", "higher"),
    "signal_kept_signed": Measure(
        "signal kept with a random sign for each cell, as FeatureHasher has", "higher"
    ),
    "theory": Measure("signal kept by the collision law"),
    "theory_if_equal": Measure("signal kept by the law for equally frequent cells"),
    "rank_2": Measure("R² of the true mean of all combinations, which has rank 2", "higher"),
    "rank_2_unseen": Measure("the same, of combinations that never occurred", "higher"),
    "dense": Measure("R² where each combination has an effect of its own", "higher"),
}
