"""Models on which shap, called directly, is wrong and says nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from xgboost import XGBClassifier, XGBRegressor

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.evidence.exactness import definition
from patterns.explainable_predictions.pattern import explain

FloatArray = NDArray[np.float64]
BOOSTED = {"n_estimators": 30, "max_depth": 3, "n_jobs": 1}


def models(X: FloatArray, y: FloatArray, config: Config) -> dict[str, tuple[Any, Any]]:
    """Fitted models, each with the function of one output that is explained."""
    histogram = HistGradientBoostingRegressor(max_iter=30, random_state=config.seed).fit(X, y)
    native = HistGradientBoostingRegressor(
        max_iter=30, categorical_features=[4], random_state=config.seed
    ).fit(X, y)
    dropped = XGBRegressor(**BOOSTED, booster="dart", rate_drop=0.3, random_state=config.seed).fit(
        X, y
    )
    classes = np.digitize(y, np.quantile(y, [0.5, 0.8]))
    three = XGBClassifier(**BOOSTED, random_state=config.seed).fit(X, classes)
    return {
        "histogram": (histogram, histogram.predict),
        "native_categories": (native, native.predict),
        "dropped_trees": (dropped, dropped.predict),
        "three_classes": (three, lambda rows: three.predict(rows, output_margin=True)[:, 0]),
    }


def first_output(values: Any, base: Any) -> tuple[FloatArray, float]:
    """Attributions and base value of the first class."""
    values = np.asarray(values)
    return (values[..., 0] if values.ndim == 3 else values), float(np.ravel(base)[0])


def measure(config: Config) -> Result:
    """Relative error of attributions, base value included, of three ways on each kind of model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # here, because it takes seconds to import

    rng = np.random.default_rng([config.seed, 3])
    X = rng.normal(size=(config.n_train, 5))
    X[:, 4] = rng.integers(0, 4, config.n_train)
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 2 * (X[:, 4] == 2)
    y += 0.3 * rng.normal(size=config.n_train)
    # More than a hundred rows, of which shap keeps a hundred.
    rows, asked = X[:120], X[200 : 200 + config.n_explained // 2]

    def tree_explainer(model: Any, predict: Any) -> tuple[FloatArray, float]:
        trees = shap.TreeExplainer(model, rows, feature_perturbation="interventional")
        return first_output(trees.shap_values(asked, check_additivity=False), trees.expected_value)

    def permutation(model: Any, predict: Any) -> tuple[FloatArray, float]:
        mask = shap.maskers.Independent(rows, max_samples=len(rows))
        found = shap.explainers.Permutation(predict, mask, seed=config.seed)(asked, silent=True)
        return found.values, float(found.base_values[0])

    def pattern(model: Any, predict: Any) -> tuple[FloatArray, float]:
        found = explain(model, asked, baseline=rows)
        return first_output(found.values, found.base_value)

    ways: dict[str, Callable[[Any, Any], tuple[FloatArray, float]]] = {
        "tree_explainer": tree_explainer,
        "permutation_explainer": permutation,
        "explain": pattern,
    }
    errors: dict[str, dict[str, float]] = {way: {} for way in ways}
    for kind, (model, predict) in models(X, y, config).items():
        truth = np.array([definition(predict, x, rows) for x in asked])
        start = float(np.mean(predict(rows), dtype=float))
        for way, method in ways.items():
            values, base = method(model, predict)
            missed = np.abs(values - truth).sum(axis=1).mean() + abs(base - start)
            errors[way][kind] = float(missed / np.abs(truth).sum(axis=1).mean())
    return Result(
        {
            f"shap.{way}.{kind}": value
            for way, found in errors.items()
            for kind, value in (found | {"worst": max(found.values())}).items()
        }
    )


CLAIMS = [
    Claim(
        "no-silent-error",
        "benefit",
        "On four kinds of boosted trees, the worst error of `explain` is at most {at_most} times "
        "that of the better of two explainers of shap.",
        ratio("shap.explain.worst", "shap.permutation_explainer.worst"),
        at_most=0.01,
        baseline="shap.permutation_explainer.worst",
    ),
]

EXPERIMENT = Experiment(
    question="Where is shap wrong without a word, and is `explain` right there?",
    data="synthetic",
    measure=measure,
    roles={
        "tree_explainer": "baseline",
        "permutation_explainer": "baseline",
        "explain": "pattern",
    },
    claims=CLAIMS,
)
