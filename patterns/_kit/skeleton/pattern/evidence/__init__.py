"""The proof behind TITLE: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = ("few_rows",)  # the files, in the order of the page


@dataclass(frozen=True)
class Config:
    """The documented settings. Each field is a flag of `patterns measure`."""

    n_groups: int = 500  # what the comment says is the help of the flag
    seed: int = 0  # of every draw and every model


FAST = Config(n_groups=100)

GLOSSARY = {"error": Measure("root mean squared error of the means of the groups", "lower")}
