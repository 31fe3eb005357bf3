"""Neutral class: a class for the cases in which either answer would do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patterns.neutral_class.pattern import (
        MinimumExpectedCostClassifier,
        aurc,
        chance_agreement_correction,
        labels_from_votes,
        least_costly_action,
        risk_coverage_curve,
    )

__all__ = [
    "MinimumExpectedCostClassifier",
    "aurc",
    "chance_agreement_correction",
    "labels_from_votes",
    "least_costly_action",
    "risk_coverage_curve",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.pattern"), name)
