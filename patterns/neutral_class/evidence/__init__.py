"""The proof behind neutral_class."""

from __future__ import annotations

EXPERIMENTS: tuple[str, ...] = ()
