"""Attributions beside the definition: what a budget of model calls buys, and what a sum proves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression
from xgboost import XGBRegressor

from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    Metrics,
    MetricsOfSeeds,
    Result,
    metric,
    ratio,
)
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import explain

FloatArray = NDArray[np.float64]
KERNEL = (100, 300, 900)
PERMUTATION = (21, 210, 1050)


# ---------------------------------------------------------------------------------- data
def draw_rows(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Ten features with interactions of two and of three."""
    X = rng.normal(size=(n, 10))
    mean = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + np.maximum(0, X[:, 3] + X[:, 4]) * X[:, 5]
    return X, mean + 0.5 * X[:, 6] + 0.3 * rng.normal(size=n)


# ---------------------------------------------------------------------------------- methods
def definition(predict: Callable[[Any], FloatArray], x: FloatArray, rows: FloatArray) -> FloatArray:
    """Shapley values of one row, over all coalitions, written apart from the pattern's code."""
    m = len(x)
    member = np.arange(2**m)[:, None] // 2 ** np.arange(m) % 2 == 1
    mixed = np.where(member[:, None, :], x, rows[None]).reshape(-1, m)
    worth = predict(mixed).reshape(2**m, len(rows)).mean(axis=1, dtype=float)
    size = member.sum(axis=1)
    orders = np.array([1.0, *np.cumprod(np.arange(1.0, m + 1))])  # factorials
    values = np.empty(m)
    for j in range(m):
        # Each coalition counts in as many orders as have its members before j, or j among them.
        weight = np.where(
            member[:, j],
            orders[size - 1] * orders[m - size],
            -orders[size] * orders[np.maximum(m - size - 1, 0)],
        )
        values[j] = weight @ worth / orders[m]
    return values


def approximations(
    predict: Callable[[Any], FloatArray], X: FloatArray, rows: FloatArray, config: Config
) -> dict[str, Callable[[], FloatArray]]:
    """What shap offers for any model, at several budgets of model calls per row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # here, because it takes seconds to import

    mask = shap.maskers.Independent(rows, max_samples=len(rows))

    def permutation(budget: int) -> FloatArray:
        method = shap.explainers.Permutation(predict, mask, seed=config.seed)
        return method(X, max_evals=budget, silent=True).values

    def kernel(budget: int) -> FloatArray:
        np.random.seed(config.seed)  # noqa: NPY002 - shap draws from the global generator
        method = shap.KernelExplainer(predict, rows)
        return method.shap_values(X, nsamples=budget, l1_reg=False, silent=True)

    return {
        **{f"permutation_{n}": partial(permutation, n) for n in PERMUTATION},
        **{f"kernel_{n}": partial(kernel, n) for n in KERNEL},
    }


# ---------------------------------------------------------------------------------- scores
def measure(config: Config) -> Result:
    """Errors and sums of each method on boosted trees, and a linear truth that is known."""
    rng = np.random.default_rng([config.seed, 1])
    X, y = draw_rows(config.n_train, rng)
    settings = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.1, "n_jobs": 1}
    model = XGBRegressor(**settings, random_state=config.seed).fit(X, y)
    rows = X[: config.n_baseline]
    asked = draw_rows(config.n_explained, rng)[0]
    truth = np.array([definition(model.predict, x, rows) for x in asked])
    start = model.predict(rows).mean(dtype=float)
    methods: dict[str, Callable[[], FloatArray]] = {
        "tree_paths": lambda: explain(model, asked, baseline="tree_paths").values,
        **approximations(model.predict, asked, rows, config),
        "all_coalitions": lambda: explain(model.predict, asked, baseline=rows).values,
        "explain": lambda: explain(model, asked, baseline=rows).values,
    }
    metrics: dict[str, float] = {}
    for name, method in methods.items():
        values = method()
        # Along paths the sum starts elsewhere, so that it is the model's own mean.
        base = start
        if name == "tree_paths":
            base = float(explain(model, asked[:1], baseline="tree_paths").base_value)
        missed = np.abs(base + values.sum(axis=1) - model.predict(asked)).max()
        metrics |= {
            f"trees.{name}.error": np.abs(values - truth).sum() / np.abs(truth).sum(),
            f"trees.{name}.sum_error": float(missed),
        }
    return Result(metrics | linear_truth(config))


def linear_truth(config: Config) -> dict[str, float]:
    """Independent features and a linear mean: the attribution is coefficient times distance."""
    rng = np.random.default_rng([config.seed, 2])
    weights = np.array([3, -2, 1, 0.5, 0, 0])
    X, asked = rng.normal(size=(config.n_train, 6)), rng.normal(size=(config.n_test, 6))
    y = X @ weights + 0.5 * rng.normal(size=config.n_train)
    truth = asked * weights
    settings = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.1, "n_jobs": 1}
    trees = XGBRegressor(**settings, random_state=config.seed).fit(X, y)
    found = {
        "trees": explain(trees, asked, baseline="tree_paths").values,
        "line": explain(LinearRegression().fit(X, y), asked, baseline=X).values,
    }
    return {
        f"linear_truth.{name}.error": np.abs(values - truth).sum() / np.abs(truth).sum()
        for name, values in found.items()
    }


# ---------------------------------------------------------------------------------- figure
def figures(metrics: MetricsOfSeeds) -> Mapping[str, Drawing]:
    """Error against the budget, and the error of the sum beside it."""

    def mean(method: str, name: str) -> float:
        return float(np.mean(metrics[f"trees.{method}.{name}"]))

    def draw() -> Figure:
        figure, axis = plt.subplots(figsize=(6.5, 4))
        for label, budgets, color in [
            ("kernel", KERNEL, BASELINE),
            ("permutation", PERMUTATION, ALTERNATIVE),
        ]:
            errors = [mean(f"{label}_{n}", "error") for n in budgets]
            sums = [max(mean(f"{label}_{n}", "sum_error"), 1e-7) for n in budgets]
            axis.loglog(budgets, errors, "o-", color=color, label=f"{label}: error")
            axis.loglog(budgets, sums, "o:", color=color, label=f"{label}: error of the sum")
        exact = max(mean("explain", "error"), 1e-8)
        axis.axhline(exact, color=PATTERN, label="explain, trees against rows: error")
        axis.set(xlabel="model calls for each row and baseline row", ylabel="error")
        axis.legend(fontsize=8, loc="center right")
        return figure

    return {
        "budget": Drawing(
            draw,
            "Relative error of attributions of boosted trees, beside the definition. Sampling pays "
            "for accuracy with calls. The sums are right at every budget, so they prove nothing. "
            "Both axes are logarithmic.",
            "Errors fall with the budget; errors of sums are flat and near zero.",
        )
    }


def error_of_a_right_sum(metrics: Metrics) -> float:
    """Error of 100 kernel evaluations, provided that their sum is right to a hundred-thousandth."""
    right = metrics["trees.kernel_100.sum_error"] <= 1e-5
    return metrics["trees.kernel_100.error"] if right else 0.0


CLAIMS = [
    Claim(
        "exact-beside-sampling",
        "benefit",
        "Against stated rows, the error of `explain` on boosted trees is at most {at_most} times "
        "that of the best of six sampled attributions.",
        ratio("trees.explain.error", "trees.kernel_900.error"),
        at_most=0.01,
        baseline="trees.kernel_900.error",
    ),
    Claim(
        "two-routes-agree",
        "parity",
        "Two routes that share no code agree: the relative error of trees against rows, beside "
        "the definition, is at most {at_most}.",
        metric("trees.explain.error"),
        at_most=1e-5,
    ),
    Claim(
        "budget-buys-accuracy",
        "mechanism",
        "Nine times the calls cut the error of kernel attributions to {at_most} of it, or less.",
        ratio("trees.kernel_900.error", "trees.kernel_100.error"),
        at_most=0.33,
    ),
    Claim(
        "a-right-sum-proves-nothing",
        "limit",
        "Attributions may sum to the output in five digits and be wrong: with 100 kernel "
        "evaluations the relative error is {at_least} or more.",
        error_of_a_right_sum,
        at_least=0.03,
    ),
    Claim(
        "paths-answer-another-question",
        "mechanism",
        "Another baseline is another question: along the paths of the training rows, the "
        "attributions differ by {at_least} or more from those against rows.",
        metric("trees.tree_paths.error"),
        at_least=0.1,
    ),
    Claim(
        "a-line-is-found",
        "mechanism",
        "Where the truth is linear and features are independent, the attributions of a line miss "
        "the true ones by at most {at_most}.",
        metric("linear_truth.line.error"),
        at_most=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="How exact are attributions, and what does a sum prove?",
    data="synthetic",
    measure=measure,
    roles={
        **{f"permutation_{n}": "baseline" for n in PERMUTATION},
        **{f"kernel_{n}": "baseline" for n in KERNEL},
        "explain": "pattern",
    },
    claims=CLAIMS,
    figures=figures,
)
