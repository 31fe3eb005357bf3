"""Drift of attributions: what predictions rest on now, and what they rested on before."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp


class HasAttributions(Protocol):
    """What `explain` gives."""

    values: Any
    link: str

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of the columns of ``values``."""


def attribution_drift(reference: HasAttributions, current: HasAttributions) -> pd.DataFrame:
    """Compare the attributions of one model on two sets of rows.

    A feature whose inputs drift but whose attributions do not is one that the model hardly uses. It
    does not say whether predictions became worse: that needs labels.

    Parameters
    ----------
    reference, current : attributions of one output, against the same baseline

    Returns
    -------
    frame, one row per feature, the largest distance first
        ``share_before``, ``share_now``: of the sum of absolute attributions. ``mean_change``: of
        the attribution, in units of the link. ``distance``, ``p_value``: two-sample test of
        Kolmogorov and Smirnov. A p-value is of one feature, so divide the level by their number.

    Raises
    ------
    ValueError
        For attributions of other features, of another link or of several outputs.
    """
    if reference.feature_names != current.feature_names or reference.link != current.link:
        raise ValueError(
            f"both must have the same features and link; got {reference.feature_names} in "
            f"{reference.link} and {current.feature_names} in {current.link}"
        )
    before, now = np.asarray(reference.values), np.asarray(current.values)
    if before.ndim != 2 or now.ndim != 2:
        raise ValueError("attributions have several outputs; choose one with output(name)")
    tests = [ks_2samp(before[:, j], now[:, j], method="asymp") for j in range(before.shape[1])]
    table = pd.DataFrame(
        {
            "share_before": _shares(before),
            "share_now": _shares(now),
            "mean_change": now.mean(axis=0) - before.mean(axis=0),
            "distance": [test.statistic for test in tests],
            "p_value": [test.pvalue for test in tests],
        },
        index=pd.Index(reference.feature_names, name="feature"),
    )
    return table.sort_values("distance", ascending=False, kind="stable")


def _shares(values: Any) -> Any:
    sums = np.abs(values).sum(axis=0)
    return sums / (sums.sum() or 1)
