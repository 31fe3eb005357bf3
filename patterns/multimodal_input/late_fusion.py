"""Late fusion: one model for each kind of input, and their answers combined.

What the pattern must beat. Each model is trained, tuned and served by itself; where the inputs are
independent evidence, adding up their logits is even the right thing to do.

Source: Kittler, Hatef, Duin, Matas, "On combining classifiers", IEEE Transactions on Pattern
Analysis and Machine Intelligence 20 (1998).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

FloatArray = NDArray[np.float64]


def late_average(logits: ArrayLike) -> FloatArray:
    """Average the probabilities of several models.

    Parameters
    ----------
    logits : array of shape (n_samples, n_models)

    Returns
    -------
    probabilities of shape (n_samples,)
    """
    return np.asarray(expit(_columns("logits", logits)).mean(axis=1))


def late_stacked(
    held_out_logits: ArrayLike, held_out_y: ArrayLike, logits: ArrayLike
) -> FloatArray:
    """Weight the logits of several models by a logistic regression (Wolpert's stacking).

    Parameters
    ----------
    held_out_logits : array of shape (n_held_out, n_models)
        Of rows that none of the models was trained on. On training rows the model that overfits
        most looks best and gets the greatest weight.
    held_out_y : array of shape (n_held_out,)
        Their labels, 0 or 1.
    logits : array of shape (n_samples, n_models)
        To be combined.

    Returns
    -------
    probabilities of shape (n_samples,)

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """
    held_out, new = _columns("held_out_logits", held_out_logits), _columns("logits", logits)
    if held_out.shape[1] != new.shape[1]:
        raise ValueError(
            f"held_out_logits and logits must be of the same models, got {held_out.shape[1]} and "
            f"{new.shape[1]} columns"
        )
    stacker = LogisticRegression().fit(held_out, np.ravel(held_out_y))
    return np.asarray(stacker.predict_proba(new)[:, 1])


def _columns(name: str, logits: ArrayLike) -> FloatArray:
    array = np.asarray(logits, dtype=float)
    if array.ndim != 2:
        raise ValueError(f"{name} must have shape (n_samples, n_models), got {array.shape}")
    return array
