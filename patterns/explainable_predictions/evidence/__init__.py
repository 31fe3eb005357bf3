"""The proof behind explainable predictions: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "shortcut",
    "exactness",
    "silent_errors",
    "copies",
    "not_effects",
    "digits",
    "counterfactual",
    "mislabeled",
    "flights",
)


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 2000  # synthetic rows to learn from
    n_test: int = 1000  # synthetic rows to judge by
    n_explained: int = 8  # rows whose attributions are compared with the definition
    n_baseline: int = 50  # baseline rows of the same
    n_epochs: int = 20  # of each network
    n_flights: int = 10_000  # flights to learn from
    n_flights_test: int = 2000  # flights of each test period
    n_changed: int = 8  # rows that get a counterfactual
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 500, "n_test": 300, "n_explained": 4, "n_baseline": 10, "n_epochs": 2}
        least |= {"n_flights": 1000, "n_flights_test": 300, "n_changed": 5}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_train=1000,
    n_test=500,
    n_explained=4,
    n_baseline=20,
    n_epochs=5,
    n_flights=3000,
    n_flights_test=500,
    n_changed=5,
)

GLOSSARY = {
    "auc_test": Measure("area under the ROC curve on test data like those of training", "higher"),
    "auc_next": Measure("the same where the mark means nothing", "higher"),
    "auc_without": Measure("the same of a model that never had the mark", "higher"),
    "share": Measure("of the feature, in the mean absolute attributions of all features"),
    "rank": Measure("of the mark by mean absolute attribution; 1 is the largest"),
    "rank_of_shuffling": Measure("of the mark by permutation importance; 1 is the largest"),
    "error": Measure("sum of absolute errors, relative to the attributions by definition", "lower"),
    "sum_error": Measure("largest distance of base value plus attributions from the output"),
    "histogram": Measure("relative error with histogram gradient boosting", "lower"),
    "native_categories": Measure("relative error with its native categories", "lower"),
    "dropped_trees": Measure("relative error with XGBoost that drops trees (DART)", "lower"),
    "three_classes": Measure("relative error with XGBoost of three classes", "lower"),
    "worst": Measure("largest of the four errors", "lower"),
    "largest": Measure("mean absolute attribution of the column, or of the largest copy"),
    "grouped": Measure("mean absolute attribution of all copies as one group"),
    "weaker": Measure("mean absolute attribution of a column that is half as strong"),
    "shuffled_alone": Measure("largest permutation importance of one copy, in squared error"),
    "shuffled_together": Measure("permutation importance of all copies as one, in squared error"),
    "slope": Measure("rise of the attribution per unit of the column"),
    "effect": Measure("true change of the outcome per unit when the column is set"),
    "auc": Measure("area under the ROC curve", "higher"),
    "attribution": Measure("mean sum of absolute attributions, in log-odds"),
    "accuracy_test": Measure("share of test labels guessed right", "higher"),
    "accuracy_next": Measure("the same where the mark means nothing", "higher"),
    "corner_rank": Measure("of the corner pixel among 64 by attribution; 1 is the largest"),
    "largest_share": Measure("of one pixel, in all absolute attributions"),
    "blank_share": Measure("of pixels without ink, in all absolute attributions"),
    "completeness": Measure("mean error of the sum of integrated gradients, in log-odds", "lower"),
    "distance": Measure("sum of changes, in units of the median absolute deviation", "lower"),
    "n_changed": Measure("number of changed features", "lower"),
    "precision": Measure("share of wrong labels among as many rows as are wrong", "higher"),
    "auc_served": Measure("the same model, served without the leak", "higher"),
    "auc_clean": Measure("a model that never had the leak", "higher"),
    "same_top": Measure("share of flights with the same first feature as against 300 rows"),
    "difference": Measure("from the attributions against 300 rows, relative to them"),
    "jul_aug": Measure("mean move of the log-odds when the named feature is redrawn, July, August"),
    "sep_oct": Measure("the same in September and October"),
    "nov_dec": Measure("the same in November and December"),
}
