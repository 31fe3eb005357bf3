"""Functions of numbers from 0 to 1 whose minimum is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

HARTMANN6_MINIMUM = -3.322368011415515
BRANIN_MINIMUM = 0.39788735772973816
ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x: ArrayLike) -> float:
    """Six parameters that all matter, and several valleys."""
    inner = (A * (np.asarray(x, dtype=float) - P) ** 2).sum(axis=1)
    return float(-(ALPHA * np.exp(-inner)).sum())


def branin(x: ArrayLike) -> float:
    """Three equal minima; only the first two numbers of ``x`` matter."""
    u, v = np.asarray(x, dtype=float)[:2] * 15 - [5, 0]
    curved = v - 5.1 / (4 * np.pi**2) * u**2 + 5 / np.pi * u - 6
    return float(curved**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(u) + 10)
