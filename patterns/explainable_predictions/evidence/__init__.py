"""The proof behind explainable predictions: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    seed: int = 0  # of every draw and every model


FAST = Config()

GLOSSARY: dict[str, Measure] = {}
