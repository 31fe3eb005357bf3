"""Arrival delays of real flights, in test periods that come after what is learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datasets import load_nyc_flights, split_forward

Rows = NDArray[np.intp]

PERIODS = {  # the month to tune on begins, the test period begins, it ends
    "apr_jun": ("2013-03-01T00:00Z", "2013-04-01T00:00Z", "2013-07-01T00:00Z"),
    "jul_sep": ("2013-06-01T00:00Z", "2013-07-01T00:00Z", "2013-10-01T00:00Z"),
    "oct_dec": ("2013-09-01T00:00Z", "2013-10-01T00:00Z", "2014-01-01T00:00Z"),
}


def delay_table() -> pd.DataFrame:
    """Flights that arrived, with what is known at take-off."""
    columns = ["carrier", "origin", "dest", "hour", "minute", "distance", "dep_delay"]
    table = load_nyc_flights([*columns, "day", "time_hour", "arr_delay"]).frame
    table = table.dropna(subset=["arr_delay"]).reset_index(drop=True)
    table["weekday"] = table["time_hour"].dt.tz_convert("America/New_York").dt.day_of_week
    return table


def before_and_after(times: pd.Series, boundaries: tuple[str, ...]) -> list[Rows]:
    """Rows before the first boundary and, for each further one, between it and the one before."""
    folds = split_forward(times, boundaries)
    return [folds[0][0], *(later for _, later in folds)]


def draw(rng: np.random.Generator, rows: Rows, n: int) -> Rows:
    """Some of the rows, or all if they are fewer."""
    return rng.choice(rows, min(n, len(rows)), replace=False)
