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
from timing import ratio

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
    """Print the ratios."""
    columns = ["hour", "carrier", "dest"]
    for dtype in ("str", "object", "category"):
        frame = flights(dtype)

        def encoder(frame: pd.DataFrame = frame) -> object:
            return OneHotEncoder().fit_transform(frame)

        for name, n_bins in (("vocabulary", None), ("hashed", N_BINS)):
            cross = FeatureCross([columns], n_bins)
            times = ratio(lambda: cross.fit_transform(frame), encoder)  # noqa: B023
            print(f"{dtype:9} {name:10} / OneHotEncoder of the same columns   {times:.2f}")

    usual, cell = flights("str"), np.random.default_rng(0).permutation(N_ROWS)
    distinct = pd.DataFrame({"a": cell // 1000, "b": cell % 1000})
    cross, pair = FeatureCross([columns]), FeatureCross([("a", "b")])
    times = ratio(lambda: pair.fit(distinct), lambda: cross.fit(usual))
    print(f"fit of as many combinations as rows / of 40,320        {times:.2f}")

    frame = flights("str")
    hashed = FeatureCross([columns], N_BINS)

    def feature_hasher() -> object:
        text = frame["hour"].astype(str) + "_" + frame["carrier"] + "_" + frame["dest"]
        return FeatureHasher(N_BINS, input_type="string").transform(text.to_numpy()[:, np.newaxis])

    layer = keras.layers.HashedCrossing(N_BINS)
    tensors = tuple(tf.constant(frame[name].astype(str).tolist()) for name in columns)
    times = ratio(lambda: hashed.fit_transform(frame), feature_hasher)
    print(f"hashed / FeatureHasher of joined text                   {times:.2f}")
    times = ratio(lambda: hashed.fit_transform(frame), lambda: layer(tensors))
    print(f"hashed / Keras HashedCrossing, tensors ready-made       {times:.2f}")

    names = [f"category {i}" for i in range(18)]
    bins = np.asarray(keras.layers.HashedCrossing(18)((names, ["x"] * 18)))
    print(f"18 categories in 18 bins of HashedCrossing: {len(np.unique(bins))} bins in use")


if __name__ == "__main__":
    main()
