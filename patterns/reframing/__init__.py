"""Reframing: predict the distribution of a number with a classifier over its bins."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patterns.reframing.neighbors import (
        BoundedRegressor,
        exceedance_probability,
        two_headed_model,
    )
    from patterns.reframing.pattern import (
        BinnedDistributionRegressor,
        bin_lower_bounds,
        out_of_fold_residuals,
    )

_HOME = {
    "BinnedDistributionRegressor": "pattern",
    "BoundedRegressor": "neighbors",
    "bin_lower_bounds": "pattern",
    "exceedance_probability": "neighbors",
    "out_of_fold_residuals": "pattern",
    "two_headed_model": "neighbors",
}
__all__ = [
    "BinnedDistributionRegressor",
    "BoundedRegressor",
    "bin_lower_bounds",
    "exceedance_probability",
    "out_of_fold_residuals",
    "two_headed_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
