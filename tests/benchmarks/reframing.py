"""Ratios of the reframing pattern: its exact CRPS beside the library's, and loading the data.

Run with ``uv run python tests/benchmarks/reframing.py``. Each line is the median, over rounds, of
one time divided by another that was measured in the same round.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scoringrules
from sklearn.base import clone
from timing import Comparison, arguments, ratios, report

from datasets import load_nyc_flights, make_rainfall
from datasets._bundled import DATA
from patterns.reframing import BinnedDistributionRegressor


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
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

    exact = ratios(lambda: model.crps(test.X, y), library)
    bins = np.searchsorted(model.bin_lower_, train.y, side="right") - 1
    fit = ratios(
        lambda: model.fit(train.X, train.y),
        lambda: clone(model.classifier_).fit(train.X, bins),
    )
    load = ratios(load_nyc_flights, lambda: pd.read_parquet(DATA / "nyc_flights.parquet"))
    rows = {
        "exact CRPS of 2,000 forecasts, to scoringrules on the same distributions": [exact],
        "fit, to the fit of its classifier alone": [fit],
        "loading and verifying all flights, to pandas.read_parquet": [load],
    }
    table = Comparison("Time of the binned distribution", ["relative time"], rows)
    packages = ["scikit-learn", "scoringrules", "pandas", "pyarrow"]
    report(__file__, [table], packages, options.record)


if __name__ == "__main__":
    main()
