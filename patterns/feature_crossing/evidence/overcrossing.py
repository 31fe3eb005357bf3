"""Eight categories of which one pair interacts: how many crosses a thousand rows can bear."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

from datasets import make_overcrossing, overcrossing_pair
from patterns._kit.evidence import (
    Claim,
    Experiment,
    MetricsOfSeeds,
    Result,
    Role,
    difference,
    ratio,
)
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.expected import log_loss
from patterns.feature_crossing.evidence.models import (
    DEPTHS,
    PENALTIES,
    Columns,
    crossed,
    logistic,
    main_effects,
    slow_trees,
    target_means,
    trees,
    tuned,
)


def rivals(columns: Columns, config: Config) -> dict[str, Any]:
    """The methods that the curves over rows and pairs compare too."""
    pairs = list(combinations(columns, 2))
    l1, l2 = (tuned(logistic(l1_ratio=ratio), PENALTIES) for ratio in (1, 0))
    grown = XGBClassifier(**slow_trees(config, colsample_bytree=0.7))
    return {
        "main_effects_l2": make_pipeline(main_effects(columns), l2),
        "xgboost_one_hot": make_pipeline(
            main_effects(columns), tuned(grown, {"max_depth": [1, 2, 4, 6, 10]})
        ),
        "all_pairs_l1": make_pipeline(crossed(columns, pairs), l1),
        "all_pairs_target_means": make_pipeline(target_means(columns, pairs, config), logistic()),
    }


@cache  # two curves have one point in common
def losses_of_rivals(config: Config, n_rows: int, n_pairs: int) -> dict[str, float]:
    """Their log losses under the true probabilities, and that of the truth."""
    train, test = (
        make_overcrossing(n, n_pairs=n_pairs, truth=config.seed, random_state=[config.seed, part])
        for part, n in enumerate((n_rows, config.n_test))
    )
    truth = train.oracle_mean(test.X)
    losses = {
        name: log_loss(truth, model.fit(train.X, train.y).predict_proba(test.X)[:, 1])
        for name, model in rivals(train.feature_names, config).items()
    }
    return {**losses, "oracle": log_loss(truth, truth)}


ROLES: dict[str, Role] = {
    "main_effects_l2": "baseline",
    "xgboost_one_hot": "baseline",
    "all_pairs_l1": "pattern",
    "all_pairs_target_means": "pattern",
}


def measure(config: Config) -> Result:
    """The log loss of every method under the true probabilities."""
    train = make_overcrossing(config.n_train, truth=config.seed, random_state=[config.seed, 0])
    test = make_overcrossing(config.n_test, truth=config.seed, random_state=[config.seed, 1])
    columns = train.feature_names
    pairs, triples = (list(combinations(columns, arity)) for arity in (2, 3))
    every = rivals(columns, config)
    l1, l2 = every["all_pairs_l1"][-1], every["main_effects_l2"][-1]
    all_pairs, shallow = (
        crossed(columns, pairs),
        XGBClassifier(max_depth=2, **slow_trees(config, colsample_bytree=0.7)),
    )
    native = HistGradientBoostingClassifier(
        max_iter=max(config.n_trees // 4, 1),
        categorical_features=list(columns),
        random_state=config.seed,
    )
    methods = {
        "main_effects_l2": every["main_effects_l2"],
        "target_means": make_pipeline(target_means(columns, [], config), logistic()),
        "xgboost": tuned(XGBClassifier(**trees(config)), DEPTHS),
        "hist_boosting": tuned(native, {"max_leaf_nodes": [2, 4, 8, 16, 32]}),
        "xgboost_one_hot": every["xgboost_one_hot"],
        "all_pairs_no_penalty": make_pipeline(all_pairs, logistic(C=1000)),
        "all_pairs_l2": make_pipeline(all_pairs, clone(l2)),
        "all_pairs_l1": every["all_pairs_l1"],
        "pairs_and_triples_l1": make_pipeline(crossed(columns, [*pairs, *triples]), clone(l1)),
        "all_pairs_target_means_trees": make_pipeline(
            target_means(columns, pairs, config), shallow
        ),
        "all_pairs_target_means": every["all_pairs_target_means"],
        "true_pair_l2": make_pipeline(
            crossed(columns, [overcrossing_pair(config.seed)]), clone(l2)
        ),
    }
    truth = train.oracle_mean(test.X)
    metrics = {
        f"overcrossing.{name}.log_loss": log_loss(
            truth, model.fit(train.X, train.y).predict_proba(test.X)[:, 1]
        )
        for name, model in methods.items()
    }
    return Result({**metrics, "overcrossing.oracle.log_loss": log_loss(truth, truth)})


CURVES = {
    "main_effects_l2": ("main effects", ALTERNATIVE, "--"),
    "xgboost_one_hot": ("boosted trees", BASELINE, "-"),
    "all_pairs_l1": ("crosses, L1 penalty", PATTERN, ":"),
    "all_pairs_target_means": ("crosses, target means", PATTERN, "-"),
    "oracle": ("truth", BEST, "--"),
}


def draw_curves(axis: Axes, metrics: MetricsOfSeeds) -> list[int]:
    """Draw each method's mean and range over seeds against the number in the metric's name."""
    columns = list(dict.fromkeys(name.split(".")[2] for name in metrics))
    counts = [int(column.split("_")[1]) for column in columns]
    task = next(iter(metrics)).split(".")[0]
    for method, (label, color, style) in CURVES.items():
        values = np.array([metrics[f"{task}.{method}.{column}"] for column in columns])
        axis.plot(counts, values.mean(axis=1), style, color=color, label=label, marker="o", ms=4)
        low, high = values.min(axis=1), values.max(axis=1)
        axis.fill_between(counts, low, high, color=color, alpha=0.15, lw=0)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return counts


def to(method: str, other: str) -> Any:
    """The log loss of one method relative to another."""
    return ratio(f"overcrossing.{method}.log_loss", f"overcrossing.{other}.log_loss")


CLAIMS = [
    Claim(
        "target-means-beat-trees",
        "benefit",
        "Where one pair of eight categories interacts, a logistic regression over the target means "
        "of all pairs has at most {at_most} times the log loss of the best of three tuned models "
        "of boosted trees without crosses.",
        to("all_pairs_target_means", "xgboost_one_hot"),
        at_most=0.96,
        baseline="overcrossing.xgboost_one_hot.log_loss",
    ),
    Claim(
        "l1-beats-trees",
        "benefit",
        "With one coefficient for each combination and an L1 penalty, it has at most {at_most} "
        "times the log loss of these trees.",
        to("all_pairs_l1", "xgboost_one_hot"),
        at_most=0.99,
        baseline="overcrossing.xgboost_one_hot.log_loss",
    ),
    Claim(
        "target-means-beat-coefficients",
        "limit",
        "One coefficient for each combination is not the best use of a cross: with an L1 penalty, "
        "its log loss is at least {at_least} times that of target means.",
        to("all_pairs_l1", "all_pairs_target_means"),
        at_least=1.0,
    ),
    Claim(
        "trees-profit-too",
        "mechanism",
        "Boosted trees profit from the target means of pairs too: their log loss is at most "
        "{at_most} times that without.",
        to("all_pairs_target_means_trees", "xgboost_one_hot"),
        at_most=0.97,
    ),
    Claim(
        "over-crossing-costs",
        "limit",
        "All pairs of eight categories on a thousand rows, without a penalty, have a log loss that "
        "is at least {at_least} above that of the main effects.",
        difference(
            "overcrossing.all_pairs_no_penalty.log_loss", "overcrossing.main_effects_l2.log_loss"
        ),
        at_least=1.5,
    ),
    Claim(
        "l1-repairs",
        "mechanism",
        "An L1 penalty finds the pair that matters: the log loss is at most {at_most} times that "
        "of the main effects.",
        to("all_pairs_l1", "main_effects_l2"),
        at_most=0.92,
    ),
    Claim(
        "l1-beats-l2",
        "mechanism",
        "An L2 penalty spreads over all pairs: the log loss with L1 is at most {at_most} times "
        "that with L2.",
        to("all_pairs_l1", "all_pairs_l2"),
        at_most=0.95,
    ),
    Claim(
        "l1-bears-triples",
        "parity",
        "Twelve times as many columns do no harm to L1: the log loss with all triples is "
        "{at_least} to {at_most} times that with pairs.",
        to("pairs_and_triples_l1", "all_pairs_l1"),
        at_least=0.97,
        at_most=1.03,
    ),
]

EXPERIMENT = Experiment(
    question="How many crosses can a thousand rows bear, and do they beat boosted trees?",
    data="synthetic",
    measure=measure,
    roles={
        **ROLES,
        "target_means": "baseline",
        "xgboost": "baseline",
        "hist_boosting": "baseline",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
