"""Near copies of a column share its credit, and no copy looks important alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mean_squared_error
from xgboost import XGBRegressor

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import explain

FloatArray = NDArray[np.float64]
N_COPIES = 4


def shuffling_loss(
    model: XGBRegressor,
    X: FloatArray,
    y: FloatArray,
    columns: list[int],
    rng: np.random.Generator,
) -> float:
    """Permutation importance of columns that are shuffled together: the error that it adds."""
    shuffled = X.copy()
    shuffled[:, columns] = X[rng.permutation(len(X))][:, columns]
    before = mean_squared_error(y, model.predict(X))
    return float(mean_squared_error(y, model.predict(shuffled)) - before)


def measure(config: Config) -> Result:
    """Importance of one signal as one column, and as four columns that nearly repeat it."""
    rng = np.random.default_rng([config.seed, 4])
    n = config.n_train + config.n_test
    signal, weaker = rng.normal(size=(2, n))
    y = 2 * signal + weaker + 0.5 * rng.normal(size=n)
    copies = signal[:, None] + 0.05 * rng.normal(size=(n, N_COPIES))
    metrics: dict[str, float] = {}
    for name, columns in (("one_column", copies[:, :1]), ("four_copies", copies)):
        X = np.column_stack([columns, weaker, rng.normal(size=n)])
        train, test = slice(config.n_train), slice(config.n_train, None)
        model = XGBRegressor(
            n_estimators=150,
            max_depth=3,
            learning_rate=0.1,
            colsample_bynode=0.5,
            n_jobs=1,
            random_state=config.seed,
        ).fit(X[train], y[train])
        found = explain(model, X[test], baseline="tree_paths")
        signal_columns = list(range(columns.shape[1]))
        names = [found.feature_names[j] for j in signal_columns]
        alone = [shuffling_loss(model, X[test], y[test], [j], rng) for j in signal_columns]
        together = shuffling_loss(model, X[test], y[test], signal_columns, rng)
        metrics |= {
            f"copies.{name}.largest": float(found.importance()[names].max()),
            f"copies.{name}.grouped": float(
                found.grouped({"signal": names}).importance()["signal"]
            ),
            f"copies.{name}.weaker": float(found.importance()[f"x{columns.shape[1]}"]),
            f"copies.{name}.shuffled_alone": max(alone),
            f"copies.{name}.shuffled_together": together,
        }
    return Result(metrics)


CLAIMS = [
    Claim(
        "copies-share-the-credit",
        "mechanism",
        "Of four near copies of a column, the largest has at most {at_most} times the mean "
        "absolute attribution of the column alone.",
        ratio("copies.four_copies.largest", "copies.one_column.largest"),
        at_most=0.7,
    ),
    Claim(
        "copies-fall-behind-a-weaker-column",
        "limit",
        "So the list misleads: half as strong a column without copies is {at_least} times as "
        "important as the largest copy, or more.",
        ratio("copies.four_copies.weaker", "copies.four_copies.largest"),
        at_least=0.7,
    ),
    Claim(
        "groups-restore-it",
        "mechanism",
        "Summed as one group, the copies have {at_least} to {at_most} times the importance of the "
        "column alone.",
        ratio("copies.four_copies.grouped", "copies.one_column.grouped"),
        at_least=0.9,
        at_most=1.1,
    ),
    Claim(
        "shuffling-together-restores-it-too",
        "limit",
        "Permutation importance needs the same care, and it is enough: shuffled together, the "
        "copies have {at_least} to {at_most} times the importance of the column alone.",
        ratio("copies.four_copies.shuffled_together", "copies.one_column.shuffled_together"),
        at_least=0.8,
        at_most=1.2,
    ),
]

EXPERIMENT = Experiment(
    question="What happens to the credit of a column that is there several times?",
    data="synthetic",
    measure=measure,
    roles={"one_column": "baseline", "four_copies": "pattern"},
    claims=CLAIMS,
)
