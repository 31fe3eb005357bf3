"""What the experiments on real data share: forward folds, and one score per test period."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OrdinalEncoder

from datasets import split_forward
from patterns._kit.evidence import Metrics, by_period, in_each_period
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import FloatArray, Forecast, crps


def forward_folds(
    table: pd.DataFrame, months: tuple[int, ...], gap: str, target: str, config: Config
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Train on the year up to a month, test on what follows until the next: never random rows.

    The gap keeps out rows whose target was not yet known when the test began.
    """
    rng = np.random.default_rng(config.seed)
    newyear = pd.Timestamp("2013-01-01", tz="America/New_York")
    starts = [newyear + pd.DateOffset(months=month - 1) for month in months]
    features = table.drop(columns=["time_hour", target])
    text = [name for name in features if pd.api.types.is_string_dtype(features[name])]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    encoder = make_column_transformer((codes, text), remainder="passthrough")
    y = table[target].to_numpy()
    folds = split_forward(table["time_hour"], starts, gap=pd.Timedelta(gap))
    for train, test in folds[-config.n_folds :]:
        train = rng.choice(train, min(config.n_real, len(train)), replace=False)
        test = rng.choice(test, min(config.n_real_test, len(test)), replace=False)
        X = encoder.fit_transform(features.iloc[train])
        yield X, y[train], encoder.transform(features.iloc[test]), y[test]


def score_each_period(
    task: str,
    periods: tuple[str, ...],
    folds: Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]],
    forecast_all: Callable[[Any, FloatArray, Any], Mapping[str, Forecast]],
) -> dict[str, float]:
    """The CRPS of each method: its mean over the test periods, and that of each period."""
    scores: dict[str, list[float]] = {}
    for X, y, X_test, y_test in folds:
        for name, forecast in forecast_all(X, y, X_test).items():
            scores.setdefault(name, []).append(float(crps(forecast, y_test).mean()))
    return by_period(task, "crps", periods, scores)


def worst_ratio(
    task: str, method: str, baseline: str, periods: tuple[str, ...]
) -> Callable[[Metrics], float]:
    """The greatest ratio, over the test periods, of one method's CRPS to that of another."""
    return lambda metrics: max(_ratios(metrics, task, method, baseline, periods))


def best_ratio(
    task: str, method: str, baseline: str, periods: tuple[str, ...]
) -> Callable[[Metrics], float]:
    """The least such ratio."""
    return lambda metrics: min(_ratios(metrics, task, method, baseline, periods))


def _ratios(
    metrics: Metrics, task: str, method: str, baseline: str, periods: tuple[str, ...]
) -> list[float]:
    return [a / b for a, b in in_each_period(metrics, task, periods, method, baseline)]
