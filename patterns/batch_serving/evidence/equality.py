"""The same rows, asked one by one and scored in chunks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import log_loss

from patterns._kit.evidence import Claim, Experiment, Result, metric
from patterns.batch_serving.evidence import Config
from patterns.batch_serving.evidence.flights import (
    INPUTS,
    N_TRAIN,
    Delays,
    FloatArray,
    drawn,
    flights,
    write,
)
from patterns.batch_serving.pattern import score

MISTAKEN_CHUNK = 256


class OfChunks(Delays):
    """The same trees, but miles are ranked among the rows that are there, as in training."""

    def features(self, rows: pa.RecordBatch) -> FloatArray:
        """With ranks from 0 to 1 in place of miles."""
        features = super().features(rows)
        ranks = pd.Series(features[:, -1]).rank(pct=True).to_numpy()
        return np.column_stack([features[:, :-1], ranks])


class OfTraining(OfChunks):
    """Ranks among the miles of the training rows, learned once."""

    def __init__(self, train: pd.DataFrame, n_rounds: int, seed: int) -> None:
        self.miles = np.sort(train["distance"].to_numpy(dtype=float))
        super().__init__(train, n_rounds, seed)

    def features(self, rows: pa.RecordBatch) -> FloatArray:
        """With ranks from 0 to 1 in place of miles."""
        features = Delays.features(self, rows)
        ends = (
            np.searchsorted(self.miles, features[:, -1], side=side) for side in ("left", "right")
        )
        ranks = sum(ends) / (2 * len(self.miles))
        return np.column_stack([features[:, :-1], ranks])


def measure(config: Config) -> Result:
    """Predictions in several ways, compared with those of requests to the last bit."""
    rng = np.random.default_rng(config.seed)
    table = flights()
    train = drawn(table, N_TRAIN, rng)
    model = Delays(train, config.n_rounds, config.seed)
    test = drawn(table, config.n_equal, rng)
    # An export is rarely in random order: here flights are sorted by their destination.
    test = test.sort_values(["dest", "id"]).reset_index(drop=True)
    requests: list[Any] = test.to_dict("records")
    online = np.array([model.predict_one(row) for row in requests])
    found = {
        "one_by_one": online,
        "whole": model.predict(pa.RecordBatch.from_pandas(test[list(INPUTS)])),
    }
    with tempfile.TemporaryDirectory() as folder:
        source = write(test, Path(folder) / "source", n_files=3)
        for name, memory in {"chunks_of_16": 8_000, "large_chunks": 2**26}.items():
            sink = Path(folder) / name
            score(model, source, sink, key="id", memory=memory, n_workers=2)
            scored = pq.read_table(sink, columns=["id", "prediction"]).to_pandas()
            found[name] = scored.set_index("id")["prediction"].loc[test["id"]].to_numpy()
    metrics: dict[str, float] = {}
    for name, predicted in found.items():
        metrics[f"flights.{name}.differ"] = float(np.mean(predicted != online))
        metrics[f"flights.{name}.log_loss"] = log_loss(test["late"], predicted)
    for name, kind in {"of_training": OfTraining, "of_each_chunk": OfChunks}.items():
        ranked = kind(train, config.n_rounds, config.seed)
        pieces = [
            ranked.predict(
                pa.RecordBatch.from_pandas(test[list(INPUTS)].iloc[i : i + MISTAKEN_CHUNK])
            )
            for i in range(0, len(test), MISTAKEN_CHUNK)
        ]
        alone = ranked.predict(pa.RecordBatch.from_pandas(test[list(INPUTS)]))
        metrics[f"ranks.{name}.differ"] = float(np.mean(np.concatenate(pieces) != alone))
        metrics[f"ranks.{name}.log_loss"] = log_loss(test["late"], np.concatenate(pieces))
    return Result(metrics)


CLAIMS = [
    Claim(
        "batch-equals-online",
        "parity",
        "In chunks of any size, a share of {at_most} of the predictions differs in any bit from "
        "those of single requests.",
        lambda m: max(
            m[f"flights.{name}.differ"] for name in ("whole", "chunks_of_16", "large_chunks")
        ),
        at_most=0.0,
    ),
    Claim(
        "no-better-forecast",
        "limit",
        "The log loss of a batch differs by at most {at_most} from that of single requests: no "
        "forecast gets better.",
        lambda m: abs(m["flights.large_chunks.log_loss"] - m["flights.one_by_one.log_loss"]),
        at_most=0.0,
    ),
    Claim(
        "statistics-of-chunks",
        "mechanism",
        "A feature that is computed from the rows of a chunk changes at least {at_least} of the "
        "predictions with the chunk's size.",
        metric("ranks.of_each_chunk.differ"),
        at_least=0.3,
    ),
]

EXPERIMENT = Experiment(
    question="Does a batch give what single requests give?",
    data="real",
    measure=measure,
    roles={"one_by_one": "baseline", "large_chunks": "pattern", "chunks_of_16": "pattern"},
    claims=CLAIMS,
)
