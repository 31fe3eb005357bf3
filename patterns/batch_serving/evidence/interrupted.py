"""Jobs that are killed in the middle, by a model that ends its own process.

Each job is a script that knows nothing of an earlier attempt but what it finds on the disk. The
model writes down how many rows were in the sink at each of its calls, and what it was asked for.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from patterns.batch_serving.pattern import COPIES, SinkError, score

CHUNKS_PER_FILE = 5
KILOMETERS = 1.609344  # in a mile


class Mortal:
    """Answers with the distance, and ends its process with SIGKILL at some call."""

    version = "miles"
    schema: Mapping[str, Mapping[str, Any]] = {"distance": {"type": "number"}}

    def __init__(self, log: Path, sink: Path, dies_at: int) -> None:
        self.log, self.sink, self.dies_at, self.n_calls = log, sink, dies_at, 0

    def predict(self, X: pa.RecordBatch) -> NDArray[np.float64]:
        """The distances."""
        self.n_calls += 1
        if self.n_calls == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        with self.log.open("a") as log:
            log.write(f"{X.num_rows},{len(answers(self.sink))}\n")
        return np.asarray(X["distance"].to_numpy(zero_copy_only=False), dtype=np.float64)


class Retrained(Mortal):
    """The model of the day after: the same distances in kilometers."""

    version = "kilometers"

    def predict(self, X: pa.RecordBatch) -> NDArray[np.float64]:
        """The distances."""
        return super().predict(X) * KILOMETERS


def answers(sink: Path) -> pd.DataFrame:
    """What a reader finds in a sink: key and prediction, as far as they can be read."""
    tables = [pd.DataFrame({"id": [], "prediction": []})]
    for path in sorted(sink.glob("*.csv")):
        tables.append(pd.read_csv(path, names=["id", "prediction"], dtype=str))
    tables += [pq.read_table(path).to_pandas() for path in sorted(sink.glob("*.parquet"))]
    return pd.concat(tables)[["id", "prediction"]]


def start_again(model: Mortal, source: Path, sink: Path, chunk: int) -> None:
    """One file, renamed when it is whole; nothing of an earlier attempt is used."""
    begun = sink / "answers.csv.partial"
    begun.unlink(missing_ok=True)
    for path in sorted(source.iterdir()):
        _append(model, path, begun, chunk)
    os.replace(begun, sink / "answers.csv")


def append(model: Mortal, source: Path, sink: Path, chunk: int) -> None:
    """One file that grows."""
    for path in sorted(source.iterdir()):
        _append(model, path, sink / "answers.csv", chunk)


def skip_existing(model: Mortal, source: Path, sink: Path, chunk: int) -> None:
    """One file per file, done when it exists."""
    for path in sorted(source.iterdir()):
        if not (sink / f"{path.stem}.csv").exists():
            _append(model, path, sink / f"{path.stem}.csv", chunk)


def rename_each(model: Mortal, source: Path, sink: Path, chunk: int) -> None:
    """One file per file, done when it exists, and renamed when it is whole."""
    for path in sorted(source.iterdir()):
        begun, whole = sink / f"{path.stem}.partial", sink / f"{path.stem}.csv"
        if not whole.exists():
            begun.unlink(missing_ok=True)
            _append(model, path, begun, chunk)
            os.replace(begun, whole)


def _append(model: Mortal, path: Path, out: Path, chunk: int) -> None:
    with pq.ParquetFile(path) as file, out.open("a") as answered:
        for rows in file.iter_batches(chunk, columns=["id", "distance"]):
            predicted = model.predict(rows)
            lines = zip(rows["id"].to_pylist(), predicted.tolist(), strict=True)
            answered.writelines(f"{key},{value}\n" for key, value in lines)
            answered.flush()


def batch_serving(model: Mortal, source: Path, sink: Path, chunk: int) -> None:
    """The pattern; key and distance are a little over 16 bytes per row."""
    job = partial(score, model, source, sink, key="id", n_workers=1, memory=COPIES * 24 * chunk)
    try:
        job()
    except SinkError:  # it refuses to go on with what another model has scored
        job(replace=True)


JOBS: dict[str, Callable[[Mortal, Path, Path, int], None]] = {
    "append": append,
    "skip_existing": skip_existing,
    "rename_each": rename_each,
    "start_again": start_again,
    "batch_serving": batch_serving,
}


def run(name: str, folder: Path, chunk: int, dies_at: int, model: type[Mortal] = Mortal) -> None:
    """One attempt of a job."""
    sink = folder / name
    sink.mkdir(exist_ok=True)
    JOBS[name](model(folder / f"{name}.log", sink, dies_at), folder / "source", sink, chunk)


def run_killed(folder: Path, chunk: int, dies_at: int) -> None:
    """The first attempt of each job, in a process of its own, which does not survive it.

    Call it where no thread is running: a copy of a process has only one.
    """
    for name in JOBS:
        child = os.fork()
        if child == 0:
            run(name, folder, chunk, dies_at)
            os._exit(0)
        if os.waitpid(child, 0)[1] != signal.SIGKILL:
            raise RuntimeError(f"{name} was not killed")
