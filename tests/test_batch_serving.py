"""Batch serving: each row once, whatever happens, and bad input told apart from good."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from patterns.batch_serving import BadInputError, SinkError, score


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


# --- kills ---------------------------------------------------------------------------------------
KILLS = """
import os, random, shutil, signal, sys, time
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
