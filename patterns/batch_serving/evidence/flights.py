"""Flights as a warehouse has them, files of them, and a model that scores them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xgboost
from numpy.typing import NDArray

from datasets import load_nyc_flights

FloatArray = NDArray[np.float64]
CODES = ("origin", "dest", "carrier")
INPUTS = ("departure", *CODES, "distance")
N_TRAIN = 20_000


class Delays:
    """The probability that a flight arrives over 15 minutes late.

    It fits the protocol of the pattern: ``version``, ``schema`` and ``predict``. `predict_one`
    answers a request, and computes the features of one row in plain Python.
    """

    schema: Mapping[str, Mapping[str, Any]] = {
        "departure": {"type": "time"},
        **{name: {"type": "category"} for name in CODES},
        "distance": {"type": "number"},
    }
    version = "delays-1"

    def __init__(self, train: pd.DataFrame, n_rounds: int, seed: int) -> None:
        self.vocabulary = {name: sorted(set(train[name])) for name in CODES}
        self.position = {
            name: {value: i for i, value in enumerate(values)}
            for name, values in self.vocabulary.items()
        }
        rows = pa.RecordBatch.from_pandas(train[list(INPUTS)], preserve_index=False)
        params = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1, "seed": seed}
        data = xgboost.DMatrix(self.features(rows), train["late"], nthread=1)
        self.booster = xgboost.train(params, data, n_rounds)

    def features(self, rows: pa.RecordBatch) -> FloatArray:
        """Hour of the day in UTC, positions of the codes, miles; shape (n_rows, 5)."""
        hour = pc.utf8_slice_codeunits(rows["departure"], 11, 13).cast(pa.int64())
        columns = [hour.to_numpy(zero_copy_only=False)]
        for name in CODES:
            vocabulary = pa.array(self.vocabulary[name], rows[name].type)
            codes = pc.fill_null(pc.index_in(rows[name], vocabulary), -1)
            columns.append(codes.to_numpy(zero_copy_only=False))
        columns.append(rows["distance"].to_numpy(zero_copy_only=False))
        return np.column_stack(columns).astype(np.float64)

    def predict(self, X: pa.RecordBatch) -> FloatArray:
        """Of each row."""
        found = self.booster.inplace_predict(self.features(X), validate_features=False)
        return np.asarray(found, dtype=np.float64)

    def predict_one(self, row: Mapping[str, Any]) -> float:
        """Of one row."""
        codes = [self.position[name].get(row[name], -1) for name in CODES]
        features = np.array([[int(row["departure"][11:13]), *codes, row["distance"]]], np.float64)
        return float(self.booster.inplace_predict(features, validate_features=False)[0])


def flights() -> pd.DataFrame:
    """The flights that arrived: inputs, ``late`` and ``month``."""
    columns = ["time_hour", "minute", "month", *CODES, "distance", "arr_delay"]
    table = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
    departure = table["time_hour"].dt.tz_localize(None) + pd.to_timedelta(table["minute"], "min")
    instants = pa.array(departure).cast(pa.timestamp("s"))
    table["departure"] = pc.strftime(instants, "%Y-%m-%dT%H:%M:%SZ").to_pandas().to_numpy()
    table["late"] = (table["arr_delay"] > 15).astype(float)
    return table[[*INPUTS, "late", "month"]].reset_index(drop=True)


def drawn(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Some flights, with replacement, and a key."""
    rows = table.iloc[rng.integers(0, len(table), n)].reset_index(drop=True)
    rows.insert(0, "id", np.arange(n))
    return rows


def write(rows: pd.DataFrame, folder: Path, n_files: int) -> Path:
    """Files of keys and inputs, as an export has them."""
    folder.mkdir(parents=True)
    for i, at in enumerate(np.array_split(np.arange(len(rows)), n_files)):
        table = pa.Table.from_pandas(rows.iloc[at][["id", *INPUTS]], preserve_index=False)
        pq.write_table(table, folder / f"flights-{i:03d}.parquet", row_group_size=2**16)
    return folder
