"""The proof behind feature_crossing."""

from __future__ import annotations

EXPERIMENTS: tuple[str, ...] = ()
