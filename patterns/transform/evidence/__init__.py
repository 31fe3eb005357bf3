"""The proof behind the transform: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = ("written_twice", "artifact", "alarms", "months")


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 20000  # flights to learn from
    n_test: int = 8000  # flights of each test season
    n_rounds: int = 80  # trees of each model of flights
    n_rides: int = 10000  # synthetic rides to learn from
    n_serving: int = 2000  # rides of one day of serving, for the alarms
    n_repeats: int = 40  # days of serving for each rate of alarms
    n_month: int = 3000  # flights of each month
    n_calls: int = 100  # one-row calls of each round that is timed
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 2000, "n_test": 500, "n_rounds": 10, "n_rides": 1000, "n_month": 200}
        for name, bound in (least | {"n_serving": 100, "n_repeats": 5, "n_calls": 50}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(
    n_train=4000, n_test=1000, n_rounds=20, n_rides=2000, n_repeats=5, n_month=500, n_calls=50
)

MONTHS = ("April", "May", "June", "July", "August", "September", "October", "November", "December")
GLOSSARY = {
    "log_loss_winter": Measure("log loss, in standard time", "lower"),
    "log_loss_summer": Measure("log loss, in daylight saving time", "lower"),
    "auc_winter": Measure("area under the ROC curve, in standard time", "higher"),
    "auc_summer": Measure("area under the ROC curve, in daylight saving time", "higher"),
    "linear_winter": Measure("log loss of a logistic regression, in standard time", "lower"),
    "linear_summer": Measure("log loss of a logistic regression, in daylight saving time", "lower"),
    "changed": Measure("share of flights with another feature than in training"),
    "one_row": Measure(
        "median processor time of a call for one row, relative to the bare model's", "lower", True
    ),
    "one_row_p99": Measure(
        "99th percentile of the same, relative to the bare model's", "lower", True
    ),
    "many_rows": Measure(
        "least processor time for all test rows, relative to the bare model's", "lower", True
    ),
    "kilobytes": Measure("size without compression", "lower"),
    "differ": Measure("share of predictions that differ from the artifact's in any bit"),
    "without_a_change": Measure("share of days with an alarm where nothing has changed", "lower"),
    "hour_too_early": Measure("smallest share of rows with the hour of UTC that is found", "lower"),
    "sunday_first": Measure("the same for weekdays from Sunday = 1", "lower"),
    "codes_by_appearance": Measure("the same for codes by order of appearance", "lower"),
    "zero_for_missing": Measure("the same for zeros in place of missing numbers", "lower"),
    **{month[:3].lower(): Measure(f"of the flights of {month}") for month in MONTHS},
}
