"""Ratios of the feature cross: a million rows of three columns, beside other encoders.

Run with ``uv run python tests/benchmarks/feature_crossing.py``. Each line is the median, over
rounds, of one time divided by another that was measured in the same round.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import OneHotEncoder
from timing import Comparison, arguments, ratios, report

from patterns.feature_crossing import FeatureCross

N_ROWS, N_BINS = 1_000_000, 2**16


def flights(dtype: str) -> pd.DataFrame:
    """Rows of an hour, a carrier and a destination, the last two as text."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "hour": rng.integers(24, size=N_ROWS),
            "carrier": rng.choice([f"C{i}" for i in range(16)], N_ROWS),
            "dest": rng.choice([f"D{i}" for i in range(105)], N_ROWS),
        }
    )
    return frame.astype({"carrier": dtype, "dest": dtype})


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    rows = {}
    columns = ["hour", "carrier", "dest"]
    for dtype in ("str", "object", "category"):
        frame = flights(dtype)

        def encoder(frame: pd.DataFrame = frame) -> object:
            return OneHotEncoder().fit_transform(frame)

        for name, n_bins in (("vocabulary", None), ("hashed", N_BINS)):
            cross = FeatureCross([columns], n_bins)
            times = ratios(lambda: cross.fit_transform(frame), encoder)  # noqa: B023
            rows[f"{name}, columns of {dtype}, to OneHotEncoder of the same columns"] = [times]

    usual, cell = flights("str"), np.random.default_rng(0).permutation(N_ROWS)
    distinct = pd.DataFrame({"a": cell // 1000, "b": cell % 1000})
    cross, pair = FeatureCross([columns]), FeatureCross([("a", "b")])
    times = ratios(lambda: pair.fit(distinct), lambda: cross.fit(usual))
    rows["fit of as many combinations as rows, to that of 40,320"] = [times]

    frame = flights("str")
    hashed = FeatureCross([columns], N_BINS)

    def feature_hasher() -> object:
        text = frame["hour"].astype(str) + "_" + frame["carrier"] + "_" + frame["dest"]
        return FeatureHasher(N_BINS, input_type="string").transform(text.to_numpy()[:, np.newaxis])

    layer = keras.layers.HashedCrossing(N_BINS)
    tensors = tuple(tf.constant(frame[name].astype(str).tolist()) for name in columns)
    times = ratios(lambda: hashed.fit_transform(frame), feature_hasher)
    rows["hashed, to FeatureHasher of joined text"] = [times]
    times = ratios(lambda: hashed.fit_transform(frame), lambda: layer(tensors))
    rows["hashed, to Keras HashedCrossing with tensors ready-made"] = [times]

    names = [f"category {i}" for i in range(18)]
    bins = np.asarray(keras.layers.HashedCrossing(18)((names, ["x"] * 18)))
    used = {"18 categories in 18 bins": [[len(np.unique(bins))]]}
    tables = [
        Comparison("Time of FeatureCross on a million rows", ["relative time"], rows),
        Comparison("Bins that Keras HashedCrossing uses", ["bins"], used),
    ]
    report(__file__, tables, ["scikit-learn", "pandas", "keras", "tensorflow"], options.record)


if __name__ == "__main__":
    main()
