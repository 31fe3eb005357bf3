"""Machine-learning design patterns that run on a laptop and prove what they claim.

`catalogue()` lists them, in the order of the book. Each is a subpackage of the same shape: read
``pattern.py`` to learn it, run ``example.py`` to believe it, do the exercise to own it.
"""

from patterns._kit.cards import Card, catalogue

__all__ = ["Card", "catalogue"]
