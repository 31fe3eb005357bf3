"""The collision law for cells that are not equally frequent.

Source: the law itself is elementary; the integral is that of Cressie, Davis, Folks and Policello,
"The moment-generating function and negative integer moments" (1981).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def signal_kept_at(frequencies: ArrayLike, n_bins: ArrayLike) -> NDArray[np.float64]:
    """Share of a cross's signal that is left when cells of these frequencies are hashed.

    Cells that share a bin share a coefficient: the mean of their effects, weighted by frequency. A
    frequent cell hardly notices that a rare one fell into its bin, so more is left than of equally
    frequent cells. As in `signal_kept`, effects are unrelated and rows are plenty; what is left is
    the expected share of the variance over rows.

    Parameters
    ----------
    frequencies : array of shape (n_cells,)
        How often each combination occurs, as a count or a share; those of 0 do not count.
    n_bins : int or array-like of int
        The answer has its shape.

    Raises
    ------
    ValueError
        For a negative or missing frequency, if all are 0, and for less than one bin.
    """
    share = np.asarray(frequencies, dtype=float)
    bins = np.asarray(n_bins, dtype=float)
    if share.ndim != 1 or not np.all(share >= 0) or not 0 < share.sum() < np.inf:
        raise ValueError("frequencies must be a list of finite numbers of at least 0, not all 0")
    if not np.all(bins >= 1):
        raise ValueError(f"n_bins must be at least 1, got {bins}")
    # To three digits, so that a million cells have some thousands of different shares.
    rounded = np.exp(np.round(np.log(share[share > 0] / share.sum()), 3))
    share, n_alike = np.unique(rounded / rounded.sum(), return_counts=True)
    # With p the share of a cell and S the sum of those that fall into its bin, the cell keeps
    # p² / (p + S). The mean of 1 / (p + S) is the integral over t of exp(-t p) times the mean of
    # exp(-t S), which is a product over cells. Over log t the trapezoidal rule is exact to many
    # digits, because the integrand vanishes at both ends.
    step = 0.2
    grid = np.arange(-np.log(share[-1]) - 20, -np.log(share[0]) + 4, step)

    def kept(bins: float) -> float:
        others = np.log1p(-1 / bins) if bins > 1 else -np.inf
        total = 0.0
        for log_t in grid:
            decay = -np.exp(log_t) * share
            factor = np.logaddexp(others, decay - np.log(bins))  # of a cell, in the product
            terms = np.exp(decay + n_alike @ factor - factor)
            total += np.exp(log_t) * np.sum(n_alike * share**2 * terms)
        return total * step

    return np.reshape([kept(number) for number in bins.flat], bins.shape)
