"""Ratios of the reframing pattern: its exact CRPS beside the library's, and loading the data.

Run with ``uv run python tests/benchmarks/reframing.py``. Each line is the median, over rounds, of
one time divided by another that was measured in the same round.
"""

from __future__ import annotations

import time

import numpy as np
import scoringrules
from sklearn.base import clone
from timing import ratio

from datasets import load_nyc_flights, make_rainfall
from patterns.reframing import BinnedDistributionRegressor


def main() -> None:
    """Print the ratios."""
    train, test = (make_rainfall(2000, random_state=seed) for seed in (0, 1))
    model = BinnedDistributionRegressor(n_bins=20, atoms="auto").fit(train.X, train.y)
    y = test.y.to_numpy()

    def library() -> object:
        weights = model.predict_bin_proba(test.X) / model.bin_count_
        return scoringrules.crps_ensemble(
            y,
            np.tile(model.values_, (len(y), 1)),
            ens_w=np.repeat(weights, model.bin_count_, axis=1),
            estimator="qd",
        )

    exact = ratio(lambda: model.crps(test.X, y), library)
    print(f"exact CRPS / scoringrules on the same distributions   {exact:.4f}")
    bins = np.searchsorted(model.bin_lower_, train.y, side="right") - 1
    fit = ratio(
        lambda: model.fit(train.X, train.y),
        lambda: clone(model.classifier_).fit(train.X, bins),
    )
    print(f"fit / fit of its classifier alone                     {fit:.2f}")
    started = time.perf_counter()
    load_nyc_flights()
    print(
        f"loading all flights, seconds                          {time.perf_counter() - started:.2f}"
    )


if __name__ == "__main__":
    main()
