"""Ways to score files of rows: the pattern's, and what a good engineer would write instead."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from patterns.batch_serving.evidence.flights import INPUTS, Delays
from patterns.batch_serving.pattern import score


def row_by_row(model: Delays, source: Path, sink: Path) -> None:
    """Ask for each row alone."""
    rows = pq.read_table(source, use_threads=False).to_pylist()
    answers = [model.predict_one(row) for row in rows]
    content = {"id": [row["id"] for row in rows], "prediction": answers}
    pq.write_table(pa.table(content), f"{sink}.parquet")


def whole_frame(model: Delays, source: Path, sink: Path) -> None:
    """Read all into a pandas frame."""
    frame = pd.read_parquet(source)
    rows = pa.Table.from_pandas(frame[list(INPUTS)], preserve_index=False)
    answers = model.predict(rows.combine_chunks().to_batches()[0])
    pd.DataFrame({"id": frame["id"], "prediction": answers}).to_parquet(f"{sink}.parquet")


def whole_table(model: Delays, source: Path, sink: Path) -> None:
    """Read all into an Arrow table."""
    rows = pq.read_table(source, use_threads=False).combine_chunks()
    answers = model.predict(rows.to_batches()[0])
    pq.write_table(pa.table({"id": rows["id"], "prediction": answers}), f"{sink}.parquet")


def streamed(model: Delays, source: Path, sink: Path) -> None:
    """The pattern, on one thread as the others."""
    score(model, source, sink, key="id", n_workers=1)


def streamed_in_little(model: Delays, source: Path, sink: Path) -> None:
    """The same in smaller chunks."""
    score(model, source, sink, key="id", n_workers=1, memory=4 * 2**20, rows_per_partition=2**16)


WAYS = {
    "row_by_row": row_by_row,
    "whole_frame": whole_frame,
    "whole_table": whole_table,
    "streamed": streamed,
}
