"""Ratios of the stateless service: its routes beside a validated request that computes nothing.

Run with ``uv run python tests/benchmarks/stateless_serving.py``; it needs the load generator wrk, a
package of most systems. One server process has all routes. wrk asks them in turn, in rounds; each
number is the median over rounds of the ratio to the validated no-op of the same round, with one
client and with eight. ``CPU`` is processor time of the server for each request. wrk takes a core of
its own and asks in a closed loop: on two shared cores trust the median and CPU more than the p99.

The second table is an open loop, because users do not wait for each other: requests are sent on
schedule, whatever becomes of those before. Times there are in units of the work of one request.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import uvicorn
from timing import Comparison, arguments, report

from patterns._kit.serving import SERVER
from patterns.stateless_serving import Snapshot, create_app
from patterns.stateless_serving.evidence.overload import OPEN_LOOP, WORK, Sleeping
from patterns.stateless_serving.evidence.rides import fitted, records, rides
from patterns.stateless_serving.evidence.routes import Together, pipeline, rival_app
from patterns.stateless_serving.evidence.server import client, running
from patterns.stateless_serving.service import Limits
from patterns.stateless_serving.wire import ARROW, JSON
from patterns.transform import OnnxTrees

CLIENTS = (1, 8)
N_TRAIN, N_ROUNDS = 10_000, 200
N_BODIES = 500  # different ones, in turn
LOADS = (0.5, 0.9, 1.7, 3.0)  # requests offered, times what can be answered
N_OFFERED = 200
BOUND = 4
TENSORS = {"temperature": "FP64", "usual": "FP64"}  # the others are BYTES

SCRIPT = r"""
local bodies, at, headers = {}, 0, {["content-type"] = "%s"}
local n_json = {}
for line in io.lines("%s") do
  local size, hex = line:match("(%%d+) (%%x+)")
  bodies[#bodies + 1] = hex:gsub("..", function(two) return string.char(tonumber(two, 16)) end)
  n_json[#n_json + 1] = size
end
function request()
  at = at %% #bodies + 1
  if n_json[at] ~= "0" then headers["Inference-Header-Content-Length"] = n_json[at] end
  return wrk.format("POST", nil, headers, bodies[at])
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("found %%f %%f %%f %%d %%d\n", latency:percentile(50),
    latency:percentile(99), summary.duration, summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of wrk (default 5); 0 leaves it out")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.serve))
        return
    if options.rounds and not shutil.which("wrk"):
        raise SystemExit("The load generator wrk is missing: apt-get install wrk, or --rounds 0.")
    tables = [*closed_loop(options.rounds)] if options.rounds else []
    packages = ["fastapi", "uvicorn", "xgboost", "onnxruntime", "pyarrow"]
    report(__file__, [*tables, open_loop()], packages, options.record)


# --- routes --------------------------------------------------------------------------------------


def serve(folder: Path) -> None:
    """Serve all applications until a signal comes."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    artifact = fitted(N_TRAIN, N_ROUNDS, 0)
    file = folder / "pipeline.joblib"
    joblib.dump(pipeline(N_TRAIN, N_ROUNDS, 0), file)
    apps = {
        "rival": rival_app(file),
        "xgboost": create_app(Snapshot.of(artifact)),
        "onnx": create_app(Snapshot.of(replace(artifact, engine=OnnxTrees))),
    }
    settings = {**SERVER, "lifespan": "off"}
    config = uvicorn.Config(Together(**apps), port=0, **settings)
    listening = config.bind_socket()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listening])


def as_rows(rows: list[Any]) -> tuple[int, bytes]:
    return 0, json.dumps({"rows": rows}).encode()


def as_columns(rows: list[Any]) -> tuple[int, bytes]:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return 0, json.dumps({"columns": columns}).encode()


def as_arrow(rows: list[Any]) -> tuple[int, bytes]:
    types = [(n, pa.float64() if n in TENSORS else pa.string()) for n in rows[0]]
    table = pa.Table.from_pylist(rows, pa.schema(types))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return 0, bytes(sink.getvalue())


def as_tensors(rows: list[Any], binary: bool = False) -> tuple[int, bytes]:
    """A request of the Open Inference Protocol."""
    inputs, raw = [], b""
    for name in rows[0]:
        kind = TENSORS.get(name, "BYTES")
        values = [row[name] for row in rows]
        tensor: dict[str, Any] = {"name": name, "datatype": kind, "shape": [len(rows)]}
        if binary:
            texts = [b"" if v is None else str(v).encode() for v in values]
            numbers = [np.nan if v is None else v for v in values] if kind == "FP64" else []
            content = np.array(numbers, "<f8").tobytes() or b"".join(
                len(text).to_bytes(4, "little") + text for text in texts
            )
            inputs.append({**tensor, "parameters": {"binary_data_size": len(content)}})
            raw += content
        else:
            inputs.append({**tensor, "data": values})
    text = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary}}).encode()
    return (len(text) if binary else 0), text + raw


def as_binary_tensors(rows: list[Any]) -> tuple[int, bytes]:
    return as_tensors(rows, binary=True)


Form = Callable[[list[Any]], tuple[int, bytes]]
INFER = "onnx/v2/models/model/infer"
ROUTES: dict[str, tuple[str, str, Form, int]] = {
    "validated, computes nothing": ("rival/nothing", JSON, as_rows, 1),
    "ONNX, one row": ("onnx/v1/predict", JSON, as_rows, 1),
    "ONNX, one row as columns": ("onnx/v1/predict", JSON, as_columns, 1),
    "ONNX, one row as tensors": (INFER, JSON, as_tensors, 1),
    "ONNX, as binary tensors": (INFER, "application/octet-stream", as_binary_tensors, 1),
    "XGBoost, one row": ("xgboost/v1/predict", JSON, as_rows, 1),
    "pipeline, loaded once": ("rival/once", JSON, as_rows, 1),
    "pipeline, loaded each time": ("rival/each", JSON, as_rows, 1),
    "ONNX, 100 rows": ("onnx/v1/predict", JSON, as_rows, 100),
    "ONNX, 100 rows as columns": ("onnx/v1/predict", JSON, as_columns, 100),
    "ONNX, 100 rows in Arrow": ("onnx/v1/predict", ARROW, as_arrow, 100),
}


def closed_loop(n_rounds: int) -> Iterator[Comparison]:
    """Ask all routes in turn, and compare them with the first."""
    rows = records(rides(3000, 2016, 0)[0])
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--serve", name]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            wait_for(port)
            scripts = []
            for i, (_, kind, form, n) in enumerate(ROUTES.values()):
                bodies = folder / f"{i}.txt"
                drawn = (form([rows[j] for j in rng.choice(len(rows), n)]) for _ in range(N_BODIES))
                bodies.write_text("\n".join(f"{size} {body.hex()}" for size, body in drawn))
                scripts.append(folder / f"{i}.lua")
                scripts[-1].write_text(SCRIPT % (kind, bodies))
            for n_clients in CLIENTS:
                found: list[list[tuple[float, ...]]] = [[] for _ in ROUTES]
                for _ in range(n_rounds):
                    for i, (path, *_) in enumerate(ROUTES.values()):
                        address = f"http://127.0.0.1:{port}/{path}"
                        found[i].append(one_round(server.pid, address, scripts[i], n_clients))
                yield compared(n_clients, found)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def wait_for(port: int) -> None:
    """Return when the server answers."""
    import socket

    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not start")


def one_round(pid: int, address: str, script: Path, n_clients: int) -> tuple[float, ...]:
    """The p50, the p99, requests per second and processor time per request of one second."""
    before = cpu_seconds(pid)
    for seconds in (1, 4, 16):  # longer where a loaded machine answers nothing in a second
        command = ["wrk", "-t1", f"-c{n_clients}", f"-d{seconds}s", "--timeout", "20s"]
        command += ["-s", str(script), address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        found = re.search(r"found (\S+) (\S+) (\S+) (\d+) (\d+)", done.stdout)
        assert found, done.stdout
        p50, p99, duration, n, n_failed = map(float, found.groups())
        if n_failed:
            raise SystemExit(f"{address}: {n_failed:g} requests failed\n{done.stdout}")
        if n:
            return p50, p99, 1e6 * n / duration, (cpu_seconds(pid) - before) / n
    raise SystemExit(f"{address} does not answer")


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compared(n_clients: int, found: list[list[tuple[float, ...]]]) -> Comparison:
    """One row for each route: in each round, its ratios to the first."""
    p50, _, per_second, cpu = (median(one) for one in zip(*found[0], strict=True))
    title = (
        f"Routes with {n_clients} client{'s' * (n_clients > 1)}, to the no-op: p50 {p50:.0f} µs, "
        f"{per_second:.0f} requests per second, CPU {1e6 * cpu:.0f} µs"
    )
    rows = {}
    for name, rounds in zip(ROUTES, found, strict=True):
        ratios = [
            [own / base for own, base in zip(one, first, strict=True)]
            for one, first in zip(rounds, found[0], strict=True)
        ]
        rows[name] = [list(column) for column in zip(*ratios, strict=True)]
    return Comparison(title, ["p50", "p99", "requests per second", "CPU per request"], rows)


# --- overload ------------------------------------------------------------------------------------


def open_loop() -> Comparison:
    """Offer more and more; what becomes of it with a bound and without."""
    schema = {"x": {"type": "number"}}
    services = {
        "no bound": Limits(inline_bytes=0, threads=1, max_in_flight=10**9),
        f"bound of {BOUND}": Limits(inline_bytes=0, threads=1, max_in_flight=BOUND),
        # Work in the event loop: what has not been accepted cannot be counted.
        f"bound of {BOUND}, inline": Limits(threads=1, max_in_flight=BOUND),
    }
    rows = {}
    for load in LOADS:
        for name, limits in services.items():
            app = create_app(Snapshot(Sleeping(), schema, "1", "1"), limits=limits)
            with running(app) as port:
                body = '{"rows": [{"x": 0}]}'
                given = {"port": port, "gap": WORK / load, "n": N_OFFERED, "body": body}
                found = client(OPEN_LOOP, given)
            status, seconds = np.array(found["work"])[:, :2].T
            taken, refused = seconds[status == 200] / WORK, seconds[status == 503] / WORK
            health = [seconds / WORK for _, seconds, *_ in found["health"]]
            rows[f"{name}, {load:g} times what it can answer"] = [
                [float(np.mean(status == 503))],
                [float(np.median(taken))],
                [float(np.quantile(taken, 0.99))],
                [float(np.median(refused))] if len(refused) else [],
                [max(health)],
            ]
    title = f"{N_OFFERED} requests on schedule; times in units of their work of {1000 * WORK:g} ms"
    columns = ["share refused", "p50", "p99", "refusal, p50", "health check, slowest"]
    return Comparison(title, columns, rows)


if __name__ == "__main__":
    main()
