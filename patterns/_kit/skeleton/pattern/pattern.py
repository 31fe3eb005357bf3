"""TITLE: what a reader takes home. It imports third-party packages only.

A stand-in is here, so that everything runs from the start: means of groups, drawn towards the mean
of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def shrunken_means(y: ArrayLike, group: ArrayLike, strength: float = 4.0) -> NDArray[np.float64]:
    """Mean of each group, drawn towards the mean of all rows.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Numbers.
    group : array-like of shape (n_samples,)
        The group of each row.
    strength : float
        The mean of all counts as that many further rows of each group.

    Returns
    -------
    array of shape (n_groups,)
        In the order of ``np.unique(group)``.

    Raises
    ------
    ValueError
        If ``y`` and ``group`` differ in shape, or if ``strength`` is negative.

    References
    ----------
    Say where the method comes from.
    """
    values, groups = np.asarray(y, float), np.asarray(group)
    if values.ndim != 1 or values.shape != groups.shape:
        raise ValueError(
            f"y and group must be of one shape (n_samples,), got {values.shape} and {groups.shape}"
        )
    if strength < 0:
        raise ValueError(f"strength must be 0 or more, got {strength}")
    _, position = np.unique(groups, return_inverse=True)
    # --8<-- [start:ex-shrink]
    count = np.bincount(position)
    total = np.bincount(position, weights=values)
    means: NDArray[np.float64] = (total + strength * values.mean()) / (count + strength)
    return means
    # --8<-- [end:ex-shrink]
