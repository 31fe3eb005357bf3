"""What the experiments on real data share: forward folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from datasets import split_forward
from patterns.feature_crossing.evidence import Config


def forward_folds(
    table: pd.DataFrame, months: Sequence[int], config: Config
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train on the year up to a month, test on what follows until the next: never random rows."""
    newyear = pd.Timestamp("2013-01-01", tz="America/New_York")
    starts = [newyear + pd.DateOffset(months=month - 1) for month in months]
    for train, test in split_forward(table["time_hour"], starts)[-config.n_folds :]:
        yield table.iloc[train], table.iloc[test]
