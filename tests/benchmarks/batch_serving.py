"""Rows per second and memory of batch serving, beside engines that a user would pick instead.

Run with ``uv run --group benchmarks python tests/benchmarks/batch_serving.py``. Each line is one
engine in processes of its own: rows per second with all cores, start and end of the engine left
out, the ratio to batch serving in the same round, and the peak of the memory of all its processes
(proportional set size). All engines ask the same trees and write key and prediction. The floor is
read, predict and write one after the other, each on all cores, with nothing else.

``--rows 1000000 --engines local`` and the same with 20000000 show that memory does not grow.
"""

from __future__ import annotations

import argparse
import logging
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from timing import Comparison, arguments, report

from patterns.batch_serving import score
from patterns.batch_serving.evidence.flights import INPUTS, N_TRAIN, Delays, drawn, flights

ROWS_PER_FILE = 250_000
N_ROUNDS = 200
COLUMNS = ["id", *INPUTS]
N_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load(folder: Path) -> Delays:
    """The model, as each process loads it."""
    return pickle.loads((folder / "model.pickle").read_bytes())


class Predict:
    """What engines with workers of their own call, batch after batch."""

    def __init__(self, folder: Path) -> None:
        self.model = load(folder)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Key and prediction of a table."""
        answers = self.model.predict(rows.combine_chunks().to_batches()[0])
        return pa.table({"id": rows["id"], "prediction": answers})


def _floor(folder: Path, source: Path, sink: Path) -> float:
    model, files = load(folder), sorted(source.iterdir())
    model.booster.set_param({"nthread": N_CORES})
    sink.mkdir()
    began = time.perf_counter()
    for path in files:
        rows = pq.read_table(path, columns=COLUMNS).combine_chunks()
        answers = model.predict(rows.to_batches()[0])
        pq.write_table(pa.table({"id": rows["id"], "prediction": answers}), sink / path.name)
    return time.perf_counter() - began


def _local(folder: Path, source: Path, sink: Path) -> float:
    return score(load(folder), source, sink, key="id").seconds


def _dask_executor(folder: Path, source: Path, sink: Path) -> float:
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(n_workers=N_CORES, **options) as cluster, Client(cluster) as client:
        client.run(load, folder)  # imports what workers need
        with client.get_executor(pure=False) as engine:
            return score(partial(load, folder), source, sink, key="id", engine=engine).seconds


def _ray_core(folder: Path, source: Path, sink: Path) -> float:
    """The same function as a task of Ray for each partition."""
    import ray

    from patterns.batch_serving.pattern import Job, find_files, partitions, score_partition

    ray.init(num_cpus=N_CORES, include_dashboard=False, logging_level=logging.ERROR)
    files, filesystem = find_files(source)
    job = Job(sink, ("id",), filesystem)
    for name in ("_manifest", "_quarantine", "_keys"):
        (sink / name).mkdir(parents=True)

    @ray.remote
    def task(part: object) -> object:
        return score_partition(load(folder), part, job)  # type: ignore[arg-type]

    ray.get([ray.remote(load).remote(folder) for _ in range(N_CORES)])
    began = time.perf_counter()
    ray.get([task.remote(p) for f in files for p in partitions(*f, job, 2**18)])
    seconds = time.perf_counter() - began
    ray.shutdown()
    return seconds


def _ray_data(folder: Path, source: Path, sink: Path) -> float:
    import ray

    ray.init(num_cpus=N_CORES, include_dashboard=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    began = time.perf_counter()
    rows = ray.data.read_parquet(str(source), columns=COLUMNS)
    options = {"batch_format": "pyarrow", "batch_size": 65_536}
    scored = rows.map_batches(
        Predict, fn_constructor_args=(folder,), concurrency=max(1, N_CORES - 1), **options
    )
    scored.write_parquet(str(sink))
    seconds = time.perf_counter() - began
    ray.shutdown()
    return seconds


def _dask_frame(folder: Path, source: Path, sink: Path) -> float:
    import dask
    import dask.dataframe as dd
    import pandas as pd

    model = load(folder)

    def predict(frame: pd.DataFrame) -> pd.DataFrame:
        table = pa.Table.from_pandas(frame[list(INPUTS)], preserve_index=False).combine_chunks()
        answers = model.predict(table.to_batches()[0]) if len(frame) else np.empty(0)
        return pd.DataFrame({"id": frame["id"], "prediction": answers})

    began = time.perf_counter()
    frame = dd.read_parquet(source, columns=COLUMNS)
    scored = frame.map_partitions(predict, meta={"id": "i8", "prediction": "f8"})
    with dask.config.set(scheduler="threads", num_workers=N_CORES):
        scored.to_parquet(sink)
    return time.perf_counter() - began


def _pandas(folder: Path, source: Path, sink: Path) -> float:
    import pandas as pd

    model = load(folder)
    model.booster.set_param({"nthread": N_CORES})
    sink.mkdir()
    began = time.perf_counter()
    for path in sorted(source.iterdir()):
        frame = pd.read_parquet(path, columns=COLUMNS)
        table = pa.Table.from_pandas(frame[list(INPUTS)], preserve_index=False).combine_chunks()
        answers = model.predict(table.to_batches()[0])
        pd.DataFrame({"id": frame["id"], "prediction": answers}).to_parquet(sink / path.name)
    return time.perf_counter() - began


def _polars(folder: Path, source: Path, sink: Path) -> float:
    """Features by expressions of polars, one file per thread."""
    import polars as pl

    model = load(folder)
    sink.mkdir()
    codes = [
        pl.col(name).replace_strict(model.position[name], default=-1, return_dtype=pl.Float32)
        for name in model.position
    ]
    hour = pl.col("departure").str.slice(11, 2).cast(pl.Float32)

    def one(path: Path) -> None:
        features = [hour, *codes, pl.col("distance").cast(pl.Float32)]
        table = pl.scan_parquet(path).select("id", *features).collect()
        answers = model.booster.inplace_predict(
            table.drop("id").to_numpy(order="c"), validate_features=False
        )
        table.select("id").with_columns(prediction=answers).write_parquet(sink / path.name)

    began = time.perf_counter()
    with ThreadPoolExecutor(N_CORES) as pool:
        list(pool.map(one, sorted(source.iterdir())))
    return time.perf_counter() - began


def _duckdb(folder: Path, source: Path, sink: Path) -> float:
    import duckdb

    model = load(folder)
    model.booster.set_param({"nthread": N_CORES})
    sink.mkdir()
    began = time.perf_counter()
    with duckdb.connect() as connection:
        query = f"select {', '.join(COLUMNS)} from '{source}/*.parquet'"
        reader = connection.execute(query).to_arrow_reader(65_536)
        schema = pa.schema({"id": pa.int64(), "prediction": pa.float64()})
        with pq.ParquetWriter(sink / "all.parquet", schema) as writer:
            for rows in reader:
                content = [rows["id"], pa.array(model.predict(rows))]
                writer.write_batch(pa.record_batch(content, schema=schema))
    return time.perf_counter() - began


ENGINES: dict[str, Callable[[Path, Path, Path], float]] = {
    "floor": _floor,
    "local": _local,
    "polars": _polars,
    "pandas": _pandas,
    "duckdb": _duckdb,
    "dask_frame": _dask_frame,
    "dask_executor": _dask_executor,
    "ray_core": _ray_core,
    "ray_data": _ray_data,
}


def run(name: str, folder: Path, source: Path, sink: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of an engine, in processes of its own."""
    import psutil

    shutil.rmtree(sink, ignore_errors=True)
    own = [sys.executable, __file__, "--one", name, str(folder), str(source), str(sink)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    variables |= {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryFile("w+") as errors, tempfile.TemporaryFile("w+") as out:
        # A session of its own: Ray's processes leave the tree, and not the session's group.
        child = subprocess.Popen(own, env=variables, stdout=out, stderr=errors)
        peak = 0
        while child.poll() is None:
            try:
                me = psutil.Process(child.pid)
                family = [me, *me.children(recursive=True)]
                peak = max(peak, sum(_pss(process) for process in family))
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.2)
        out.seek(0)
        errors.seek(0)
        if child.returncode:
            raise RuntimeError(f"{name}: {errors.read()[-2000:]}")
        return float(out.read().split()[-1]), peak / 1e6


def _pss(process: object) -> int:
    import psutil

    try:
        return int(process.memory_full_info().pss)  # type: ignore[attr-defined]
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def make(folder: Path, n_rows: int) -> Path:
    """Files of flights that are drawn from the real ones, and the model."""
    rng = np.random.default_rng(0)
    table = flights()
    model = Delays(drawn(table, N_TRAIN, rng), N_ROUNDS, 0)
    (folder / "model.pickle").write_bytes(pickle.dumps(model))
    source = folder / "source"
    source.mkdir()
    for i in range(-(-n_rows // ROWS_PER_FILE)):
        rows = drawn(table, min(ROWS_PER_FILE, n_rows - i * ROWS_PER_FILE), rng)
        rows["id"] += i * ROWS_PER_FILE
        content = pa.Table.from_pandas(rows[COLUMNS], preserve_index=False)
        pq.write_table(content, source / f"flights-{i:04d}.parquet")
    return source


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        warnings.simplefilter("ignore")
        name, *paths = options.one
        print(ENGINES[name](*map(Path, paths)))
        return
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        source = make(folder, options.rows)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in options.engines}
        for _ in range(options.repeats):
            for name in options.engines:
                found[name].append(run(name, folder, source, folder / "sink"))
                seconds, peak = found[name][-1]
                print(f"  {name}: {seconds:.1f} s, {peak:.0f} MB", file=sys.stderr, flush=True)
    rows = {}
    for name, rounds in found.items():
        pairs = zip(found.get("local", rounds), rounds, strict=True)
        to_local = [local[0] / own[0] for local, own in pairs]
        rates = [options.rows / seconds for seconds, _ in rounds]
        rows[name] = [to_local, rates, [peak for _, peak in rounds]]
    columns = ["rows per second, to local", "rows per second", "peak memory, MB"]
    table = Comparison(f"Engines, {options.rows:,} rows", columns, rows)
    installed = [name for name in ("polars", "duckdb", "dask", "ray") if find_spec(name)]
    packages = ["xgboost", "pyarrow", "pandas", *installed]
    report(__file__, [table], packages, options.record, group="benchmarks")


if __name__ == "__main__":
    main()
