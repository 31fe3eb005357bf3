"""A neutral band on features that tell next to nothing: higher accuracy, by the majority class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from patterns._kit.evidence import Claim, Experiment, Metrics, Result
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.delays import PERIODS, before_and_after, delay_table, draw
from patterns.neutral_class.evidence.patients import logistic

TASK = "accuracy_trap"
CUTS = {"two_classes": [0.5], "three_classes": [0.1, 0.9]}  # quantiles of the training delays


def measure(config: Config) -> Result:
    """Two classes and three, a constant and a model, in each test period."""
    table = delay_table()
    features, delay = table[["day", "minute", "distance", "weekday"]], table["arr_delay"].to_numpy()
    models = {"majority": DummyClassifier(), "model": logistic()}
    names = [f"{TASK}.{classes}_{method}" for classes in CUTS for method in models]
    metrics: dict[str, dict[str, float]] = {name: {} for name in names}
    for period, (_, *boundaries) in PERIODS.items():
        rng = np.random.default_rng(config.seed)
        parts = before_and_after(table["time_hour"], tuple(boundaries))
        sizes = (config.n_real, config.n_real_test)
        train, test = (draw(rng, rows, n) for rows, n in zip(parts, sizes, strict=True))
        for classes, levels in CUTS.items():
            y = np.searchsorted(np.quantile(delay[train], levels), delay, side="right")
            for method, model in models.items():
                model.fit(features.iloc[train], y[train])
                proba = model.predict_proba(features.iloc[test])
                predicted = proba.argmax(axis=1)
                scores = metrics[f"{TASK}.{classes}_{method}"]
                scores[f"accuracy_{period}"] = accuracy_score(y[test], predicted)
                scores["balanced_accuracy"] = balanced_accuracy_score(y[test], predicted)
                scores["log_loss"] = log_loss(y[test], proba)
    return Result(
        {
            f"{row}.{name}": value
            for row, scores in metrics.items()
            for name, value in scores.items()
        }
    )


def accuracies_above(m: Metrics, row: str) -> Iterator[float]:
    """Accuracy of the three-class model minus that of another row, in each period."""
    for period in PERIODS:
        of_model = m[f"{TASK}.three_classes_model.accuracy_{period}"]
        yield of_model - m[f"{TASK}.{row}.accuracy_{period}"]


CLAIMS = [
    Claim(
        "accuracy-rises",
        "limit",
        "On real delays and features that tell next to nothing, a neutral band raises accuracy by "
        "at least {at_least} in every period.",
        lambda m: min(accuracies_above(m, "two_classes_model")),
        at_least=0.15,
    ),
    Claim(
        "accuracy-is-the-majority",
        "limit",
        "The accuracy that a neutral band brings there is that of the majority class, to within "
        "{at_most} in every period.",
        lambda m: max(map(abs, accuracies_above(m, "three_classes_majority"))),
        at_most=0.02,
    ),
]

EXPERIMENT = Experiment(
    question="Is a higher accuracy with a neutral class worth anything?",
    data="real",
    measure=measure,
    roles={
        "two_classes_majority": "baseline",
        "two_classes_model": "baseline",
        "three_classes_majority": "baseline",
        "three_classes_model": "pattern",
    },
    claims=CLAIMS,
)
