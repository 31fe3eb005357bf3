"""A mark that the training data carry by accident: who notices that the model reads it."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    Metrics,
    MetricsOfSeeds,
    Result,
    difference,
    metric,
)
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import explain

FloatArray = NDArray[np.float64]
AGREEMENTS = {"at_50": 0.5, "at_80": 0.8, "at_90": 0.9, "at_95": 0.95, "at_99": 0.99}
N_WEAK = 8
MARK = N_WEAK  # its column


# ---------------------------------------------------------------------------------- data
def patients(
    n: int, agreement: float, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Eight weak signs of a disease, and a mark that agrees with it in this share of patients."""
    signs = rng.normal(size=(n, N_WEAK))
    disease = rng.random(n) < expit(signs @ np.linspace(1.2, 0.2, N_WEAK))
    mark = np.where(rng.random(n) < agreement, disease, ~disease)
    return np.column_stack([signs, mark]), disease.astype(int)


def fit(X: FloatArray, y: NDArray[np.int64], config: Config) -> XGBClassifier:
    """Boosted trees."""
    settings = {"n_estimators": 80, "max_depth": 3, "learning_rate": 0.1, "n_jobs": 1}
    return XGBClassifier(**settings, random_state=config.seed).fit(X, y)


# ---------------------------------------------------------------------------------- scores
def measure(config: Config) -> Result:
    """Discrimination where the mark agrees and where it means nothing, and the mark's share."""
    metrics: dict[str, float] = {}
    for name, agreement in AGREEMENTS.items():
        rng = np.random.default_rng([config.seed, round(100 * agreement)])
        X, y = patients(config.n_train, agreement, rng)
        X_test, y_test = patients(config.n_test, agreement, rng)
        X_next, y_next = patients(4 * config.n_test, 0.5, rng)
        model = fit(X, y, config)
        found = explain(model, X_test, baseline="tree_paths")
        sizes = np.abs(found.values).mean(axis=0)
        lost = permutation_importance(
            *(model, X_test, y_test),
            scoring="roc_auc",
            n_repeats=3,
            random_state=config.seed,
            n_jobs=1,
        ).importances_mean
        without = fit(X[:, :MARK], y, config)
        metrics |= {
            f"mark.{name}.auc_test": roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]),
            f"mark.{name}.auc_next": roc_auc_score(y_next, model.predict_proba(X_next)[:, 1]),
            f"mark.{name}.auc_without": roc_auc_score(
                y_next, without.predict_proba(X_next[:, :MARK])[:, 1]
            ),
            f"mark.{name}.share": sizes[MARK] / sizes.sum(),
            f"mark.{name}.rank": 1 + (sizes > sizes[MARK]).sum(),
            f"mark.{name}.rank_of_shuffling": 1 + (lost > lost[MARK]).sum(),
        }
    return Result(metrics)


# ---------------------------------------------------------------------------------- figure
def figures(metrics: MetricsOfSeeds) -> Mapping[str, Drawing]:
    """Scores and share of the mark, by how often it agrees."""

    def column(name: str) -> list[float]:
        return [float(np.mean(metrics[f"mark.{key}.{name}"])) for key in AGREEMENTS]

    def draw() -> Figure:
        figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
        shown = [f"{agreement:.0%}" for agreement in AGREEMENTS.values()]
        axes[0].plot(shown, column("auc_test"), "o-", color=BASELINE, label="test data")
        axes[0].plot(shown, column("auc_next"), "s--", color=BASELINE, label="next hospital")
        axes[0].plot(shown, column("auc_without"), "^-", color=PATTERN, label="without the mark")
        axes[0].set(title="1. The score", ylabel="area under the ROC curve", ylim=(0.45, 1.02))
        axes[0].legend()
        axes[1].plot(shown, column("share"), "o-", color=PATTERN)
        axes[1].set(title="2. The mark's share of attributions", ylabel="share", ylim=(0, 1))
        axes[2].plot(shown, column("rank"), "o-", color=PATTERN, label="attributions")
        ranks = column("rank_of_shuffling")
        axes[2].plot(shown, ranks, "s--", color=ALTERNATIVE, label="permutation importance")
        axes[2].set(title="3. The mark's rank of nine", ylabel="rank", ylim=(9.3, 0.7))
        axes[2].legend(loc="lower right")
        for axis in axes:
            axis.set_xlabel("the mark agrees with the disease")
        return figure

    return {
        "three_panels": Drawing(
            draw,
            "The more often the mark agrees with the disease, the better the test score and the "
            "worse the score in the next hospital. The share of the mark grows with the damage. "
            "Permutation importance ranks the mark in the same way.",
            "Three panels: scores part, the share of the mark grows, both ranks reach one.",
        )
    }


def at_50(metrics: Metrics) -> float:
    """The larger of the mark's share and of the loss of discrimination, where it means nothing."""
    lost = metrics["mark.at_50.auc_test"] - metrics["mark.at_50.auc_next"]
    return max(metrics["mark.at_50.share"], abs(lost))


CLAIMS = [
    Claim(
        "mark-breaks-the-score",
        "mechanism",
        "A mark that agrees with the disease in 95 % of patients raises the test score. In the "
        "next hospital, where it means nothing, the area under the ROC curve is lower by "
        "{at_least} or more.",
        difference("mark.at_95.auc_test", "mark.at_95.auc_next"),
        at_least=0.08,
    ),
    Claim(
        "attributions-name-the-mark",
        "mechanism",
        "Attributions on test data name such a mark before it breaks: its rank among nine features "
        "is at most {at_most}.",
        metric("mark.at_95.rank"),
        at_most=1,
    ),
    Claim(
        "without-the-mark",
        "mechanism",
        "A model that is fitted without the mark gains at least {at_least} of that area there.",
        difference("mark.at_95.auc_without", "mark.at_95.auc_next"),
        at_least=0.04,
    ),
    Claim(
        "shuffling-names-it-too",
        "limit",
        "Permutation importance names such a mark as well: its rank is at most {at_most}, too.",
        metric("mark.at_95.rank_of_shuffling"),
        at_most=1,
    ),
    Claim(
        "no-alarm-without-a-shortcut",
        "mechanism",
        "A mark that means nothing in training gets at most {at_most} of the attributions, and "
        "costs no more than that of the area.",
        at_50,
        at_most=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="Do attributions show that a model reads a mark, before the mark goes away?",
    data="synthetic",
    measure=measure,
    roles={"at_50": "pattern"},
    claims=CLAIMS,
    figures=figures,
)
