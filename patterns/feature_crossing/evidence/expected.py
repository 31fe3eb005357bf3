"""Scores under the true probabilities, so that the labels of the test rows add no noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def accuracy(truth: FloatArray, probability: FloatArray) -> float:
    """Share of right classes, averaged over the labels that the truth would draw."""
    return float(np.where(probability > 0.5, truth, 1 - truth).mean())


def log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Log loss, averaged over the labels that the truth would draw."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)))
