"""Do experts vote independently? Their agreement, beside that of fair coins.

The correction of the neutral class takes experts for independent: where either label would do, each
tosses a fair coin. Experts who copy each other, or who have a habit, agree more often.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest


class Agreement(NamedTuple):
    """How often experts agree, beside the chance of independent experts who toss fair coins."""

    n_cases: int  # that count
    observed: float  # share of these cases on which all agree, or all but one
    by_chance: float  # the same for fair coins
    p_value: float  # probability of at least as much agreement by chance


def agreement_beyond_chance(votes: ArrayLike, *, known_neutral: bool) -> Agreement:
    """Test whether experts agree more often than independent experts who toss fair coins.

    A small ``p_value`` says that the default label rates of the neutral class are wrong: measure
    them on cases whose state is known, or have the experts vote out of sight of each other. A large
    one proves nothing where cases are few.

    Parameters
    ----------
    votes : array-like of shape (n_samples, n_experts)
        One row per case and one column per vote, for two labels.
    known_neutral : bool
        True if either label is known to do in each case. Then it counts on how many cases all
        experts agree: too often if they copy each other or have a habit. Two experts are enough.
        False for any cases, with four experts or more. Then it counts, among the cases on which
        they disagree, those with a single dissenter: too often if they copy, have a habit, or make
        mistakes.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        For votes of another shape, missing votes, more than two labels, too few experts, and
        experts who never disagree where ``known_neutral`` is False.

    Notes
    -----
    The p-value is that of an exact one-sided binomial test.
    """
    table = np.asarray(votes, dtype=object)
    least = 2 if known_neutral else 4
    if table.ndim != 2 or table.shape[1] < least or len(table) == 0:
        raise ValueError(
            f"votes must have shape (n_samples, n_experts), with {least} experts or more where "
            f"known_neutral is {known_neutral}; got shape {table.shape}"
        )
    codes, labels = pd.factorize(table.ravel())
    if (codes < 0).any() or len(labels) > 2:
        raise ValueError(
            f"votes must be for two labels, and none missing; got {labels.tolist()[:10]} and "
            f"{(codes < 0).sum()} missing votes"
        )
    n_votes = table.shape[1]
    ones = codes.reshape(table.shape).sum(axis=1)
    minority = np.minimum(ones, n_votes - ones)
    if known_neutral:
        counted, agreed, by_chance = len(table), minority == 0, 2.0 ** (1 - n_votes)
    else:
        counted, agreed = int((minority > 0).sum()), minority == 1
        by_chance = n_votes / (2.0 ** (n_votes - 1) - 1)
        if counted == 0:
            raise ValueError("votes must disagree on some cases; these experts always agree")
    n_agreed = int(agreed.sum())
    p_value = binomtest(n_agreed, counted, by_chance, alternative="greater").pvalue
    return Agreement(counted, n_agreed / counted, by_chance, float(p_value))
