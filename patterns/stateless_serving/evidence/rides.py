"""Requests about rides on rented bicycles, and the artifact that answers them.

This is where the evidence meets the artifact of the transform, as `patterns serve` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datasets import make_bike_rentals
from patterns.transform import Feature, Input, ServingArtifact, Transform

FloatArray = NDArray[np.float64]
ZONE = "Europe/London"
RECENT = 50  # rides before a ride, whose mean temperature is the usual one
INPUTS = (
    Input("start", "time"),
    Input("station", "category"),
    Input("weather", "category"),
    Input("temperature", "number", nullable=True, minimum=-30, maximum=50),
    Input("usual", "number", nullable=True, minimum=-30, maximum=50),
)
FEATURES = (
    Feature("hour", "hour", "start", zone=ZONE),
    Feature("weekday", "weekday", "start", zone=ZONE),
    Feature("station", "code", min_count=20),
    Feature("weather", "code"),
    Feature("temperature", "standardized", missing="median"),
    Feature("usual", "standardized", missing="median"),
)


def rides(n: int, year: int, seed: int) -> tuple[pd.DataFrame, FloatArray, FloatArray]:
    """Rides of a year in the order of time, with what was usual before each; minutes; true mean."""
    data = make_bike_rentals(
        n, since=f"{year}-01-01", until=f"{year + 1}-01-01", random_state=[seed, year]
    )
    rows = data.X.copy()
    rows["usual"] = rows["temperature"].shift().rolling(RECENT, min_periods=1).mean()
    return rows, np.asarray(data.y, dtype=np.float64), data.oracle_mean(data.X)


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a client sends them, with None for what is missing."""
    names = [spec.name for spec in INPUTS]
    columns = [[None if pd.isna(v) else v for v in rows[name].tolist()] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def fitted(n: int, n_rounds: int, seed: int, depth: int = 6, without: str = "") -> ServingArtifact:
    """The artifact; of all inputs but one, if one is named."""
    rows, minutes, _ = rides(n, 2015, seed)
    inputs = [spec for spec in INPUTS if spec.name != without]
    features = [feature for feature in FEATURES if feature.input != without]
    params = {"max_depth": depth, "eta": 0.1, "nthread": 1, "seed": seed}
    return ServingArtifact.fit(
        Transform(inputs, features), rows[[i.name for i in inputs]], minutes, params, n_rounds
    )
