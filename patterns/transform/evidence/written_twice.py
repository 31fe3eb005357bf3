"""Serving code that was written a second time: what each classic mistake costs, or does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.transform.evidence import Config
from patterns.transform.evidence.flights import (
    CODES,
    INPUTS,
    NUMBERS,
    ZONE,
    definition,
    draw,
    flights,
)
from patterns.transform.pattern import ServingArtifact

FloatArray = NDArray[np.float64]
SEASONS = ("winter", "summer")


# ------------------------------------------------------------------- the code of a second author
class Second:
    """Transforms as someone writes them again for serving, with what the training code noted.

    Without a mistake it gives the features of the artifact to the last bit; each parameter is one
    mistake that people make.
    """

    def __init__(self, train: pd.DataFrame) -> None:
        self.vocabulary = {name: sorted(set(train[name])) for name in CODES}
        self.median = train[list(NUMBERS)].median()
        filled = train[list(NUMBERS)].to_numpy(dtype=float)
        self.mean = {n: filled[:, i][~np.isnan(filled[:, i])].mean() for i, n in enumerate(NUMBERS)}
        self.std = {n: filled[:, i][~np.isnan(filled[:, i])].std() for i, n in enumerate(NUMBERS)}

    def __call__(
        self,
        rows: pd.DataFrame,
        zone: str = ZONE,
        first_day: int = 0,
        batches: Any = None,
        codes: str = "training",
        new_airport: bool = False,
        scale: str = "training",
        fill: str = "training",
        units: float = 1.0,
    ) -> FloatArray:
        """Features, shape (n_samples, 11); ``batches`` numbers the serving batch of each row."""
        rows = rows.reset_index(drop=True)
        batch = np.zeros(len(rows), int) if batches is None else np.asarray(batches)
        local = pd.to_datetime(rows["departure"]).dt.tz_convert(zone)
        columns: list[Any] = [
            local.dt.hour,
            (local.dt.day_of_week + first_day) % 7 + (first_day > 0),
        ]
        for name in CODES:
            known = self.vocabulary[name]
            if new_airport and name == "dest":
                known = ["AAA", *known]
            code = {value: 2 + i for i, value in enumerate(known)}
            if codes == "training":
                columns.append(rows[name].map(code).fillna(1))
            elif codes == "of_batch":  # sorted, as a label encoder has them
                columns.append(2 + rows[name].groupby(batch).rank(method="dense") - 1)
            else:  # by order of appearance, as pandas.factorize has them
                columns.append(2 + pd.Series(pd.factorize(rows[name])[0]))
        for name in NUMBERS:
            value = rows[name].astype(float) * (units if name == "distance" else 1.0)
            if fill == "zero":
                value = value.fillna(0.0)
            if fill == "of_batch":
                value = value.fillna(value.groupby(batch).transform("median"))
            value = value.fillna(self.median[name])
            if scale == "training":
                value = (value - self.mean[name]) / self.std[name]
            else:
                group = value.groupby(batch)
                std = group.transform("std", ddof=0)
                value = (value - group.transform("mean")) / std.where(std > 0, 1.0)
            columns.append(value)
        return np.column_stack([column.to_numpy(dtype=float) for column in columns])


def mistakes(rows: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """For each kind of mistake the ways to make it, as arguments of `Second`."""
    day = pd.factorize(pd.to_datetime(rows["departure"]).dt.date)[0]
    few = np.arange(len(rows)) // 32
    return {
        "rewritten": {"no_mistake": {}},
        "time": {
            "hour_in_utc": {"zone": "UTC"},
            "no_daylight_saving": {"zone": "Etc/GMT+5"},
            "sunday_first": {"first_day": 1},
        },
        "scaling": {
            "scaled_by_whole_test": {"scale": "of_batch"},
            "scaled_by_day": {"scale": "of_batch", "batches": day},
            "scaled_by_32_rows": {"scale": "of_batch", "batches": few},
        },
        "categories": {
            "codes_of_whole_test": {"codes": "of_batch"},
            "codes_of_day": {"codes": "of_batch", "batches": day},
            "codes_of_32_rows": {"codes": "of_batch", "batches": few},
            "codes_by_appearance": {"codes": "appearance"},
            "a_new_airport_first": {"new_airport": True},
        },
        "missing": {
            "zero": {"fill": "zero"},
            "median_of_day": {"fill": "of_batch", "batches": day},
        },
        "units": {"kilometers": {"units": 1.609344}},
    }


# ---------------------------------------------------------------------------------- measurement
def linear_model() -> Any:
    """A logistic regression; codes, hours and weekdays as indicators."""
    n_indicators = 2 + len(CODES)
    indicators = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (indicators, list(range(n_indicators))), remainder="passthrough"
    )
    return make_pipeline(columns, LogisticRegression(max_iter=300))


def measure(config: Config) -> Result:
    """Log loss and AUC of each way to serve, in each test period."""
    rng = np.random.default_rng(config.seed)
    table = flights()
    # The question is what a mistake costs, not how next month differs: of four weeks, three are to
    # learn from and one is to test on, in all seasons.
    is_test = table["week"] % 4 == 3
    train = draw(table[~is_test], config.n_train, rng)
    params = {"objective": "binary:logistic", "max_depth": 5, "eta": 0.15, "nthread": 1, "seed": 0}
    artifact = ServingArtifact.fit(
        definition(), train[list(INPUTS)], train["late"], params, config.n_rounds
    )
    linear = linear_model().fit(artifact.transform.transform(train[list(INPUTS)]), train["late"])
    second = Second(train)

    metrics: dict[str, float] = {}
    seasons = {
        "winter": table[is_test & ~table["summer"]],
        "summer": table[is_test & table["summer"]],
    }
    tests = {season: draw(rows, config.n_test, rng) for season, rows in seasons.items()}
    kinds = {season: mistakes(rows) for season, rows in tests.items()}
    for task, ways in kinds["summer"].items():
        for method in ("artifact", *ways):
            found = {
                season: _score(method, kinds[season][task], rows, artifact, linear, second)
                for season, rows in tests.items()
            }
            for name in ("log_loss", "auc", "linear"):
                for season in SEASONS:
                    metrics[f"{task}.{method}.{name}_{season}"] = found[season][name]
            metrics[f"{task}.{method}.changed"] = fmean(f["changed"] for f in found.values())
    return Result(metrics)


def _score(
    method: str,
    ways: Mapping[str, Mapping[str, Any]],
    rows: pd.DataFrame,
    artifact: ServingArtifact,
    linear: Any,
    second: Second,
) -> dict[str, float]:
    y = rows["late"].to_numpy()
    right = artifact.transform.transform(rows[list(INPUTS)])
    if method == "artifact":
        features, probability = right, artifact.predict(rows[list(INPUTS)])  # as served
    else:
        features = second(rows, **ways.get(method, {}))
        probability = artifact.booster.inplace_predict(features).astype(float)
    return {
        "log_loss": log_loss(y, probability),
        "auc": roc_auc_score(y, probability),
        "linear": log_loss(y, linear.predict_proba(features)[:, 1]),
        "changed": float(np.mean((features != right).any(axis=1))),
    }


# ---------------------------------------------------------------------------------- figure
NAMES = {  # of the figure, in the order of the page
    "time.hour_in_utc": "hour in UTC",
    "time.sunday_first": "weekday from Sunday = 1",
    "time.no_daylight_saving": "no daylight saving",
    "scaling.scaled_by_32_rows": "scaler of each 32 rows",
    "scaling.scaled_by_day": "scaler of each day",
    "scaling.scaled_by_whole_test": "scaler of the whole test",
    "categories.codes_by_appearance": "codes by appearance",
    "categories.codes_of_32_rows": "codes of each 32 rows",
    "categories.codes_of_day": "codes of each day",
    "categories.codes_of_whole_test": "codes of the whole test",
    "categories.a_new_airport_first": "a new airport sorts first",
    "missing.zero": "missing becomes 0",
    "missing.median_of_day": "missing becomes median of day",
    "units.kilometers": "kilometers for miles",
}


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """What each mistake costs, over all seeds."""
    return {
        "cost_of_mistakes": Drawing(
            lambda: draw_costs(metrics),
            "Each dot is a seed and a season. Most mistakes change every row. Some ruin the "
            "forecast, some cost nothing, and a filled zero only ruins the linear model. The "
            "axis is logarithmic above one percent.",
            "Increase in log loss for fourteen mistakes in serving code, for trees and for a "
            "logistic regression, on a logarithmic scale above one percent.",
        )
    }


def draw_costs(metrics: MetricsOfSeeds) -> Figure:
    """Increase of log loss in percent, one line per mistake."""
    figure, axis = plt.subplots(figsize=(7.2, 5.2))
    for place, (name, _) in enumerate(reversed(NAMES.items())):
        task, method = name.split(".")
        for loss, color, shift in (("log_loss", PATTERN, 0.14), ("linear", ALTERNATIVE, -0.14)):
            ratios = [
                np.array(metrics[f"{task}.{method}.{loss}_{season}"])
                / np.array(metrics[f"{task}.artifact.{loss}_{season}"])
                for season in SEASONS
            ]
            increase = 100 * (np.concatenate(ratios) - 1)
            axis.plot(
                increase, np.full(len(increase), place + shift), "o", color=color, ms=4, alpha=0.6
            )
    axis.axvline(0, color=BASELINE, lw=1)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_yticks(range(len(NAMES)), list(reversed(NAMES.values())))
    axis.set_xticks([-1, 0, 1, 10, 100, 400], ["-1 %", "0", "1 %", "10 %", "100 %", "400 %"])
    axis.set_xlabel("increase of log loss")
    axis.plot([], [], "o", color=PATTERN, label="trees")
    axis.plot([], [], "o", color=ALTERNATIVE, label="logistic regression")
    axis.legend(loc="lower right")
    return figure


# ---------------------------------------------------------------------------------- claims
def least(task: str, method: str, loss: str = "log_loss") -> Callable[[Mapping[str, float]], float]:
    """Its log loss relative to the artifact's, in the season where that is smaller."""
    return lambda m: min(
        m[f"{task}.{method}.{loss}_{s}"] / m[f"{task}.artifact.{loss}_{s}"] for s in SEASONS
    )


def average(task: str, method: str) -> Callable[[Mapping[str, float]], float]:
    """Its log loss relative to the artifact's, on average over both seasons."""
    return lambda m: fmean(
        m[f"{task}.{method}.log_loss_{s}"] / m[f"{task}.artifact.log_loss_{s}"] for s in SEASONS
    )


def most(
    task: str, *methods: str, loss: str = "log_loss"
) -> Callable[[Mapping[str, float]], float]:
    """The largest difference of their log loss to the artifact's, relative to that."""
    return lambda m: max(
        abs(m[f"{task}.{method}.{loss}_{s}"] / m[f"{task}.artifact.{loss}_{s}"] - 1)
        for s in SEASONS
        for method in methods
    )


CLAIMS = [
    Claim(
        "a-rewrite-without-mistake",
        "parity",
        "Code that is written twice without a mistake gives the same features: the share of "
        "flights that differ in any feature is {at_most}.",
        lambda m: m["rewritten.no_mistake.changed"],
        at_most=0.0,
    ),
    Claim(
        "one-scaler",
        "benefit",
        "On average over both seasons, the artifact's log loss is at most {at_most} times that "
        "of code that scales by the served rows, even by thousands of them.",
        lambda m: 1 / average("scaling", "scaled_by_whole_test")(m),
        at_most=0.99,
        baseline="scaling.scaled_by_whole_test.log_loss_summer",
    ),
    Claim(
        "hour-in-utc",
        "mechanism",
        "The hour of UTC in place of the hour in New York raises the log loss of the trees to at "
        "least {at_least} times in both seasons.",
        least("time", "hour_in_utc"),
        at_least=1.05,
    ),
    Claim(
        "sunday-first",
        "mechanism",
        "Weekdays from Sunday = 1 in place of Monday = 0 raise the log loss of the trees to at "
        "least {at_least} times, on average over both seasons.",
        average("time", "sunday_first"),
        at_least=1.004,
    ),
    Claim(
        "codes-of-small-batches",
        "mechanism",
        "Codes that are refitted to each 32 rows raise the log loss of the trees to at least "
        "{at_least} times in both seasons.",
        least("categories", "codes_of_32_rows"),
        at_least=1.015,
    ),
    Claim(
        "a-filled-zero",
        "mechanism",
        "Zeros in place of missing numbers, in a ninth of the flights, raise the log loss of the "
        "logistic regression to at least {at_least} times.",
        least("missing", "zero", "linear"),
        at_least=3.0,
    ),
    Claim(
        "trees-forgive-a-zero",
        "limit",
        "Zeros in place of missing numbers change the log loss of the trees by a share of at "
        "most {at_most}.",
        most("missing", "zero"),
        at_most=0.06,
    ),
    Claim(
        "every-row-changed-at-no-cost",
        "limit",
        "Codes that are refitted to the whole test, or shifted by a new airport, change nearly "
        "every row, and the log loss of the trees by a share of at most {at_most}.",
        most("categories", "codes_of_whole_test", "a_new_airport_first"),
        at_most=0.02,
    ),
    Claim(
        "daylight-saving-costs-trees-little",
        "limit",
        "Without daylight saving, every hour of the summer is wrong by one, and the log loss of "
        "the trees changes by a share of at most {at_most}.",
        most("time", "no_daylight_saving"),
        at_most=0.015,
    ),
]

EXPERIMENT = Experiment(
    question="What does a mistake cost in serving code that was written a second time?",
    data="real",
    measure=measure,
    roles={
        "artifact": "pattern",
        **{name.split(".")[1]: "baseline" for name in NAMES},
    },
    claims=CLAIMS,
    figures=figures,
)
