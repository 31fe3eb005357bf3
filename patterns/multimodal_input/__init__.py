"""Multimodal input: encode each kind of input in its own way, and join them in one model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patterns.multimodal_input.late_fusion import late_average, late_stacked
    from patterns.multimodal_input.pattern import (
        Encoder,
        ModalityDropout,
        column_layer,
        image_encoder,
        model_inputs,
        multimodal_model,
        pool_tokens,
        tabular_encoder,
        text_encoder,
    )

_HOME = {
    "Encoder": "pattern",
    "ModalityDropout": "pattern",
    "column_layer": "pattern",
    "image_encoder": "pattern",
    "late_average": "late_fusion",
    "late_stacked": "late_fusion",
    "model_inputs": "pattern",
    "multimodal_model": "pattern",
    "pool_tokens": "pattern",
    "tabular_encoder": "pattern",
    "text_encoder": "pattern",
}
__all__ = [
    "Encoder",
    "ModalityDropout",
    "column_layer",
    "image_encoder",
    "late_average",
    "late_stacked",
    "model_inputs",
    "multimodal_model",
    "pool_tokens",
    "tabular_encoder",
    "text_encoder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
