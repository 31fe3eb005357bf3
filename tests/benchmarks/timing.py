"""What all benchmarks share: times as ratios, for a shared machine is no place for a stopwatch.

``report`` prints what was measured. With ``--record`` it keeps all rounds in ``results/``, beside a
description of the machine; the page of benchmarks is made from these files.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from patterns._kit.pages import comparison_table
from patterns._kit.tables import table_text
from patterns._kit.workers import cores

RESULTS = Path(__file__).parent / "results"
LOAD = psutil.getloadavg()[0]  # of the last minute, before anything is measured


@dataclass(frozen=True)
class Comparison:
    """One table: for each row and each column, what was measured in each round."""

    title: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[Sequence[float]]]


def ratios(one: Callable[[], object], other: Callable[[], object], rounds: int = 7) -> list[float]:
    """For each round, the time of one relative to the other; before them, each is called once."""

    def seconds(function: Callable[[], object]) -> float:
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    one(), other()  # what is imported or compiled on the first call is not what is compared
    return [seconds(one) / seconds(other) for _ in range(rounds)]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="keep the outcome for the site")
    return parser


def report(
    file: str,
    comparisons: Sequence[Comparison],
    packages: Sequence[str],
    record: bool,
    group: str = "",
) -> None:
    """Print tables; with ``record``, keep them.

    Parameters
    ----------
    file : str
        The benchmark's ``__file__``.
    comparisons : sequence of Comparison
    packages : sequence of str
        What was measured, as installed.
    record : bool
    group : str
        The dependency group that the benchmark needs, if any.
    """
    for comparison in comparisons:
        print(f"{comparison.title}\n\n{table_text(comparison_table(asdict(comparison)), 200)}\n")
    if not record:
        return
    name, wanted = Path(file).stem, [f"--group {group}"] if group else []
    settings = [word for word in sys.argv[1:] if word != "--record"]
    kept = {
        "command": " ".join(["uv run", *wanted, f"python tests/benchmarks/{name}.py", *settings]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": cores(),
            "gigabytes": round(psutil.virtual_memory().total / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}",
            "load": round(LOAD, 1),
        },
        "versions": {
            "Python": platform.python_version(),
            **{package: _version(package) for package in packages},
        },
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    rounded = json.loads(json.dumps(kept), parse_float=lambda text: float(f"{float(text):.4g}"))
    path.write_text(json.dumps(rounded, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"Recorded in {path}.")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(
            line.partition(":")[2].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str:
    """Of an installed package, or of its build without GPU code."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{package}-cpu")
