"""Synthetic rides, and the transform of the pattern."""

from __future__ import annotations

from typing import Any

from patterns.transform.pattern import Feature, Input, Transform

ZONE = "Europe/London"
RIDES: dict[str, Any] = {"since": "2015-01-01", "until": "2016-01-01"}


def definition() -> Transform:
    """What the model of rides takes, and what it sees."""
    inputs = [
        Input("start", "time"),
        Input("station", "category"),
        Input("weather", "category"),
        Input("temperature", "number", nullable=True),
    ]
    features = [
        Feature("hour", "hour", "start", zone=ZONE),
        Feature("weekday", "weekday", "start", zone=ZONE),
        Feature("station", "code"),
        Feature("weather", "code"),
        Feature("temperature", "number", missing="median"),
    ]
    return Transform(inputs, features)
