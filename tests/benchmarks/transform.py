"""Ratios of the transform pattern: its two routes beside the bare booster and other ways to serve.

Run with ``uv run python tests/benchmarks/transform.py``. A line is processor time relative to the
bare booster, whose features are ready: of one row at the median and at the 99th percentile, and of
ten thousand rows. Calls are made in turn with those of the booster; each number is the median over
rounds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from timing import Comparison, arguments, report

from datasets import make_bike_rentals
from patterns.transform import OnnxTrees, ServingArtifact
from patterns.transform.evidence.artifact import N_ROUNDS, PARAMS, beside, pipeline
from patterns.transform.evidence.rides import RIDES, definition

N_CALLS = 200
ROUNDS = 5


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    train, test = (make_bike_rentals(10_000, random_state=seed, **RIDES) for seed in (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rides.zip"
        ServingArtifact.fit(definition(), train.X, train.y, PARAMS, N_ROUNDS).save(path)
        artifact = ServingArtifact.load(path)
        onnx = ServingArtifact.load(path, engine=OnnxTrees)
        threads = ServingArtifact.load(path, n_threads=0)  # of all processors
    scikit = pipeline().fit(train.X, train.y)
    trees = OnnxTrees(artifact.booster)
    features = artifact.transform.transform(test.X)
    table = pa.Table.from_pandas(test.X, preserve_index=False)
    rows: list[Any] = test.X.head(N_CALLS).to_dict("records")

    ways: dict[str, tuple[Any, Any]] = {
        "bare booster": (
            lambda i: artifact.booster.inplace_predict(features[i : i + 1]),
            lambda i: artifact.booster.inplace_predict(features),
        ),
        "transform alone": (
            lambda i: artifact.transform.transform_one(rows[i]),
            lambda i: artifact.transform.transform(table),
        ),
        "artifact": (lambda i: artifact.predict_one(rows[i]), lambda i: artifact.predict(table)),
        "artifact, frames": (
            lambda i: artifact.predict(test.X.iloc[i : i + 1]),
            lambda i: artifact.predict(test.X),
        ),
        "artifact, all threads": (
            lambda i: threads.predict_one(rows[i]),
            lambda i: threads.predict(table),
        ),
        "artifact, ONNX": (lambda i: onnx.predict_one(rows[i]), lambda i: onnx.predict(table)),
        "ONNX trees alone": (
            lambda i: trees.inplace_predict(features[i : i + 1]),
            lambda i: trees.inplace_predict(features),
        ),
        "scikit-learn pipeline": (
            lambda i: scikit.predict(pd.DataFrame([rows[i]])),
            lambda i: scikit.predict(test.X),
        ),
    }
    bare_one, bare_many = ways["bare booster"]
    rows_of_the_table = {}
    for name, (one, many) in ways.items():
        rounds = [beside(one, bare_one, N_CALLS) for _ in range(ROUNDS)]
        middle, slow = (
            [float(np.quantile(own, q) / np.quantile(bare, q)) for own, bare in rounds]
            for q in (0.5, 0.99)
        )
        own, bare = beside(many, bare_many, ROUNDS)
        rows_of_the_table[name] = [middle, slow, [float(own.min() / bare.min())]]
    title = "Processor time, to the bare booster"
    columns = ["one row, median", "one row, 99th percentile", "10,000 rows, least of all rounds"]
    packages = ["xgboost", "onnxruntime", "scikit-learn", "pyarrow"]
    table = Comparison(title, columns, rows_of_the_table)
    report(__file__, [table], packages, options.record)


if __name__ == "__main__":
    main()
