"""Feature cross: give a linear model the combinations of categories as features of their own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patterns.feature_crossing.embedding import embedding_model, factorize_cross
    from patterns.feature_crossing.pattern import FeatureCross, cross_keys, signal_kept

_HOME = {
    "FeatureCross": "pattern",
    "cross_keys": "pattern",
    "embedding_model": "embedding",
    "factorize_cross": "embedding",
    "signal_kept": "pattern",
}
__all__ = ["FeatureCross", "cross_keys", "embedding_model", "factorize_cross", "signal_kept"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
