"""Late flights as a table of numbers, and their parts: to train, to choose, to judge, and later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from datasets import load_nyc_flights, load_nyc_weather

CODES = ("origin", "dest", "carrier")
WEATHER = ("temp", "wind_speed", "precip", "visib", "pressure")
PARTS = ("train", "validation", "honest", "drift")
FIXED = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "seed": 0}
# What people start with: XGBoost's own default, and the slower one that most guides recommend.
DEFAULTS = {"default_3": {"learning_rate": 0.3}, "default_1": {"learning_rate": 0.1}}


@dataclass(frozen=True)
class Rows:
    """Features and whether each flight arrived over 15 minutes late."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]

    def matrix(self) -> xgb.DMatrix:
        """As XGBoost takes them."""
        return xgb.DMatrix(self.X, self.y, nthread=1)


def late_flights(n_rows: dict[str, int], seed: int) -> dict[str, Rows]:
    """Draw rows of each part.

    Train on January to August. Half of the days of September and October are to choose by, and the
    other half to judge. Whole days, because flights of one day are late together. November and
    December tell what drift does. The weather is that of two hours before.
    """
    columns = ["time_hour", "month", "day", "hour", "minute", *CODES, "distance", "arr_delay"]
    table = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
    weather = load_nyc_weather(["origin", "time_hour", *WEATHER]).frame
    weather["time_hour"] += pd.Timedelta(hours=2)
    table = table.merge(weather, how="left", on=["origin", "time_hour"], validate="many_to_one")
    table = table.sort_values(["time_hour", "carrier", "origin", "dest"], kind="stable")
    day = table["month"] * 100 + table["day"]
    autumn = np.unique(day[table["month"].isin([9, 10])])
    rng = np.random.default_rng(seed)
    to_choose = rng.permutation(autumn)[: len(autumn) // 2]
    in_autumn = table["month"].isin([9, 10])
    where = {
        "train": table["month"] <= 8,
        "validation": in_autumn & day.isin(to_choose),
        "honest": in_autumn & ~day.isin(to_choose),
        "drift": table["month"] >= 11,
    }
    numbers = table[["distance", *WEATHER]].astype(float)
    numbers["minute"] = table["hour"] * 60.0 + table["minute"]
    numbers["weekday"] = table["time_hour"].dt.tz_convert("America/New_York").dt.day_of_week
    for code in CODES:
        numbers[code] = pd.Categorical(table[code]).codes
    X, y = numbers.to_numpy(dtype=float), (table["arr_delay"] > 15).to_numpy(dtype=float)
    parts = {}
    for part, n in n_rows.items():
        rows = np.sort(rng.choice(np.flatnonzero(where[part]), n, replace=False))
        parts[part] = Rows(X[rows], y[rows])
    return parts


def loss(y: Any, probability: Any) -> float:
    """Mean negative log probability of what came true."""
    return float(log_loss(y, np.asarray(probability, dtype=float)))
