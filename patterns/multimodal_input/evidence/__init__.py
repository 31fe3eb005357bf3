"""The proof behind multimodal_input."""

from __future__ import annotations

EXPERIMENTS: tuple[str, ...] = ()
