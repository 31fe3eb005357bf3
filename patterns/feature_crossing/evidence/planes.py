"""Two numeric features in buckets: XOR, which needs a cross, and a circle, which needs none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer
from xgboost import XGBClassifier

from datasets import make_circle, make_xor
from datasets.crosses import CrossData
from patterns._kit.evidence import Claim, Drawing, Experiment, Result, difference, ratio
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.expected import accuracy, log_loss
from patterns.feature_crossing.evidence.models import (
    DEPTHS,
    PENALTIES,
    buckets,
    crossed_buckets,
    logistic,
    slow_trees,
    trees,
    tuned,
)

GRIDS = (4, 10, 20, 50)  # all of them at once are more features than rows


def methods_for_xor(config: Config) -> dict[str, Any]:
    """Every way to fit XOR."""
    piled = make_union(*(crossed_buckets(n) for n in GRIDS))
    return {
        "raw": logistic(),
        "splines": make_pipeline(SplineTransformer(), logistic()),
        "buckets": make_pipeline(buckets(4), logistic()),
        "polynomial": make_pipeline(PolynomialFeatures(2), logistic()),
        "xgboost": XGBClassifier(max_depth=4, **trees(config)),
        "xgboost_tuned": tuned(XGBClassifier(**slow_trees(config)), DEPTHS),
        "crossed": make_pipeline(crossed_buckets(4), logistic()),
        "crossed_5_buckets": make_pipeline(crossed_buckets(5), logistic()),
        "over_crossed": make_pipeline(piled, logistic(C=1000)),
        "over_crossed_l1": make_pipeline(piled, tuned(logistic(l1_ratio=1), PENALTIES)),
        "hashed_8_bins": make_pipeline(crossed_buckets(4, 8), logistic()),
        "hashed_64_bins": make_pipeline(crossed_buckets(4, 64), logistic()),
    }


def methods_for_circle(config: Config) -> dict[str, Any]:
    """Ten buckets, with a cross and without, beside what else can be curved."""
    others = methods_for_xor(config)
    return {
        **{name: others[name] for name in ("raw", "splines")},
        "buckets": make_pipeline(buckets(10), logistic()),
        **{name: others[name] for name in ("polynomial", "xgboost", "xgboost_tuned")},
        "crossed": make_pipeline(make_union(buckets(10), crossed_buckets(10)), logistic()),
    }


def measure(config: Config) -> Result:
    """The expected scores of every method on both planes."""
    metrics, fitted = {}, {}
    for task, make, methods in (
        ("xor", make_xor, methods_for_xor(config)),
        ("circle", make_circle, methods_for_circle(config)),
    ):
        train = make(config.n_train, random_state=[config.seed, 0])
        X_test = make(config.n_test, random_state=[config.seed, 1]).X
        truth = train.oracle_mean(X_test)
        probability = {}
        for name, model in methods.items():
            fitted[f"{task}.{name}"] = model.fit(train.X, train.y)
            probability[name] = model.predict_proba(X_test)[:, 1]
        for name, p in {**probability, "oracle": truth}.items():
            metrics[f"{task}.{name}.accuracy"] = accuracy(truth, p)
            metrics[f"{task}.{name}.log_loss"] = log_loss(truth, p)
    data = make_xor(config.n_train, random_state=[config.seed, 0])
    return Result(
        metrics,
        {
            "regions": Drawing(
                lambda: draw_regions(fitted, data),
                "Raw features and buckets without a cross give one half everywhere. Crossed "
                "buckets find the four quadrants. Four grids at once without a penalty give "
                "specks; an L1 penalty finds the quadrants among them.",
                "Six maps of the probability over the plane of XOR: raw features, buckets, crossed "
                "buckets, four grids without a penalty, four grids with an L1 penalty, the truth.",
            )
        },
    )


# ---------------------------------------------------------------------------------- figure
REGIONS = {
    "raw": "raw features",
    "buckets": "buckets, no cross",
    "crossed": "crossed buckets",
    "over_crossed": "four grids, no penalty",
    "over_crossed_l1": "four grids, L1 penalty",
}


def draw_regions(fitted: Mapping[str, Any], data: CrossData) -> Figure:
    """What each linear model makes of XOR: the probability that it gives to every place."""
    axis_values = np.linspace(-0.995, 0.995, 200)
    x0, x1 = (values.ravel() for values in np.meshgrid(axis_values, axis_values))
    places = pd.DataFrame({"x0": x0, "x1": x1})
    maps = {
        title: fitted[f"xor.{name}"].predict_proba(places)[:, 1] for name, title in REGIONS.items()
    }
    maps["truth, and some of the rows"] = data.oracle_mean(places)
    figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.6), sharex=True, sharey=True)
    for axis, (title, probability) in zip(axes.flat, maps.items(), strict=True):
        image = axis.imshow(
            probability.reshape(200, 200),
            origin="lower",
            extent=(-1, 1, -1, 1),
            vmin=0,
            vmax=1,
            cmap="PuOr_r",
        )
        axis.set(title=title, xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        axis.title.set_fontsize(10)
    some = data.frame.head(150)
    for label, marker in ((0, "v"), (1, "^")):
        rows = some[some["y"] == label]
        face = plt.get_cmap("PuOr_r")(float(label))
        axes[1, 2].scatter(
            rows["x0"], rows["x1"], s=14, marker=marker, color=face, edgecolors="white", lw=0.5
        )
    figure.supxlabel("x0", fontsize=10)
    figure.supylabel("x1", fontsize=10)
    figure.colorbar(image, ax=axes, label="probability of class 1", shrink=0.6, pad=0.02)
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "xor-beats-trees",
        "benefit",
        "On XOR, where four buckets have a border in the right place, a linear model over their "
        "cross has at most {at_most} times the log loss of tuned boosted trees.",
        ratio("xor.crossed.log_loss", "xor.xgboost_tuned.log_loss"),
        at_most=1.0,
        baseline="xor.xgboost_tuned.log_loss",
    ),
    Claim(
        "xor-without-is-a-coin-toss",
        "mechanism",
        "Without the cross, raw features, splines and buckets are a coin toss: their log loss is "
        "at least {at_least}. A coin has 0.69, the true probability 0.33.",
        lambda m: min(m[f"xor.{name}.log_loss"] for name in ("raw", "splines", "buckets")),
        at_least=0.67,
    ),
    Claim(
        "xor-misaligned-buckets",
        "limit",
        "Five buckets have no border there: the log loss of their cross is at least {at_least} "
        "times that of tuned boosted trees.",
        ratio("xor.crossed_5_buckets.log_loss", "xor.xgboost_tuned.log_loss"),
        at_least=1.2,
    ),
    Claim(
        "circle-needs-no-cross",
        "limit",
        "The circle needs buckets and no cross: the cross adds at most {at_most} to the accuracy.",
        difference("circle.crossed.accuracy", "circle.buckets.accuracy"),
        at_most=0.05,
    ),
    Claim(
        "circle-needs-curves",
        "limit",
        "On the circle, the log loss of crossed buckets is at least {at_least} times that of tuned "
        "boosted trees.",
        ratio("circle.crossed.log_loss", "circle.xgboost_tuned.log_loss"),
        at_least=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="When do two numbers need a cross, and when are buckets enough?",
    data="synthetic",
    measure=measure,
    roles={
        "raw": "baseline",
        "splines": "baseline",
        "buckets": "baseline",
        "polynomial": "baseline",
        "xgboost": "baseline",
        "xgboost_tuned": "baseline",
        "crossed": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
