"""Answers that were computed before they are asked for: the lambda architecture's two layers.

A batch job scores the keys that are known. A lookup finds its answer, and how old it is. For a key
that the batch has not seen, or an answer that is too old, the lookup asks a model in real time.

The store is SQLite, so readers in other processes see the old answers or the new ones, and never
half of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq


@dataclass(frozen=True)
class Answer:
    """A prediction, and where it comes from."""

    value: float
    model_version: str
    scored_at: float  # seconds since 1970
    origin: Literal["batch", "online"]

    @property
    def age(self) -> float:
        """Seconds since it was computed."""
        return max(0.0, time.time() - self.scored_at)


class Answers:
    """Scored answers by key, in a file.

    Several threads and processes may read it while one loads a sink into it.

    Parameters
    ----------
    path : path
        Of the SQLite database; it is created where it is missing.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._local = threading.local()
        with self._write() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value REAL NOT NULL, "
                "model_version TEXT NOT NULL, scored_at REAL NOT NULL, origin TEXT NOT NULL)"
            )

    def load(self, sink: str | os.PathLike[str]) -> int:
        """Replace all answers by those of a completed batch job; return their number.

        Raises
        ------
        FileNotFoundError
            When the job in this sink is not complete.
        """
        sink = Path(sink)
        if not (sink / "_complete.json").exists():
            raise FileNotFoundError(f"{sink} holds no completed batch job")
        names = json.loads((sink / "_job.json").read_text("utf-8"))["key"]
        with self._write() as connection:
            connection.execute("DELETE FROM answers")
            for manifest in sorted((sink / "_manifest").iterdir()):
                predictions = sink / f"{manifest.stem}.parquet"
                if predictions.exists():
                    told = json.loads(manifest.read_text("utf-8"))
                    rows = _rows(predictions, names, told["scored_at"])
                    connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, 'batch')", rows)
            return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def lookup(
        self,
        key: Any,
        *,
        fallback: Callable[[], float] | None = None,
        model_version: str = "",
        max_age: float = float("inf"),
        keep: bool = False,
    ) -> Answer | None:
        """The answer for a key, or what a model says now.

        Parameters
        ----------
        key : the value of the key, or a tuple of the values of several key columns
        fallback : function without parameters that predicts, optional
            Asked where there is no answer, or none that is young enough.
        model_version : str
            Of the fallback's model.
        max_age : float
            Seconds. Without a fallback, an older answer is None too.
        keep : bool
            Whether an answer of the fallback is stored for the next lookup.
        """
        found = self._reader.execute(
            "SELECT value, model_version, scored_at, origin FROM answers WHERE key = ?",
            (key_text(key),),
        ).fetchone()
        if found is not None and (answer := Answer(*found)).age <= max_age:
            return answer
        if fallback is None:
            return None
        fresh = Answer(float(fallback()), model_version, time.time(), "online")
        if keep:
            row = (key_text(key), fresh.value, fresh.model_version, fresh.scored_at, fresh.origin)
            with self._write() as connection:
                connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
        return fresh

    def close(self) -> None:
        """Close this thread's connection."""
        if hasattr(self._local, "reader"):
            self._local.reader.close()
            del self._local.reader

    @property
    def _reader(self) -> sqlite3.Connection:
        """One connection per thread: SQLite's own are not shared."""
        if not hasattr(self._local, "reader"):
            self._local.reader = sqlite3.connect(self.path, timeout=30)
        return self._local.reader

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # readers go on while one writes
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def key_text(key: Any) -> str:
    """A key as the store has it: 1 and "1" are two keys, and a tuple is one key."""
    values = list(key) if isinstance(key, tuple) else [key]
    return json.dumps(values, default=str)


def _rows(path: Path, names: Sequence[str], scored_at: float) -> Iterator[tuple[Any, ...]]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches():
            keys = zip(*(batch[name].to_pylist() for name in names), strict=True)
            values, versions = batch["prediction"].to_pylist(), batch["model_version"].to_pylist()
            for key, value, version in zip(keys, values, versions, strict=True):
                yield key_text(key), value, version, scored_at
