"""Handwritten digits in three parts: to train, to choose, and to judge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Part = tuple[NDArray[np.float64], NDArray[Any]]


def digits(seed: int, n_train: int = 700, n_validation: int = 400) -> dict[str, Part]:
    """Draw rows of each part; all others judge. Pixels are scaled to the range from 0 to 1."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))
    cuts = [n_train, n_train + n_validation]
    parts = zip(("train", "validation", "honest"), np.split(rows, cuts), strict=True)
    return {part: (X[of] / 16, y[of]) for part, of in parts}
