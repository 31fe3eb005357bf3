"""What the experiments on real data share: forward folds, and one score per test period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from datasets import split_forward
from patterns._kit.evidence import Metrics
from patterns.feature_crossing.evidence import Config


def forward_folds(
    table: pd.DataFrame, months: Sequence[int], config: Config
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train on the year up to a month, test on what follows until the next: never random rows."""
    newyear = pd.Timestamp("2013-01-01", tz="America/New_York")
    starts = [newyear + pd.DateOffset(months=month - 1) for month in months]
    for train, test in split_forward(table["time_hour"], starts)[-config.n_folds :]:
        yield table.iloc[train], table.iloc[test]


def by_period(
    task: str, metric: str, periods: Sequence[str], scores: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Each method's mean over the test periods as ``metric``, and the score in each period."""
    metrics = {}
    for name, values in scores.items():
        metrics[f"{task}.{name}.{metric}"] = float(np.mean(values))
        shown = zip(periods[-len(values) :], values, strict=True)
        metrics |= {f"{task}.{name}.{period}": value for period, value in shown}
    return metrics


def in_each_period(
    metrics: Metrics, task: str, periods: Sequence[str], one: str, other: str
) -> list[tuple[float, float]]:
    """The scores of two methods in each test period."""
    return [
        (metrics[f"{task}.{one}.{period}"], metrics[f"{task}.{other}.{period}"])
        for period in periods
        if f"{task}.{one}.{period}" in metrics  # fewer with fewer folds
    ]
