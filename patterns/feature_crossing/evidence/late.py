"""Flights more than 15 minutes late, forward in time: effects add up, and crosses only cost."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.compose import make_column_transformer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier

from datasets import load_nyc_flights
from datasets.crosses import DAYS
from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    Metrics,
    MetricsOfSeeds,
    Result,
    by_period,
    in_each_period,
)
from patterns._kit.figures import BASELINE, PATTERN
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.folds import forward_folds
from patterns.feature_crossing.evidence.models import (
    crossed,
    logistic,
    main_effects,
    slow_trees,
    target_means,
    trees,
)

TASK, PERIODS = "late", ("jul_aug", "sep_oct", "nov_dec")
COLUMNS = ["carrier", "origin", "dest", "hour", "dow"]


def late_table() -> pd.DataFrame:
    """Flights that arrived, and whether more than 15 minutes late."""
    columns = ["carrier", "origin", "dest", "hour", "time_hour", "arr_delay"]
    table = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
    local = table["time_hour"].dt.tz_convert("America/New_York")
    table["dow"] = np.array(DAYS)[local.dt.day_of_week]
    table["late"] = (table.pop("arr_delay") > 15).astype(int)
    return table


def measure(config: Config) -> Result:
    """The area under the ROC curve of every method in each test period."""
    pairs = list(combinations(COLUMNS, 2))
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    grown = {
        "xgboost": XGBClassifier(max_depth=6, **trees(config)),
        "xgboost_stumps": XGBClassifier(max_depth=1, **trees(config)),
        "xgboost_slow": XGBClassifier(max_depth=4, **slow_trees(config, colsample_bytree=0.7)),
    }
    methods = {
        "main_effects": make_pipeline(main_effects(COLUMNS), logistic()),
        "target_means": make_pipeline(target_means(COLUMNS, [], config), logistic()),
        **{
            name: make_pipeline(make_column_transformer((codes, COLUMNS)), model)
            for name, model in grown.items()
        },
        "hour_x_dow": make_pipeline(crossed(COLUMNS, [("hour", "dow")]), logistic()),
        "all_pairs": make_pipeline(crossed(COLUMNS, pairs), logistic()),
        "frequent_pairs": make_pipeline(crossed(COLUMNS, pairs, min_frequency=100), logistic()),
        "all_pairs_strong_penalty": make_pipeline(crossed(COLUMNS, pairs), logistic(C=0.01)),
        "all_pairs_target_means": make_pipeline(target_means(COLUMNS, pairs, config), logistic()),
    }
    rng = np.random.default_rng(config.seed)
    scores: dict[str, list[float]] = {name: [] for name in methods}
    for train, test in forward_folds(late_table(), (5, 7, 9, 11, 13), config):
        train = train.sample(config.n_late, random_state=rng)
        test = test.sample(config.n_late_test, random_state=rng)
        for name, model in methods.items():
            probability = model.fit(train, train["late"]).predict_proba(test)[:, 1]
            scores[name].append(roc_auc_score(test["late"], probability))
    return Result(by_period(TASK, "auc", PERIODS, scores))


def gains(metrics: Metrics, method: str, other: str = "main_effects") -> list[float]:
    """What one method's AUC is above another's in each test period."""
    return [a - b for a, b in in_each_period(metrics, TASK, PERIODS, method, other)]


SHOWN = {
    "xgboost": "boosted trees",
    "xgboost_slow": "boosted trees, small steps",
    "all_pairs": "all pairs, default penalty",
    "frequent_pairs": "all pairs, frequent cells only",
    "all_pairs_strong_penalty": "all pairs, strong penalty",
    "all_pairs_target_means": "all pairs, target means",
}


def draw(metrics: MetricsOfSeeds) -> Figure:
    """Each method's gain over the main effects, by test period and seed."""
    figure, axis = plt.subplots(figsize=(7, 3.2))
    for y, method in enumerate(reversed(SHOWN)):
        color = PATTERN if "pairs" in method else BASELINE
        for marker, period in zip("osD", PERIODS, strict=False):
            if f"{TASK}.{method}.{period}" in metrics:
                values, main = (
                    np.array(metrics[f"{TASK}.{name}.{period}"])
                    for name in (method, "main_effects")
                )
                label = period.replace("_", " to ") if not y else None
                axis.scatter(
                    values - main,
                    np.full(len(main), y),
                    s=18,
                    marker=marker,
                    color=color,
                    alpha=0.6,
                    label=label,
                )
    axis.axvline(0, color="0.4", lw=1)
    axis.set_yticks(range(len(SHOWN)), list(reversed(SHOWN.values())))
    axis.set(xlabel="AUC above that of the main effects")
    axis.legend(fontsize=8)
    return figure


CLAIMS = [
    Claim(
        "late-pairs-cost",
        "limit",
        "On late flights all crosses of two with the default penalty lose: their AUC is at least "
        "{at_least} below that of the main effects in every test period.",
        lambda m: -max(gains(m, "all_pairs")),
        at_least=0.01,
    ),
    Claim(
        "late-frequent-pairs",
        "mechanism",
        "If combinations in fewer than 100 rows share a column, less is lost: the AUC is at least "
        "{at_least} above that of all pairs in every test period.",
        lambda m: min(gains(m, "frequent_pairs", "all_pairs")),
        at_least=0.005,
    ),
    Claim(
        "late-penalty-repairs",
        "parity",
        "A strong penalty repairs that and wins little: in every test period the AUC is {at_least} "
        "to {at_most} above that of the main effects.",
        lambda m: max(gains(m, "all_pairs_strong_penalty"), key=abs),
        at_least=-0.015,
        at_most=0.015,
    ),
    Claim(
        "late-target-means",
        "limit",
        "Target means of all pairs do not cost, and win little: in every test period their AUC is "
        "at most {at_most} above that of target means of single columns.",
        lambda m: max(gains(m, "all_pairs_target_means", "target_means")),
        at_most=0.01,
    ),
]

EXPERIMENT = Experiment(
    question="Do crosses predict which flights will be late?",
    data="real",
    measure=measure,
    roles={
        "main_effects": "baseline",
        "target_means": "baseline",
        "xgboost": "baseline",
        "xgboost_stumps": "baseline",
        "xgboost_slow": "baseline",
        "all_pairs": "pattern",
        "all_pairs_target_means": "pattern",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "gains": Drawing(
            lambda: draw(metrics),
            "With the default penalty, all pairs lose in every test period; frequent ones "
            "lose less. "
            "With a strong penalty or with target means they stay near the main effects. Boosted "
            "trees with small steps gain a little. There is one point for each seed and period.",
            "AUC above that of the main effects, for two kinds of boosted trees and four kinds of "
            "crosses, in three test periods.",
        )
    },
)
