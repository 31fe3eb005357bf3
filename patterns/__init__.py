"""Machine-learning design patterns that run on a laptop and prove what they claim.

`catalogue()` lists them, in the order of the book. Each is a subpackage of the same shape: read
``pattern.py`` to learn it, run ``example.py`` to see it, measure its ``evidence`` to believe it, do
the exercise to own it.
"""

import os

from patterns._kit.cards import Card, catalogue

__all__ = ["Card", "catalogue"]

# TensorFlow reads these when it is imported. Without them it greets on every import, and sums in an
# order that depends on the processor.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
