"""Batch serving: each row once, whatever happens, and bad input told apart from good."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns._kit.cli import main
from patterns.batch_serving import Answers, BadInputError, SinkError, score
from patterns.batch_serving.evidence.footprint import megabytes
from patterns.batch_serving.pattern import rows_per_chunk
from patterns.transform import Feature, Input, ServingArtifact, Transform


class Doubled:
    """Twice a number; negative numbers are refused."""

    version = "v1"
    schema: Mapping[str, Mapping[str, Any]] = {
        "x": {"type": "number"},
        "name": {"type": "category"},
    }

    def predict(self, X: pa.RecordBatch) -> np.ndarray:
        """Twice x."""
        x = X["x"].to_numpy(zero_copy_only=False)
        if (x < 0).any():
            raise ValueError("x must not be negative")
        return 2.0 * x


def write(path: Path, first: int, n: int, **columns: Any) -> Path:
    """A Parquet file of ids from ``first`` on."""
    frame = {"id": np.arange(first, first + n), "x": np.arange(n) + 0.5, "name": ["a"] * n}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**frame, **columns}), path, row_group_size=4)
    return path


def results(sink: Path) -> dict[str, bytes]:
    """The files of a sink."""
    return {path.name: path.read_bytes() for path in sink.glob("part-*.parquet")}


def predictions(sink: Path) -> pd.DataFrame:
    """All of a sink, by key."""
    return pq.read_table(sink).to_pandas().sort_values("id").reset_index(drop=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three files of ten rows."""
    for i in range(3):
        write(tmp_path / "source" / f"day-{i}.parquet", 10 * i, 10)
    return tmp_path / "source"


def test_each_row_is_scored_once_with_its_key_and_version(source: Path, tmp_path: Path) -> None:
    report = score(Doubled(), source, tmp_path / "sink", key="id", rows_per_partition=4)
    found = predictions(tmp_path / "sink")
    assert (report.rows, report.scored, report.quarantined) == (30, 30, 0)
    assert report.partitions == 9
    assert found["id"].tolist() == list(range(30))
    assert found["prediction"].tolist() == [2 * (i % 10) + 1.0 for i in range(30)]
    assert set(found["model_version"]) == {"v1"}


def test_what_is_committed_is_kept(source: Path, tmp_path: Path) -> None:
    sink = tmp_path / "sink"
    score(Doubled(), source, sink, key="id")
    assert score(Doubled(), source, sink, key="id").kept == 3
    write(source / "day-1.parquet", 10, 10, x=np.arange(10) + 7.5)
    assert score(Doubled(), source, sink, key="id").kept == 2
    assert predictions(sink)["prediction"].tolist()[10:20] == [2 * i + 15.0 for i in range(10)]


def test_a_bad_row_ends_the_job_and_names_itself(source: Path, tmp_path: Path) -> None:
    write(source / "day-1.parquet", 10, 10, x=[1.0] * 7 + [-1.0] + [1.0] * 2)
    with pytest.raises(BadInputError, match=r"day-1.parquet, row 7: x must not be negative"):
        score(Doubled(), source, tmp_path / "sink", key="id")
    assert not list((tmp_path / "sink").glob("part-day-1*"))


def test_bad_rows_are_put_aside_and_counts_add_up(source: Path, tmp_path: Path) -> None:
    write(source / "day-1.parquet", 10, 10, x=[1.0] * 7 + [-1.0] + [np.nan] * 2)
    sink = tmp_path / "sink"
    report = score(Doubled(), source, sink, key="id", on_error="quarantine")
    assert (report.rows, report.scored, report.quarantined) == (30, 27, 3)
    aside = pq.read_table(sink / "_quarantine" / "part-day-1.parquet-00000.parquet").to_pandas()
    assert aside["_row"].tolist() == [7, 8, 9]
    assert aside["_reason"].tolist() == ["x must not be negative", *["the model answers nan"] * 2]


def test_keys_of_several_rows_are_bad_wherever_the_rows_are(source: Path, tmp_path: Path) -> None:
    write(source / "day-3.parquet", 25, 10)
    sink = tmp_path / "sink"
    with pytest.raises(
        BadInputError, match=r"row 0: its key \(25,\) is that of day-2.parquet, row"
    ):
        score(Doubled(), source, sink, key="id")
    report = score(Doubled(), source, sink, key="id", on_error="quarantine")
    assert (report.rows, report.scored, report.quarantined) == (40, 30, 10)
    assert score(Doubled(), source, sink, key="id", on_error="quarantine").kept == 4


def test_a_sink_of_another_model_is_refused(source: Path, tmp_path: Path) -> None:
    score(Doubled(), source, tmp_path / "sink", key="id")
    other = Doubled()
    other.version = "v2"
    with pytest.raises(SinkError, match="'v1', not 'v2'"):
        score(other, source, tmp_path / "sink", key="id")
    score(other, source, tmp_path / "sink", key="id", replace=True)
    assert set(predictions(tmp_path / "sink")["model_version"]) == {"v2"}


# --- bad input -----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def artifact() -> ServingArtifact:
    """A model of raw inputs: a time, a text and a number."""
    inputs = [
        Input("departure", "time"),
        Input("carrier", "category"),
        Input("miles", "number", minimum=0),
    ]
    features = [
        Feature("hour", "hour", "departure", zone="America/New_York"),
        Feature("carrier", "code"),
        Feature("miles", "number"),
    ]
    rows = raw(0, 200)
    late = np.arange(200) % 2
    return ServingArtifact.fit(
        Transform(inputs, features), rows.drop_columns("id"), late, {"nthread": 1}, 5
    )


def raw(first: int, n: int, **columns: Any) -> pa.Table:
    """Rows as a warehouse has them."""
    content = {
        "id": np.arange(first, first + n),
        "departure": [f"2013-07-{1 + i % 28:02d}T{i % 24:02d}:30:00Z" for i in range(n)],
        "carrier": [("AA", "UA", "DL")[i % 3] for i in range(n)],
        "miles": np.linspace(80, 2500, n),
    }
    return pa.table({**content, **columns})


def changed(values: Any, row: int, value: Any) -> list[Any]:
    """A column with one other value."""
    column = pa.array(values).to_pylist()
    column[row] = value
    return column


GOOD = raw(100, 50)
BAD_ROWS = {  # a table of 50 rows of which row 7 is bad, and what is said of it
    "null key": (raw(100, 50, id=changed(GOOD["id"].to_numpy(), 7, None)), "the key is missing"),
    "no time": (
        raw(100, 50, departure=changed(GOOD["departure"].to_pylist(), 7, "2013-02-30T10:00:00Z")),
        "'departure' is no time that exists",
    ),
    "a time without a zone": (
        raw(100, 50, departure=changed(GOOD["departure"].to_pylist(), 7, "2013-07-01T10:00:00")),
        "'departure' must be a time with its zone",
    ),
    "NaN": (raw(100, 50, miles=changed(GOOD["miles"].to_numpy(), 7, np.nan)), "not be missing"),
    "null": (raw(100, 50, miles=changed(GOOD["miles"].to_numpy(), 7, None)), "not be missing"),
    "infinity": (raw(100, 50, miles=changed(GOOD["miles"].to_numpy(), 7, np.inf)), "be finite"),
    "out of range": (raw(100, 50, miles=changed(GOOD["miles"].to_numpy(), 7, -1.0)), "at least 0"),
    "null text": (
        raw(100, 50, carrier=changed(GOOD["carrier"].to_pylist(), 7, None)),
        "'carrier' must not be missing",
    ),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_is_named_or_put_aside(
    kind: str, artifact: ServingArtifact, tmp_path: Path
) -> None:
    table, reason = BAD_ROWS[kind]
    (tmp_path / "source").mkdir()
    pq.write_table(raw(0, 50), tmp_path / "source" / "a.parquet")
    pq.write_table(table, tmp_path / "source" / "b.parquet")
    sink = tmp_path / "sink"
    with pytest.raises(BadInputError, match=r"b\.parquet, row 7: ") as caught:
        score(artifact, tmp_path / "source", sink, key="id")
    assert reason in caught.value.reason
    assert not list(sink.glob("part-b*"))
    report = score(artifact, tmp_path / "source", sink, key="id", on_error="quarantine")
    assert (report.rows, report.scored, report.quarantined) == (100, 99, 1)
    (aside,) = pq.read_table(sink / "_quarantine").to_pylist()
    assert (aside["_source"], aside["_row"]) == ("b.parquet", 7)
    assert reason in aside["_reason"]
    found = predictions(sink)
    assert found["id"].tolist() == [i for i in range(150) if not 50 <= i < 100 and i != 107]


def flipped(path: Path) -> None:
    """Some bytes in the middle of the pages are others."""
    content = bytearray(path.read_bytes())
    for at in range(300, 320):
        content[at] ^= 0xFF
    path.write_bytes(content)


def with_checksums(path: Path, table: pa.Table) -> None:
    """As careful writers do: without them, a reader may take damage for data."""
    pq.write_table(table, path, write_page_checksum=True)


BAD_FILES = {  # how a file is made, what is said of it, and how many rows are known to be in it
    "not Parquet": (lambda p: p.write_bytes(b"no Parquet at all"), "cannot be read", 0),
    "empty": (lambda p: p.write_bytes(b""), "cannot be read", 0),
    "truncated": (
        lambda p: (pq.write_table(GOOD, p), p.write_bytes(p.read_bytes()[:-100])),
        "cannot be read",
        0,
    ),
    "flipped bytes": (lambda p: (with_checksums(p, GOOD), flipped(p)), "cannot be read", 50),
    "missing column": (
        lambda p: pq.write_table(GOOD.drop_columns("carrier"), p),
        "has no column 'carrier'; its columns are id, departure, miles",
        50,
    ),
    "missing key": (lambda p: pq.write_table(GOOD.drop_columns("id"), p), "no column 'id'", 50),
    "another type": (
        lambda p: pq.write_table(raw(100, 50, miles=["far"] * 50), p),
        "its column 'miles' has the type string; it must be a number",
        50,
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named_or_put_aside(
    kind: str, artifact: ServingArtifact, tmp_path: Path
) -> None:
    make, reason, n_rows = BAD_FILES[kind]
    (tmp_path / "source").mkdir()
    pq.write_table(raw(0, 50), tmp_path / "source" / "a.parquet")
    make(tmp_path / "source" / "b.parquet")
    sink = tmp_path / "sink"
    with pytest.raises(BadInputError, match=r"b\.parquet: ") as caught:
        score(artifact, tmp_path / "source", sink, key="id")
    assert reason in caught.value.reason
    report = score(artifact, tmp_path / "source", sink, key="id", on_error="quarantine")
    assert (report.rows, report.scored, report.quarantined) == (50 + n_rows, 50, n_rows)
    assert reason in report.refused["b.parquet"]
    (aside,) = pq.read_table(sink / "_quarantine").to_pylist()
    assert (aside["_source"], aside["_row"]) == ("b.parquet", None)
    assert len(predictions(sink)) == 50

    pq.write_table(GOOD, tmp_path / "source" / "b.parquet")  # repaired
    report = score(artifact, tmp_path / "source", sink, key="id", on_error="quarantine")
    assert (report.rows, report.scored, report.quarantined, report.kept) == (100, 100, 0, 1)
    assert not list((sink / "_quarantine").iterdir())


GOOD_FILES = {
    "extra columns": GOOD.append_column("note", pa.array(["x"] * 50)),
    "reordered columns": GOOD.select(["miles", "carrier", "id", "departure"]),
    "unseen category": raw(100, 50, carrier=["ZZ"] * 50),
    "coded texts": raw(100, 50, carrier=pa.array(["AA"] * 50).dictionary_encode()),
    "times": raw(100, 50, departure=pa.array([0] * 50, pa.timestamp("us", "UTC"))),
    "integers": raw(100, 50, miles=pa.array(range(50), pa.int16())),
    "narrow keys": raw(100, 50, id=pa.array(range(100, 150), pa.int32())),
    # The input is UTC: the hour that New York's clocks leave out cannot occur, and the hour that
    # they show twice is two hours.
    "clock goes forward": raw(100, 50, departure=["2013-03-10T07:30:00Z"] * 50),
    "clock goes back": raw(100, 50, departure=["2013-11-03T05:30:00Z"] * 50),
}


@pytest.mark.parametrize("kind", GOOD_FILES)
def test_what_looks_odd_and_is_right_is_scored(
    kind: str, artifact: ServingArtifact, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    pq.write_table(raw(0, 50), tmp_path / "source" / "a.parquet")
    pq.write_table(GOOD_FILES[kind], tmp_path / "source" / "b.parquet")
    score(artifact, tmp_path / "source", tmp_path / "sink", key="id")
    found = predictions(tmp_path / "sink").set_index("id")["prediction"]
    wanted = artifact.predict(GOOD_FILES[kind].select(list(artifact.schema)))
    assert np.array_equal(found.loc[100:149], wanted)


def test_files_without_rows_are_done(artifact: ServingArtifact, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    pq.write_table(raw(0, 0), source / "a.parquet")
    (source / "b.csv").write_text("id,departure,carrier,miles\n")
    report = score(artifact, source, tmp_path / "sink", key="id")
    assert (report.rows, report.partitions) == (0, 2)
    assert pq.read_table(tmp_path / "sink").column_names == ["id", "prediction", "model_version"]


def test_csv_files_are_read_cell_by_cell(artifact: ServingArtifact, tmp_path: Path) -> None:
    lines = [
        "carrier,id,miles,departure,note",
        "AA,1,100,2013-07-01T10:00:00Z,",
        "UA,2,1e3,2013-07-01T11:00:00Z,x",
        "UA,3,far,2013-07-01T11:00:00Z,x",
        '"A,B",4, 7.5 ,2013-07-01T11:00:00Z,x',
        "UA,,12,2013-07-01T11:00:00Z,x",
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    with pytest.raises(BadInputError, match=r"rows.csv, row 2: 'miles' is no number: 'far'"):
        score(artifact, tmp_path / "rows.csv", tmp_path / "sink", key="id")
    report = score(
        artifact, tmp_path / "rows.csv", tmp_path / "sink", key="id", on_error="quarantine"
    )
    assert (report.rows, report.scored, report.quarantined) == (5, 3, 2)
    aside = pq.read_table(tmp_path / "sink" / "_quarantine").to_pylist()
    assert [row["_row"] for row in aside] == [2, 4]


def test_a_broken_line_refuses_a_csv_file(artifact: ServingArtifact, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "id,departure,carrier,miles\n1,2013-07-01T10:00Z,AA,1\n2,3\n"
    )
    with pytest.raises(BadInputError, match=r"rows.csv: cannot be read: .*Expected 4 columns"):
        score(artifact, tmp_path / "rows.csv", tmp_path / "sink", key="id")


def test_a_file_that_changes_while_the_job_runs_ends_it(source: Path, tmp_path: Path) -> None:
    class Slow(Doubled):
        def predict(self, X: pa.RecordBatch) -> np.ndarray:
            write(source / "day-0.parquet", 0, 9)
            return super().predict(X)

    with pytest.raises(BadInputError, match="has changed while it was read"):
        score(Slow(), source, tmp_path / "sink", key="id", n_workers=1)
    assert score(Doubled(), source, tmp_path / "sink", key="id").rows == 29


def test_an_error_of_the_model_is_no_bad_row(source: Path, tmp_path: Path) -> None:
    class Broken(Doubled):
        def predict(self, X: pa.RecordBatch) -> np.ndarray:
            return np.ones(3)

    with pytest.raises(TypeError, match=r"shape \(3,\) for") as caught:
        score(Broken(), source, tmp_path / "sink", key="id", on_error="quarantine")
    assert "while scoring day-" in caught.value.__notes__[0]


@pytest.mark.parametrize("model", ["model.zip", object(), dict])
def test_what_is_no_model_is_refused(model: Any, source: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must have predict, version and schema"):
        score(model, source, tmp_path / "sink", key="id")


def test_nothing_to_score_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Parquet or CSV file"):
        score(Doubled(), tmp_path / "nothing", tmp_path / "sink", key="id")


# --- kills ---------------------------------------------------------------------------------------
KILLS = """
import os, random, shutil, signal, sys, time
from functools import partial
from pathlib import Path

sys.path.insert(0, {tests!r})
from test_batch_serving import Doubled, score

source, folder, n_kills = {source!r}, Path({folder!r}), {n_kills}


def results(sink):
    return {{path.name: path.read_bytes() for path in sink.glob("part-*.parquet")}}


def start(sink):
    child = os.fork()  # no thread runs in this process, and importing takes longer than scoring
    if child == 0:
        code = 1
        try:
            score(Doubled(), source, sink, key="id", rows_per_partition=4, n_workers=2)
            code = 0
        finally:
            os._exit(code)
    return child


began = time.monotonic()
assert os.waitpid(start(folder / "whole"), 0)[1] == 0
seconds, whole = time.monotonic() - began, results(folder / "whole")
killed = resumed = 0
rng = random.Random(int({seed}))
sink = folder / "killed"
while killed < n_kills:
    child = start(sink)
    time.sleep(rng.uniform(0, seconds))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    found = results(sink)
    assert all(whole[name] == content for name, content in found.items()), "half-written"
    if os.WIFSIGNALED(status):
        killed += 1
        resumed += bool(found)
        if rng.uniform(0, 1) < 0.7:
            continue
        status = os.waitpid(start(sink), 0)[1]
    assert status == 0
    assert results(sink) == whole and (sink / "_complete.json").exists()
    assert not list(sink.glob(".tmp-*"))
    shutil.rmtree(sink)
print(killed, resumed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_job_that_is_killed_at_any_moment_goes_on_and_ends_as_if_it_was_not(
    source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "sinks").mkdir()
    code = KILLS.format(
        tests=str(Path(__file__).parent),
        source=str(source),
        folder=str(tmp_path / "sinks"),
        n_kills=int(os.environ.get("KILLS", "20")),
        seed=0,
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    killed, resumed = map(int, done.stdout.split())
    assert killed >= 20
    assert resumed > 0


def test_a_second_writer_is_refused(source: Path, tmp_path: Path) -> None:
    sink = tmp_path / "sink"
    sink.mkdir()
    with FileLock(sink / ".lock"), pytest.raises(BlockingIOError, match="another process"):
        score(Doubled(), source, sink, key="id")
    assert score(Doubled(), source, sink, key="id").rows == 30


# --- more than one machine -----------------------------------------------------------------------
class Patient(Doubled):
    """Takes its time, so that there is some to kill it in."""

    def predict(self, X: pa.RecordBatch) -> np.ndarray:
        """Twice x, later."""
        time.sleep(0.05)
        return super().predict(X)


@pytest.mark.timeout(120)
def test_a_cluster_that_loses_a_node_gives_the_same_bytes(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    for i in range(30):
        write(tmp_path / "source" / f"day-{i}.parquet", 8 * i, 8)
    score(Doubled(), tmp_path / "source", tmp_path / "local", key="id")
    cluster = distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path / "dask"
    )
    killed: list[int] = []
    with cluster, distributed.Client(cluster) as client:
        nodes = list(client.run(os.getpid).values())

        def kill(done: int, of: int | None) -> None:
            if done >= 40 and not killed:
                killed.append(nodes[0])
                os.kill(nodes[0], signal.SIGKILL)

        with client.get_executor(pure=False) as engine:
            report = score(
                Patient,
                tmp_path / "source",
                tmp_path / "sink",
                key="id",
                engine=engine,
                progress=kill,
            )
    assert len(nodes) == 3
    assert killed == nodes[:1]
    assert (report.rows, report.scored) == (240, 240)
    assert results(tmp_path / "sink") == results(tmp_path / "local")


def test_other_processes_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    score(Doubled(), source, tmp_path / "local", key="id", rows_per_partition=4)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as engine:
        score(Doubled, source, tmp_path / "sink", key="id", rows_per_partition=4, engine=engine)
    assert results(tmp_path / "sink") == results(tmp_path / "local")


# --- what the system does ------------------------------------------------------------------------
def test_a_disk_that_is_full_leaves_nothing_half_written(source: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))  # bytes: no file can be larger
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            score(Doubled(), source, tmp_path / "sink", key="id")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not isinstance(caught.value, BadInputError)
    assert not list((tmp_path / "sink").glob("part-*"))
    assert not list((tmp_path / "sink").glob(".tmp-*"))
    assert score(Doubled(), source, tmp_path / "sink", key="id").rows == 30


def test_a_sink_that_cannot_be_written_is_an_error_of_the_system(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        score(Doubled(), source, tmp_path / "file" / "sink", key="id")


def test_an_interrupted_job_goes_on(source: Path, tmp_path: Path) -> None:
    def interrupt(done: int, of: int | None) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(Patient(), source, tmp_path / "sink", key="id", n_workers=1, progress=interrupt)
    assert not list((tmp_path / "sink").glob(".tmp-*"))
    report = score(Doubled(), source, tmp_path / "sink", key="id")
    assert report.rows == 30
    assert 1 <= report.kept <= 3


def test_progress_counts_rows_and_knows_how_many_there_are(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    score(Doubled(), source, tmp_path / "sink", key="id", progress=lambda *rows: told.append(rows))
    assert told == [(0, 30), (10, 30), (20, 30), (30, 30)]


def test_a_damaged_result_is_made_again(source: Path, tmp_path: Path) -> None:
    sink = tmp_path / "sink"
    score(Doubled(), source, sink, key="id")
    whole = results(sink)
    path = next(sink.glob("part-day-1*"))
    path.write_bytes(path.read_bytes()[:-1])
    assert score(Doubled(), source, sink, key="id").kept == 2
    assert results(sink) == whole


@pytest.mark.parametrize("name", ["notes.txt", "part-of-something.parquet"])
def test_what_is_not_ours_is_left_alone(name: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "sink").mkdir()
    (tmp_path / "sink" / name).write_text("mine")
    for replace in (False, True):
        with pytest.raises(SinkError, match="not empty"):
            score(Doubled(), source, tmp_path / "sink", key="id", replace=replace)
    assert (tmp_path / "sink" / name).read_text() == "mine"


def test_a_file_that_is_gone_is_noticed(source: Path, tmp_path: Path) -> None:
    score(Doubled(), source, tmp_path / "sink", key="id")
    (source / "day-1.parquet").unlink()
    with pytest.raises(SinkError, match=r"part-day-1.* no longer has"):
        score(Doubled(), source, tmp_path / "sink", key="id")
    assert score(Doubled(), source, tmp_path / "sink", key="id", replace=True).rows == 20


# --- chunks, keys, sources -----------------------------------------------------------------------
@given(n=st.integers(1, 60), memory=st.integers(1, 4000), rows_per_partition=st.integers(1, 80))
@settings(max_examples=12)
def test_no_cut_of_the_rows_changes_an_answer(n: int, memory: int, rows_per_partition: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "rows.parquet", 0, n)
        options = {"memory": memory, "rows_per_partition": rows_per_partition}
        score(Doubled(), path, Path(folder) / "sink", key="id", **options)
        found = predictions(Path(folder) / "sink")
        assert found["id"].tolist() == list(range(n))
        assert found["prediction"].tolist() == [2.0 * i + 1 for i in range(n)]


def test_chunks_fit_into_the_memory_that_is_given() -> None:
    assert rows_per_chunk(8, 2**30) == 65_536
    assert rows_per_chunk(1000, 8_000 * 1000) == 512
    assert rows_per_chunk(10**9, 1) == 1


def test_several_columns_may_be_the_key(source: Path, tmp_path: Path) -> None:
    report = score(Doubled(), source, tmp_path / "sink", key=["name", "id"])
    assert report.rows == 30
    found = pq.read_table(tmp_path / "sink")
    assert found.column_names == ["name", "id", "prediction", "model_version"]
    with pytest.raises(
        BadInputError, match=r"row 1: its key \('a',\) is that of day-0.parquet, row 0"
    ):
        score(Doubled(), source, tmp_path / "other", key="name")


def test_keys_with_a_missing_one_among_them_are_compared_as_what_they_are(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source / "a.parquet", 0, 4, id=pa.array([1, None, 3, 4]))
    write(source / "b.parquet", 0, 4, id=pa.array([4, 5, 6, 7]))
    report = score(Doubled(), source, tmp_path / "sink", key="id", on_error="quarantine")
    assert (report.scored, report.quarantined) == (5, 3)
    assert predictions(tmp_path / "sink")["id"].tolist() == [1, 3, 5, 6, 7]


def test_keys_of_two_types_are_no_keys(tmp_path: Path) -> None:
    write(tmp_path / "source" / "a.parquet", 0, 4)
    write(tmp_path / "source" / "b.parquet", 0, 4, id=["4", "5", "6", "7"])
    with pytest.raises(BadInputError, match="its key has the types"):
        score(Doubled(), tmp_path / "source", tmp_path / "sink", key="id")


def test_a_glob_a_file_a_uri_and_a_filesystem_are_sources(source: Path, tmp_path: Path) -> None:
    (source / "_hidden.parquet").write_bytes(b"")
    (source / "notes.txt").write_bytes(b"")
    sources: dict[str, tuple[Any, Any, int]] = {
        "folder": (source, None, 30),
        "glob": (source / "day-[12].parquet", None, 20),
        "file": (str(source / "day-2.parquet"), None, 10),
        "uri": (source.as_uri(), None, 30),
        "pyarrow": ("source", pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), 30),
        "fsspec": (str(source), fsspec.filesystem("file"), 30),
    }
    for name, (given_source, filesystem, n_rows) in sources.items():
        sink = tmp_path / name
        report = score(Doubled(), given_source, sink, key="id", filesystem=filesystem)
        assert report.rows == n_rows, name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_error": "ignore"}, "on_error must be"),
        ({"engine": "spark"}, "engine must be"),
        ({"memory": 0}, "memory must be at least 1"),
        ({"rows_per_partition": 0}, "rows_per_partition must be at least 1"),
        ({"key": "prediction"}, "key must name columns"),
        ({"key": []}, "key must name columns"),
    ],
)
def test_wrong_arguments_are_refused(
    options: dict[str, Any], message: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        score(Doubled(), source, tmp_path / "sink", **{"key": "id", **options})


def test_a_sink_in_its_own_source_is_refused(source: Path) -> None:
    with pytest.raises(ValueError, match="must not lie in the source"):
        score(Doubled(), source, source / "scored", key="id")


@pytest.mark.parametrize("text", ["7", " 7 ", "+7", "7.", "7.0", "70e-1", "0.7E1"])
def test_a_csv_number_may_be_written_in_many_ways(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"id,x,name\n1,{text},a\n")
    score(Doubled(), tmp_path / "rows.csv", tmp_path / "sink", key="id")
    assert predictions(tmp_path / "sink")["prediction"].tolist() == [14.0]


@pytest.mark.parametrize("text", ["1_000", "0x10", "7e", "seven", "7,5"])
def test_what_is_no_csv_number_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f'id,x,name\n1,"{text}",a\n')
    with pytest.raises(BadInputError, match="row 0: 'x' is no number"):
        score(Doubled(), tmp_path / "rows.csv", tmp_path / "sink", key="id")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for n in (600_000, 2_400_000):
        rows = {"id": np.arange(n), "x": np.ones(n), "name": pa.array(["a"] * n)}
        (tmp_path / f"{n}").mkdir()
        path = tmp_path / f"{n}" / "rows.parquet"
        pq.write_table(pa.table(rows), path, row_group_size=100_000)
        options: dict[str, Any] = {"n_workers": 1, "rows_per_partition": 100_000}
        peaks.append(megabytes(partial(score, Doubled(), path, f"{path}-s", key="id", **options)))
    assert peaks[1] < 1.3 * peaks[0]


# --- answers -------------------------------------------------------------------------------------
@pytest.fixture
def answers(source: Path, tmp_path: Path) -> Iterator[Answers]:
    score(Doubled(), source, tmp_path / "sink", key="id")
    store = Answers(tmp_path / "answers.db")
    assert store.load(tmp_path / "sink") == 30
    yield store
    store.close()


def test_a_known_key_is_looked_up_and_says_how_old_it_is(answers: Answers) -> None:
    answer = answers.lookup(12)
    assert answer is not None
    assert (answer.value, answer.model_version, answer.origin) == (5.0, "v1", "batch")
    assert 0 <= answer.age < 600
    assert answers.lookup("12") is None


def test_an_unknown_key_and_an_old_answer_are_asked_in_real_time(answers: Answers) -> None:
    assert answers.lookup(99) is None
    fresh = answers.lookup(99, fallback=lambda: 7.0, model_version="v2")
    assert fresh is not None
    assert (fresh.value, fresh.model_version, fresh.origin) == (7.0, "v2", "online")
    assert answers.lookup(99) is None
    assert answers.lookup(12, max_age=0) is None
    renewed = answers.lookup(12, max_age=0, fallback=lambda: 8.0, keep=True)
    assert renewed is not None
    kept = answers.lookup(12)
    assert kept is not None
    assert (kept.value, kept.origin) == (8.0, "online")


def test_a_load_replaces_all_answers_or_none(
    answers: Answers, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="no completed batch job"):
        answers.load(tmp_path / "nothing")
    assert answers.lookup(12) is not None
    (source / "day-1.parquet").unlink()
    score(Doubled(), source, tmp_path / "sink", key="id", replace=True)
    assert answers.load(tmp_path / "sink") == 20
    assert answers.lookup(12) is None


# --- the command ---------------------------------------------------------------------------------
def command(*arguments: Any) -> int:
    """Of `patterns score`."""
    return main(["score", *map(str, arguments)])


def test_the_command_scores_with_a_saved_artifact(
    artifact: ServingArtifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact.save(tmp_path / "model.zip")
    pq.write_table(raw(100, 50, carrier=["ZZ"] * 50), tmp_path / "rows.parquet")
    given_paths = (tmp_path / "model.zip", tmp_path / "rows.parquet", tmp_path / "sink")
    assert command(*given_paths, "--key", "id") == 0
    printed = capsys.readouterr().out
    assert "50 rows: 50 scored, 0 quarantined." in printed
    assert "unknown carrier: 50" in printed
    assert set(pq.read_table(tmp_path / "sink")["model_version"].to_pylist()) == {artifact.version}
    assert command(*given_paths, "--key", "id") == 0
    assert "1 partitions, 1 of them from an earlier run." in capsys.readouterr().out


def test_the_command_says_what_is_wrong(
    artifact: ServingArtifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact.save(tmp_path / "model.zip")
    pq.write_table(BAD_ROWS["NaN"][0], tmp_path / "rows.parquet")
    given_paths = (tmp_path / "model.zip", tmp_path / "rows.parquet", tmp_path / "sink")
    assert command(*given_paths, "--key", "id") == 1
    assert "rows.parquet, row 7: 'miles' must not be missing" in capsys.readouterr().err
    assert command(*given_paths, "--key", "id", "--on-error", "quarantine") == 0
    assert "50 rows: 49 scored, 1 quarantined." in capsys.readouterr().out
    assert command(*given_paths, "--key", "carrier") == 2
    assert "holds the results of another job" in capsys.readouterr().err
    assert command(tmp_path / "rows.parquet", *given_paths[1:], "--key", "id") == 2
    assert "is no artifact" in capsys.readouterr().err
    assert command(given_paths[0], tmp_path / "none", given_paths[2], "--key", "id") == 3
    assert "there is no Parquet or CSV file" in capsys.readouterr().err
