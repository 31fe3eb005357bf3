"""Flights as a serving system has them, and the transform of the pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from datasets import load_nyc_flights, load_nyc_weather
from patterns.transform.pattern import Feature, Input, Transform

ZONE = "America/New_York"
CODES = ("origin", "dest", "carrier")
WEATHER = ("temp", "wind_speed", "precip", "visib", "pressure")
NUMBERS = ("distance", *WEATHER)
INPUTS = ("departure", *CODES, *NUMBERS)


def flights() -> pd.DataFrame:
    """Flights that arrived, in order: ``at``, ``late``, ``month``, ``week``, ``summer`` and more.

    A flight is late when it arrives over 15 minutes after its time.
    """
    columns = ["time_hour", "minute", "month", *CODES, "distance", "arr_delay"]
    table = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
    table["at"] = table["time_hour"] + pd.to_timedelta(table["minute"], unit="min")
    table["late"] = (table["arr_delay"] > 15).astype(float)
    clock = table["at"].dt.tz_convert(ZONE)
    ahead = clock.dt.tz_localize(None) - table["at"].dt.tz_localize(None)
    table["summer"] = ahead == pd.Timedelta(hours=-4)  # daylight saving time
    table["week"] = (clock.dt.day_of_year - 1) // 7
    order = np.argsort(table["at"].dt.tz_localize(None).to_numpy(), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def draw(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Some of the flights, in order, as a serving system has them: the departure is a text in UTC.

    The weather of an hour is observed during that hour; two hours earlier it is surely known.
    """
    rows = np.sort(rng.choice(len(table), min(n, len(table)), replace=False))
    weather = load_nyc_weather(["origin", "time_hour", *WEATHER]).frame
    weather["time_hour"] += pd.Timedelta(hours=2)
    drawn = table.iloc[rows].merge(
        weather, how="left", on=["origin", "time_hour"], validate="many_to_one"
    )
    drawn["departure"] = drawn["at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return drawn


def definition() -> Transform:
    """What the model of flights takes, and what it sees."""
    inputs: list[Any] = [Input("departure", "time"), *(Input(name, "category") for name in CODES)]
    inputs += [Input("distance", "number"), *(Input(n, "number", nullable=True) for n in WEATHER)]
    features = [
        Feature("hour", "hour", "departure", zone=ZONE),
        Feature("weekday", "weekday", "departure", zone=ZONE),
        *(Feature(name, "code") for name in CODES),
        *(Feature(name, "standardized", missing="median") for name in NUMBERS),
    ]
    return Transform(inputs, features)
