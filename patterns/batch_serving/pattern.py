"""Batch serving: score many rows at a time, where they are, each exactly once.

Nobody waits for these predictions, so they are computed chunk by chunk: memory does not grow with
the rows, all cores work, and each answer comes with its key. The rows are cut into partitions. A
partition is scored by one function, wherever that runs, and becomes visible by a rename. What was
committed stays, so a job that was killed goes on where it was.

The file has five parts: what a model must be; rows read in chunks; good rows told from bad ones; a
partition scored and committed; and the job. A reader in a hurry begins with `score_partition`.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 5.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import pickle
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import ArrayLike, NDArray

FOLDERS = ("_manifest", "_quarantine", "_keys")
FORMAT = 1  # of what stands in a sink beside the predictions
FILES = {  # of one partition, each in its folder of the sink; readers of Parquet skip "_"
    "predictions": ("", ".parquet"),
    "quarantine": ("_quarantine", ".parquet"),
    "keys": ("_keys", ".npy"),
}
MOST_ROWS = 65_536  # of a chunk: more are no faster
COPIES = 8  # of a row that are in memory at a time: raw, typed, as features, and what they pass
TAIL = 65_536  # bytes at the end of a file: a Parquet file has its statistics there
MOST_SHARED = 1_000_000  # keys of several rows that are worth a list
KEYS_AT_A_TIME = 500_000  # of all partitions, compared in memory
NUMBER = r"^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|[iI]nf(inity)?|[nN]a[nN])\s*$"


# --- the model -----------------------------------------------------------------------------------


class Model(Protocol):
    """Whatever predicts from columns and says which version of it did.

    Several threads ask it at once. ``schema`` names the inputs and says of each whether its "type"
    is "number". ``predict`` takes them as an Arrow record batch and returns one number per row. It
    raises a ValueError for rows that it refuses; where the error has ``violations`` with ``rows``
    and ``problem``, they say which rows, and otherwise they are searched for.
    """

    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def schema(self) -> Mapping[str, Mapping[str, Any]]: ...  # noqa: D102
    def predict(self, X: Any) -> ArrayLike: ...  # noqa: D102


def made(model: Model | Callable[[], Model]) -> Model:
    """A model, or what a function that makes one returns."""
    is_model = hasattr(model, "predict") and not isinstance(model, type)
    found: Any = model() if callable(model) and not is_model else model
    if lacks := [name for name in ("predict", "version", "schema") if not hasattr(found, name)]:
        raise TypeError(
            "model must have predict, version and schema, or be a function without parameters "
            f"that returns such a model; {found!r:.60} has no {lacks[0]}"
        )
    return found


class BadInputError(ValueError):
    """A file or a row that cannot be scored: ``source``, ``row`` (from 0) or None, ``reason``."""

    def __init__(self, source: str, row: int | None, reason: str) -> None:
        super().__init__(source, row, reason)
        self.source, self.row, self.reason = source, row, reason

    def __str__(self) -> str:
        """File, row and reason."""
        at = "" if self.row is None else f", row {self.row}"
        return f"{self.source}{at}: {self.reason}"


class SinkError(ValueError):
    """A sink that holds something else than this job's own results."""


class Interrupted(RuntimeError):  # noqa: N818
    """Another partition has failed, or the job was interrupted."""


# --- rows, in chunks -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A partition: some row groups of a Parquet file, or a whole file. The unit of commit."""

    path: str  # as its filesystem opens it
    source: str  # the same, relative to the source
    fingerprint: str
    first_row: int = 0  # its number within the file
    rows: int | None = None  # None where only reading it will tell
    row_groups: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """Of its files in the sink; no two partitions share it."""
        return f"part-{quote(self.source, safe='')}-{(self.row_groups or (0,))[0]:05d}"


@dataclass(frozen=True)
class Job:
    """What all partitions have in common; it travels to whoever scores one."""

    sink: Path
    key: tuple[str, ...]
    filesystem: pafs.FileSystem
    on_error: Literal["stop", "quarantine"] = "stop"
    memory: int = 64 * 2**20
    tally: Callable[[pa.RecordBatch], Mapping[str, int]] | None = None

    def path(self, part: Part, kind: str) -> Path:
        """Where a file of a partition is once it is committed."""
        folder, suffix = FILES[kind]
        return self.sink / folder / f"{part.name}{suffix}"

    def manifest(self, part: Part) -> Path:
        """The file that says that a partition is committed, and what it is made of."""
        return self.sink / "_manifest" / f"{part.name}.json"


def rows_per_chunk(bytes_per_row: float, memory: int) -> int:
    """How many rows to score at a time: a power of two, at most `MOST_ROWS`.

    Parameters
    ----------
    bytes_per_row : float
        Of the columns that are read, without compression: at least 8.
    memory : int
        Bytes for all the copies of a chunk; one row is scored even where it is too large for them.
    """
    # --8<-- [start:ex-chunk]
    affordable = max(1, int(memory / (COPIES * bytes_per_row)))
    return min(MOST_ROWS, 2 ** (affordable.bit_length() - 1))
    # --8<-- [end:ex-chunk]


@dataclass(frozen=True)
class Chunk:
    """Rows that are scored at once, and what is wrong with some of them."""

    rows: pa.RecordBatch
    bad: Mapping[int, str] = field(default_factory=dict)  # the reason, by position


def read_chunks(part: Part, job: Job, schema: Mapping[str, Mapping[str, Any]]) -> Iterator[Chunk]:
    """The rows of a partition, in order: key and inputs, and no other columns.

    Raises
    ------
    BadInputError
        For a file that cannot be read, or lacks a column.
    """
    columns = list(dict.fromkeys([*job.key, *schema]))
    numbers = [name for name, spec in schema.items() if spec["type"] == "number"]
    try:
        with job.filesystem.open_input_file(part.path) as file:
            if part.path.endswith(".csv"):
                yield from _csv_chunks(file, part, columns, numbers, job.memory)
                return
            parquet = pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
            _check_columns(part, columns, parquet.schema_arrow.names)
            for name in numbers:
                kind = parquet.schema_arrow.field(name).type
                if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                    reason = f"its column {name!r} has the type {kind}; it must be a number"
                    raise BadInputError(part.source, None, reason)
            groups = list(part.row_groups or range(parquet.num_row_groups))
            size = _bytes_per_row(parquet.metadata, groups, columns)
            options = {"row_groups": groups, "columns": columns, "use_threads": False}
            for rows in parquet.iter_batches(rows_per_chunk(size, job.memory), **options):
                yield Chunk(_with_plain_keys(rows.select(columns), job.key))
            if not sum(parquet.metadata.row_group(group).num_rows for group in groups):
                fields = [parquet.schema_arrow.field(name) for name in columns]
                rows = pa.RecordBatch.from_pylist([], pa.schema(fields))
                yield Chunk(_with_plain_keys(rows, job.key))
    except pa.ArrowException as error:
        raise BadInputError(part.source, None, f"cannot be read: {error!s:.300}") from None
    except OSError as error:
        if error.errno is not None:  # of the system: the file itself may be well
            raise
        raise BadInputError(part.source, None, f"cannot be read: {error!s:.300}") from None


def _with_plain_keys(rows: pa.RecordBatch, key: Sequence[str]) -> pa.RecordBatch:
    """Integers of 64 bits and plain texts, so that the keys of all files are of one type."""
    for name in key:
        at, column = rows.schema.get_field_index(name), rows[name]
        kind = column.type
        if pa.types.is_integer(kind):
            column = column.cast(pa.int64())
        elif str(kind).startswith(("string", "large_string", "dictionary<values=string")):
            column = column.cast(pa.string())
        rows = rows.set_column(at, name, column)
    return rows


def _check_columns(part: Part, wanted: Sequence[str], given: Sequence[str]) -> None:
    for name in wanted:
        if given.count(name) != 1:
            problem = "has the column {!r} twice" if name in given else "has no column {!r}"
            reason = f"{problem.format(name)}; its columns are {', '.join(given)}"
            raise BadInputError(part.source, None, reason)


def _bytes_per_row(meta: pq.FileMetaData, groups: Sequence[int], columns: Sequence[str]) -> float:
    """At least 8 for each column: what is small because it repeats is not small in memory."""
    size = n_rows = 0
    for group in map(meta.row_group, groups):
        n_rows += group.num_rows
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema.split(".")[0] in columns:
                size += column.total_uncompressed_size
    return max(size / max(n_rows, 1), 8 * len(columns))


def _csv_chunks(
    file: Any, part: Part, columns: Sequence[str], numbers: Sequence[str], memory: int
) -> Iterator[Chunk]:
    """Cells are read as texts; which of them are no numbers is looked at here, row by row.

    Arrow would guess each type from the first rows, and give up on a file at the first bad cell.
    """
    texts = csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    block = csv.ReadOptions(use_threads=False, block_size=max(2**16, memory // COPIES))
    reader = csv.open_csv(file, block, csv.ParseOptions(newlines_in_values=True), texts)
    _check_columns(part, columns, reader.schema.names)
    for batch in reader:
        bad: dict[int, str] = {}
        arrays = []
        for name, column in zip(columns, batch.select(columns).columns, strict=True):
            if name in numbers:
                fits = pc.fill_null(pc.match_substring_regex(column, NUMBER), True)
                for row in np.flatnonzero(~fits.to_numpy(zero_copy_only=False)).tolist():
                    bad[row] = f"{name!r} is no number: {column[row].as_py()!a:.60}"
                text = pc.utf8_trim_whitespace(pc.if_else(fits, column, None))
                column = text.cast(pa.float64())
            arrays.append(column)
        yield Chunk(pa.record_batch(arrays, names=list(columns)), bad)


# --- good rows and bad ones ----------------------------------------------------------------------


def split(
    model: Model, rows: pa.RecordBatch
) -> tuple[NDArray[np.int64], NDArray[np.float64], dict[int, str]]:
    """Predict what can be predicted, and say what is wrong with the rest.

    Returns
    -------
    good : array of shape (n_good,)
        Positions of the rows that have an answer, ascending.
    answers : array of shape (n_good,)
        Their answers: finite numbers.
    bad : dict of position to reason
        Of all other rows.
    """
    # --8<-- [start:ex-split]
    good, answers = [], []
    bad: dict[int, str] = {}
    waiting = [np.arange(rows.num_rows)]
    while waiting:
        some = waiting.pop()
        if len(some) == 0:
            continue
        try:
            found = predict(model, rows if len(some) == rows.num_rows else rows.take(some))
        except ValueError as error:
            blamed = blame(error)
            if not blamed and len(some) > 1:  # one of them is wrong, or more: look in each half
                waiting += np.array_split(some, 2)[::-1]
                continue
            blamed = blamed or {0: str(error)}
            bad |= {int(some[i]): reason for i, reason in blamed.items()}
            waiting.append(np.delete(some, list(blamed)))
            continue
        finite = np.isfinite(found)
        bad |= {int(some[i]): f"the model answers {found[i]}" for i in np.flatnonzero(~finite)}
        good.append(some[finite])
        answers.append(found[finite])
    nothing = np.empty(0)
    return np.concatenate([nothing.astype(int), *good]), np.concatenate([nothing, *answers]), bad
    # --8<-- [end:ex-split]


def predict(model: Model, rows: pa.RecordBatch) -> NDArray[np.float64]:
    """The answers of a model, one for each row, or what it raises."""
    found = np.asarray(model.predict(rows), dtype=np.float64)
    if found.shape != (rows.num_rows,):
        raise TypeError(f"predict gave the shape {found.shape} for {rows.num_rows} rows")
    return found


def blame(error: ValueError) -> dict[int, str]:
    """Which rows a model's error blames, by position, with reasons; none where it says nothing."""
    reasons: dict[int, str] = {}
    for violation in getattr(error, "violations", ()):
        if not violation.rows:
            return {}
        for row in violation.rows:
            reason = f"{violation.field!r} {violation.problem}"
            reasons[row] = f"{reasons[row]}; {reason}" if row in reasons else reason
    return reasons


@dataclass(frozen=True)
class Scored:
    """What became of a chunk."""

    keys: pa.RecordBatch  # of the rows that have an answer
    answers: NDArray[np.float64]
    bad: Mapping[int, str]  # the reason, by number of the row in the file
    refused: pa.RecordBatch  # the bad rows as they were


def score_chunks(
    model: Model, chunks: Iterable[Chunk], key: Sequence[str], first_row: int = 0
) -> Iterator[Scored]:
    """Score chunk by chunk: together, what all rows at once would give.

    Parameters
    ----------
    chunks : iterable of Chunk, of any sizes
        It may be longer than memory holds.
    key : names of the columns that tell rows apart
    first_row : int
        The number that the first row of the first chunk has in its file.
    """
    # --8<-- [start:ex-stream]
    for chunk in chunks:
        well = np.delete(np.arange(chunk.rows.num_rows), list(chunk.bad))
        rows = chunk.rows if not chunk.bad else chunk.rows.take(well)
        good, answers, bad = split(model, rows.select(list(model.schema)))
        bad = dict(chunk.bad) | {int(well[i]): reason for i, reason in bad.items()}
        yield Scored(
            (rows if len(good) == len(well) else rows.take(good)).select(list(key)),
            answers,
            {first_row + i: bad[i] for i in sorted(bad)},
            chunk.rows.take(pa.array(sorted(bad), pa.int64())),
        )
        first_row += chunk.rows.num_rows
    # --8<-- [end:ex-stream]


def hashes(
    rows: pa.RecordBatch, key: Sequence[str]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """A number of 64 bits for the key of each row, and which rows have a key."""
    has_key = np.ones(rows.num_rows, dtype=bool)
    columns = {}
    for name in key:
        column = rows[name]
        has_key &= ~column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        # With nulls among them, integers would become floats, and hashed as such.
        columns[name] = pc.fill_null(column, 0) if pa.types.is_integer(column.type) else column
    frame = pa.record_batch(columns).to_pandas()
    found = pd.util.hash_pandas_object(frame, index=False, categorize=False)
    return np.asarray(found, dtype=np.uint64), has_key


# --- one partition -------------------------------------------------------------------------------


def score_partition(
    model: Model,
    part: Part,
    job: Job,
    shared: NDArray[np.uint64] | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Score a partition and commit it. Any number may do so at once, of the same one too.

    Parameters
    ----------
    shared : sorted array, optional
        Hashes of the keys that several rows have; these rows are bad.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    BadInputError
        For a bad file and, if the job stops at errors, for a bad row.
    OSError
        When the system refuses, as with a full disk. Nothing is committed then.
    """
    temporary = job.sink / f".tmp-{part.name}-{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        try:
            counts = _write(model, part, job, shared, is_stopped, temporary)
        except BadInputError as error:
            if job.on_error == "stop" or error.row is not None:
                raise
            counts = _refuse(part, error.reason, temporary)
        if fingerprint(job.filesystem, part.path) != part.fingerprint:
            raise BadInputError(part.source, None, "has changed while it was read; start again")
        entries = {"source": part.source, "fingerprint": part.fingerprint, **counts}
        return commit(job, part, temporary, {**entries, "model_version": model.version})
    except Exception as error:
        if not isinstance(error, BadInputError):
            error.add_note(f"while scoring {part.source} from row {part.first_row} on")
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(
    model: Model,
    part: Part,
    job: Job,
    shared: NDArray[np.uint64] | None,
    is_stopped: Callable[[], bool],
    folder: Path,
) -> dict[str, Any]:
    """Write the files of a partition to a folder; return what to count."""
    seen: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    tally: Counter[str] = Counter()
    writers: dict[str, pq.ParquetWriter] = {}
    key_types: list[str] = []
    n_rows = n_bad = 0

    def checked() -> Iterator[Chunk]:
        """The chunks, with the rows whose key is missing or shared among the bad ones."""
        nonlocal n_rows
        for chunk in read_chunks(part, job, model.schema):
            if is_stopped():
                raise Interrupted
            bad = {}
            own, has_key = hashes(chunk.rows, job.key)
            if shared is not None:
                at = np.flatnonzero(has_key & np.isin(own, shared))
                bad = dict.fromkeys(at.tolist(), "the key is that of another row too")
            bad |= dict.fromkeys(np.flatnonzero(~has_key).tolist(), "the key is missing")
            seen.append(own[has_key])
            if job.tally is not None:
                tally.update(job.tally(chunk.rows.select(list(model.schema))))
            n_rows += chunk.rows.num_rows
            yield Chunk(chunk.rows, bad | dict(chunk.bad))

    def write(kind: str, batch: pa.RecordBatch) -> None:
        if kind not in writers:
            path = folder / f"{kind}.parquet"
            writers[kind] = pq.ParquetWriter(path, batch.schema, write_page_checksum=True)
        writers[kind].write_batch(batch)

    try:
        for scored in score_chunks(model, checked(), job.key, part.first_row):
            version = pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(scored.answers), np.int32)), pa.array([model.version])
            )
            key_types = [str(kind) for kind in scored.keys.schema.types]
            columns = [*scored.keys.columns, pa.array(scored.answers), version]
            names = [*job.key, "prediction", "model_version"]
            write("predictions", pa.record_batch(columns, names))
            if scored.bad:
                if job.on_error == "stop":
                    row, reason = next(iter(scored.bad.items()))
                    raise BadInputError(part.source, row, reason)
                n_bad += len(scored.bad)
                write("quarantine", _quarantined(part, scored.refused, scored.bad))
    finally:
        for writer in writers.values():
            writer.close()
    np.save(folder / "keys.npy", np.sort(np.concatenate(seen)))
    counts = {"rows": n_rows, "scored": n_rows - n_bad, "quarantined": n_bad, "refused": None}
    digest = digest_of_shared(folder / "keys.npy", shared)
    return {**counts, "tally": dict(tally), "key_types": key_types, "shared": digest}


def _quarantined(
    part: Part, rows: pa.RecordBatch, bad: Mapping[int, str] | Mapping[None, str]
) -> pa.RecordBatch:
    """Bad rows as they were, so that they can be repaired and scored, and where and why."""
    told: dict[str, Any] = {
        "_source": pa.array([part.source] * len(bad)),
        "_row": pa.array(list(bad), pa.int64()),
        "_reason": pa.array(list(bad.values())),
    }
    return pa.record_batch({**told, **dict(zip(rows.schema.names, rows.columns, strict=True))})


def _refuse(part: Part, reason: str, folder: Path) -> dict[str, Any]:
    """A partition that cannot be read is quarantined whole; its rows are counted where known."""
    for path in folder.iterdir():
        path.unlink()
    nothing = pa.record_batch([pa.array([None])], [""]).select([])
    content = _quarantined(part, nothing, {None: reason})
    pq.write_table(pa.Table.from_batches([content]), folder / "quarantine.parquet")
    np.save(folder / "keys.npy", np.empty(0, np.uint64))
    n_rows = part.rows or 0
    counts = {"rows": n_rows, "scored": 0, "quarantined": n_rows, "refused": reason}
    digest = digest_of_shared(folder / "keys.npy", None)
    return {**counts, "tally": {}, "key_types": [], "shared": digest}


def commit(job: Job, part: Part, written: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Make a partition visible: each file whole or not at all, and its manifest last.

    Parameters
    ----------
    written : Path
        A folder on the disk of the sink, with files named by their kinds, such as
        ``predictions.parquet``. A kind that is missing is missing from the partition too.
    manifest : mapping, ready for JSON
        What is true of the partition once it is committed.

    Returns
    -------
    dict
        The manifest, with the ``checksums`` of the files and the time, ``scored_at``.
    """
    # --8<-- [start:ex-commit]
    sums = {}
    for kind, (_, suffix) in FILES.items():
        file = written / f"{kind}{suffix}"
        if not file.exists():
            job.path(part, kind).unlink(missing_ok=True)  # of an earlier run
            continue
        flush(file)
        sums[kind] = checksum(file)
        os.replace(file, job.path(part, kind))
    whole = {**manifest, "checksums": sums, "scored_at": time.time()}
    file = written / "manifest.json"
    file.write_text(json.dumps(whole), "utf-8")
    flush(file)
    os.replace(file, job.manifest(part))
    return whole
    # --8<-- [end:ex-commit]


def committed(job: Job, part: Part, version: str) -> dict[str, Any] | None:
    """The manifest of a partition that need not be scored again, or None.

    Its files are there and undamaged, and it was made from today's input with this model. A job
    that stops at errors does not take what another has quarantined.
    """
    # --8<-- [start:ex-committed]
    try:
        manifest = json.loads(job.manifest(part).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if manifest["fingerprint"] != part.fingerprint or manifest["model_version"] != version:
        return None
    if job.on_error == "stop" and (manifest["quarantined"] or manifest["refused"]):
        return None
    for kind in FILES:
        file, wanted = job.path(part, kind), manifest["checksums"].get(kind)
        if (checksum(file) if file.exists() else None) != wanted:
            return None
    return manifest
    # --8<-- [end:ex-committed]


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Wait until a file is on the disk, so that a name never outlives its content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def fingerprint(filesystem: pafs.FileSystem, path: str) -> str:
    """Of a file's size, time and end: to read all of it would take as long as to score it.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    """
    info = filesystem.get_file_info(path)
    if info.type != pafs.FileType.File:
        raise FileNotFoundError(f"there is no file {path}")
    with filesystem.open_input_file(path) as file:
        file.seek(max(0, info.size - TAIL))
        tail = file.read(TAIL)
    return hashlib.sha256(f"{info.size} {info.mtime_ns} ".encode() + tail).hexdigest()


# --- keys of several rows ------------------------------------------------------------------------


def shared_hashes(files: Sequence[Path]) -> NDArray[np.uint64]:
    """Hashes that occur more than once among sorted files of them; memory does not grow with them.

    Raises
    ------
    OverflowError
        When there are more than `MOST_SHARED`.
    """
    columns: list[NDArray[np.uint64]] = [np.load(file, mmap_mode="r") for file in files]
    n_ranges = -(-sum(map(len, columns)) // KEYS_AT_A_TIME)
    bounds = [(2**64 * i // n_ranges) for i in range(1, n_ranges)]
    cuts = [[0, *np.searchsorted(c, np.array(bounds, np.uint64)), len(c)] for c in columns]
    found = [np.empty(0, np.uint64)]
    for i in range(n_ranges):
        pieces = (c[cut[i] : cut[i + 1]] for c, cut in zip(columns, cuts, strict=True))
        found.append(_repeated(np.concatenate([*pieces])))
        if sum(map(len, found)) > MOST_SHARED:
            raise OverflowError
    return np.concatenate(found)


def _repeated(some: NDArray[np.uint64]) -> NDArray[np.uint64]:
    some.sort()
    return np.unique(some[1:][some[1:] == some[:-1]])


def digest_of_shared(keys: Path, shared: NDArray[np.uint64] | None) -> str:
    """Which of the shared hashes a partition has."""
    has = np.empty(0, np.uint64)
    if shared is not None and len(shared):
        own = np.load(keys)
        has = np.unique(own[np.isin(own, shared)])
    return hashlib.sha256(has.tobytes()).hexdigest()


def find_rows(
    parts: Iterable[Part], job: Job, model: Model, shared: NDArray[np.uint64]
) -> Iterator[tuple[Part, int, tuple[Any, ...], int]]:
    """Partition, number of the row, key and hash, of each row that has one of some hashes."""
    for part in parts:
        row = part.first_row
        for chunk in read_chunks(part, job, model.schema):
            own, has_key = hashes(chunk.rows, job.key)
            at = np.flatnonzero(has_key & np.isin(own, shared))
            keys = chunk.rows.select(list(job.key)).take(at).to_pylist()
            for i, key in zip(at.tolist(), keys, strict=True):
                yield part, row + i, tuple(key.values()), int(own[i])
            row += chunk.rows.num_rows


# --- the job -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    """What a job has done. All counts are of the whole sink, what an earlier run did included."""

    model_version: str
    rows: int  # scored and quarantined ones
    scored: int
    quarantined: int
    refused: Mapping[str, str]  # partition to reason; of the unreadable ones rows are not counted
    partitions: int
    kept: int  # partitions that an earlier run had committed
    tally: Mapping[str, int]
    seconds: float


def score(
    model: Model | Callable[[], Model],
    source: str | os.PathLike[str],
    sink: str | os.PathLike[str],
    *,
    key: str | Sequence[str],
    engine: Literal["local"] | Executor = "local",
    on_error: Literal["stop", "quarantine"] = "stop",
    filesystem: Any = None,
    n_workers: int | None = None,
    memory: int = 64 * 2**20,
    rows_per_partition: int = 2**18,
    tally: Callable[[pa.RecordBatch], Mapping[str, int]] | None = None,
    replace: bool = False,
    progress: Callable[[int, int | None], None] = lambda done, of: None,
) -> Report:
    """Score every row of a source once, into Parquet files of key, prediction and model version.

    The same call again goes on where an earlier one was interrupted, in whatever way. What is
    committed and still true is kept. The file ``_complete.json`` is there when all is done.

    Parameters
    ----------
    model : Model, or function without parameters that returns one
        For workers elsewhere, give a function such as ``partial(ServingArtifact.load, path)``: it
        is called once in each process.
    source : path, URI or glob
        Of Parquet and CSV files, or a folder of them. Names that begin with "." or "_" are skipped.
    sink : path
        A folder that all workers see. Only its own results may be in it.
    key : str or sequence of str
        The columns that tell rows apart.
    engine : "local" or concurrent.futures.Executor
        Local threads, or whoever runs functions: ``client.get_executor(pure=False)`` of Dask.
    on_error : {"stop", "quarantine"}
        Whether a bad row or file ends the job, or is put aside with the reason, in ``_quarantine``.
    filesystem : pyarrow or fsspec filesystem, optional
        Of the source; by default that of its URI, or this machine's.
    n_workers : int, optional
        Threads of the local engine; by default as many as cores.
    memory : int
        Bytes for the chunk that a worker has at a time.
    rows_per_partition : int
        Larger files are cut at row groups.
    tally : function of a chunk's inputs, optional
        Counts something by name, such as unknown categories.
    replace : bool
        Discard what another job has left in the sink.
    progress : function of the rows that are done and of all rows, as far as they are known

    Raises
    ------
    FileNotFoundError
        When there is nothing to score.
    BadInputError
        For the first bad row or file. What was committed before stays.
    SinkError
        When the sink holds something else, such as the results of another model.
    BlockingIOError
        When another process is writing into the sink.
    OSError
        When the system refuses, as with a full disk.
    """
    began = time.monotonic()
    if on_error not in ("stop", "quarantine"):
        raise ValueError(f'on_error must be "stop" or "quarantine", got {on_error!r}')
    if engine != "local" and not isinstance(engine, Executor):
        raise ValueError(f'engine must be "local" or a concurrent.futures.Executor, got {engine!r}')
    for name, value in {"memory": memory, "rows_per_partition": rows_per_partition}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    own = made(model)
    names = (key,) if isinstance(key, str) else tuple(key)
    if not names or {"prediction", "model_version"} & set(names):
        raise ValueError(f"key must name columns other than those of the results, got {names}")
    sink = Path(sink).absolute()
    if filesystem is None and Path(source).absolute() in (sink, *sink.parents):
        raise ValueError(f"the sink, {sink}, must not lie in the source, {os.fspath(source)}")
    files, filesystem = find_files(source, filesystem)
    job = Job(sink, names, filesystem, on_error, memory, tally)
    job.sink.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(job.sink / ".lock", timeout=0):  # it ends with the process that holds it
            identity = {"model_version": own.version, "key": list(names)}
            _prepare(job, {**identity, "rows_per_partition": rows_per_partition}, replace)
            parts = [p for f in files for p in partitions(*f, job, rows_per_partition)]
            run = partial(_run, model, own, job, engine, n_workers)
            return _finish(own, parts, job, run, progress, began)
    except Timeout:
        raise BlockingIOError(f"another process is writing into {sink}; wait for it") from None


def find_files(
    source: str | os.PathLike[str], filesystem: Any = None
) -> tuple[list[tuple[str, str]], pafs.FileSystem]:
    """Path and relative name of each file of a source, in order, and their filesystem."""
    text = os.fspath(source)
    if filesystem is None and "://" in text:
        filesystem, text = pafs.FileSystem.from_uri(text)
    elif filesystem is None:
        filesystem, text = pafs.LocalFileSystem(), Path(text).absolute().as_posix()
    elif not isinstance(filesystem, pafs.FileSystem):
        filesystem = pafs.PyFileSystem(pafs.FSSpecHandler(filesystem))
    parents = itertools.takewhile(lambda p: not set("*?[") & set(p), PurePosixPath(text).parts)
    base = PurePosixPath(*parents)
    is_glob = str(base) != str(PurePosixPath(text))
    info = filesystem.get_file_info(str(base))
    if info.type == pafs.FileType.File:
        return [(str(base), base.name)], filesystem
    found = []
    if info.type == pafs.FileType.Directory:
        listed = filesystem.get_file_info(pafs.FileSelector(str(base), recursive=True))
        for path in (PurePosixPath(i.path) for i in listed if i.type == pafs.FileType.File):
            relative = path.relative_to(base)
            hidden = any(name.startswith((".", "_")) for name in relative.parts)
            wanted = path.match(text) if is_glob else path.suffix in (".parquet", ".csv")
            if wanted and not hidden:
                found.append((str(path), str(relative)))
    if not found:
        raise FileNotFoundError(f"there is no Parquet or CSV file at {os.fspath(source)}")
    return sorted(found), filesystem


def partitions(path: str, source: str, job: Job, rows_per_partition: int) -> list[Part]:
    """Cut a file at its row groups, so that all cores have work. A bad file is one partition."""
    whole = Part(path, source, fingerprint(job.filesystem, path))
    if path.endswith(".csv"):
        return [whole]
    try:
        with job.filesystem.open_input_file(path) as file:
            metadata = pq.read_metadata(file)
    except (pa.ArrowException, OSError):
        return [whole]  # whoever reads it will say what is wrong
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    cut: list[Part] = []
    first = begin = 0
    for end in range(1, len(sizes) + 1):
        n_rows = sum(sizes[begin:end])
        if n_rows >= rows_per_partition or end == len(sizes):
            groups = tuple(range(begin, end))
            cut.append(Part(path, source, whole.fingerprint, first, n_rows, groups))
            first, begin = first + n_rows, end
    return cut or [Part(path, source, whole.fingerprint, rows=0)]


def _prepare(job: Job, identity: Mapping[str, Any], replace: bool) -> None:
    """Make the sink this job's own, without what was left half-done."""
    about, content = job.sink / "_job.json", {"format": FORMAT, **identity}
    if about.exists():
        found = json.loads(about.read_text("utf-8"))
        other = [name for name in content if found.get(name) != content[name]]
        if other and not replace:
            raise SinkError(
                f"{job.sink} holds the results of another job: its {other[0]} is "
                f"{found.get(other[0])!r}, not {content[other[0]]!r}; give an empty sink, or "
                "replace what is there"
            )
        if replace:
            (job.sink / "_complete.json").unlink(missing_ok=True)
            for path in job.sink.glob("part-*.parquet"):
                path.unlink()
            for folder in FOLDERS:
                shutil.rmtree(job.sink / folder, ignore_errors=True)
    elif {path.name for path in job.sink.iterdir()} - {".lock", "_job.json.new"}:
        raise SinkError(f"{job.sink} is not empty, and what it holds is no job's result")
    fresh = job.sink / "_job.json.new"
    fresh.write_text(json.dumps(content), "utf-8")
    flush(fresh)
    os.replace(fresh, about)
    for folder in FOLDERS:
        (job.sink / folder).mkdir(exist_ok=True)
    for path in job.sink.glob(".tmp-*"):
        shutil.rmtree(path, ignore_errors=True)


def _run(
    model: Model | Callable[[], Model],
    own: Model,
    job: Job,
    engine: Literal["local"] | Executor,
    n_workers: int | None,
    todo: Sequence[Part],
    shared: NDArray[np.uint64] | None,
    done: Callable[[Part, dict[str, Any]], None],
) -> None:
    """Score partitions side by side; tell of each, with its manifest, when it is committed."""
    stopped = threading.Event()
    task: Callable[..., dict[str, Any]]
    if isinstance(engine, Executor):
        pool, task = engine, partial(_score_elsewhere, pickle.dumps(model))
    else:
        pool = ThreadPoolExecutor(n_workers or _cores(), "score")
        task = partial(score_partition, own, is_stopped=stopped.is_set)
    futures = {pool.submit(task, part, job, shared): part for part in todo}
    try:
        for future in as_completed(futures):
            done(futures[future], future.result())
    except BaseException:
        stopped.set()  # threads end at their next chunk; what is committed elsewhere is right too
        for future in futures:
            future.cancel()
        raise
    finally:
        if pool is not engine:
            pool.shutdown()


def _score_elsewhere(
    content: bytes, part: Part, job: Job, shared: NDArray[np.uint64] | None
) -> dict[str, Any]:
    """Score a partition in another process, whose model is made once."""
    return score_partition(_loaded(content), part, job, shared)


@lru_cache(maxsize=1)
def _loaded(content: bytes) -> Model:
    return made(pickle.loads(content))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _finish(
    own: Model,
    parts: Sequence[Part],
    job: Job,
    run: Callable[..., None],
    progress: Callable[[int, int | None], None],
    began: float,
) -> Report:
    """Score what is not committed yet, then what shares its keys, and say that all is done."""
    _refuse_strangers(job, parts)
    found = {part: committed(job, part, own.version) for part in parts}
    manifests = {part: manifest for part, manifest in found.items() if manifest is not None}
    n_kept, complete = len(manifests), job.sink / "_complete.json"
    todo = [part for part in parts if part not in manifests]
    known = [part.rows for part in parts if part.rows is not None]
    n_rows = sum(known) if len(known) == len(parts) else None
    n_done = sum(manifest["rows"] for manifest in manifests.values())

    def done(part: Part, manifest: dict[str, Any]) -> None:
        nonlocal n_done
        n_done += manifest["rows"] if part not in manifests else 0
        manifests[part] = manifest
        progress(n_done, n_rows)

    progress(n_done, n_rows)
    if todo:
        complete.unlink(missing_ok=True)
    run(todo, None, done)
    _check_key_types(manifests)
    shared = _shared_keys(parts, job, own)
    wanted = {part: digest_of_shared(job.path(part, "keys"), shared) for part in parts}
    todo = [part for part in parts if manifests[part]["shared"] != wanted[part]]
    if todo:
        complete.unlink(missing_ok=True)
    run(todo, shared, done)
    for part, manifest in manifests.items():
        last = json.loads(job.manifest(part).read_text("utf-8"))
        if last["checksums"] != manifest["checksums"]:
            raise SinkError(f"another process has written {part.name} into {job.sink}; start again")
    tally: Counter[str] = Counter()
    for manifest in manifests.values():
        tally.update(manifest["tally"])
    ordered = [manifests[part] for part in parts]
    report = Report(
        model_version=own.version,
        rows=sum(m["rows"] for m in ordered),
        scored=sum(m["scored"] for m in ordered),
        quarantined=sum(m["quarantined"] for m in ordered),
        refused={m["source"]: m["refused"] for m in ordered if m["refused"] is not None},
        partitions=len(parts),
        kept=n_kept,
        tally=dict(tally),
        seconds=time.monotonic() - began,
    )
    fresh = job.sink / ".tmp-complete"
    fresh.write_text(json.dumps(asdict(report)), "utf-8")
    flush(fresh)
    os.replace(fresh, complete)
    return report


def _check_key_types(manifests: Mapping[Part, Mapping[str, Any]]) -> None:
    """A key that is a number in one file and a text in another is no key."""
    seen: dict[tuple[str, ...], Part] = {}
    for part, manifest in manifests.items():
        if manifest["key_types"]:  # of a file that was read, and has columns with types
            seen.setdefault(tuple(manifest["key_types"]), part)
    if len(seen) > 1:
        (types, part), (others, other) = itertools.islice(seen.items(), 2)
        reason = f"its key has the types {others}, and that of {part.source} has {types}"
        raise BadInputError(other.source, None, reason)


def _refuse_strangers(job: Job, parts: Sequence[Part]) -> None:
    """Results of a file that is gone, or is cut otherwise today, would be in no count."""
    expected = {part.name for part in parts}
    for path in sorted(job.sink.glob("part-*.parquet")) + sorted(
        (job.sink / "_manifest").iterdir()
    ):
        if path.stem not in expected:
            raise SinkError(
                f"{path} is the result of a file that the source no longer has, or that has other "
                "row groups now; give an empty sink, or replace what is there"
            )


def _shared_keys(parts: Sequence[Part], job: Job, own: Model) -> NDArray[np.uint64]:
    """Hashes of the keys that several rows have.

    It is asked of all rows that have a key, bad ones too, so that the answer does not depend on
    what was scored first.
    """
    try:
        shared = shared_hashes([job.path(part, "keys") for part in parts])
    except OverflowError:
        reason = f"over {MOST_SHARED:,} keys occur more than once; is {job.key} the key?"
        raise BadInputError(parts[0].source, None, reason) from None
    if len(shared) == 0:
        return shared
    nothing = digest_of_shared(job.path(parts[0], "keys"), None)
    has = [p for p in parts if digest_of_shared(job.path(p, "keys"), shared) != nothing]
    first: dict[tuple[Any, ...], tuple[str, int]] = {}
    confirmed = set()  # for two keys may have one hash: of ten million, with a chance of 3e-6
    for part, row, key, number in find_rows(has, job, own, shared):
        if key in first and job.on_error == "stop":
            where = "{}, row {}".format(*first[key])
            raise BadInputError(part.source, row, f"its key {key} is that of {where} too")
        if key in first:
            confirmed.add(number)
        first.setdefault(key, (part.source, row))
    return np.array(sorted(confirmed), np.uint64)
