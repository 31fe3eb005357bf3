"""Run an example over seeds, each in a process of its own, and keep what it found."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from threadpoolctl import threadpool_limits

from patterns._kit.cards import PATTERNS, Card
from patterns._kit.evidence import Evidence

DOCUMENTED_SEEDS = 5

# Seeds already share the cores; threads inside each would only compete for them, and sums whose
# order depends on the number of threads would make results differ from machine to machine.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}

FIGURE_STYLE: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 150,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "ml-design-patterns",  # the same drawing gives the same file
}


@dataclass(frozen=True)
class Run:
    """What to run: a pattern's example with a configuration, over seeds."""

    card: Card
    config: Any  # the example's Config; its `seed` is replaced by each of the seeds
    seeds: tuple[int, ...]
    out: Path
    jobs: int = 0  # processes at a time; 0 takes as many as there are cores

    @property
    def fingerprint(self) -> str:
        """Of all that the outcome of a seed depends on in this project."""
        digest = hashlib.sha256(repr(replace(self.config, seed=0)).encode())
        for folder in (self.card.folder, PATTERNS / "_kit", PATTERNS.parent / "datasets"):
            for source in sorted(folder.glob("*.py")):
                digest.update(source.read_bytes())
        return digest.hexdigest()


def load_example(slug: str) -> ModuleType:
    """Import ``patterns.<slug>.example``: this is where heavy packages come in."""
    return importlib.import_module(f"patterns.{slug}.example")


def run(job: Run, progress: Callable[[int, int], None] = lambda done, of: None) -> Evidence:
    """Run every seed and judge the claims; write ``results.json`` and the figures to ``job.out``.

    A seed's outcome is kept until all seeds are done, so an interrupted run takes up where it
    stopped, provided that neither code nor configuration has changed since.

    Parameters
    ----------
    progress : function of the number of finished seeds and of all seeds

    Raises
    ------
    Exception
        Whatever the example raises, from the first seed that fails.
    """
    example = load_example(job.card.slug)
    started = time.perf_counter()
    job.out.mkdir(parents=True, exist_ok=True)
    fingerprint = job.fingerprint
    kept = {seed: job.out / f"seed-{seed}.json" for seed in job.seeds}
    done = {seed: path for seed, path in kept.items() if _is_current(path, fingerprint)}
    progress(len(done), len(job.seeds))

    todo = [seed for seed in job.seeds if seed not in done]
    tasks = [
        (
            job.card.slug,
            replace(job.config, seed=seed),
            seed == job.seeds[0],
            kept[seed],
            fingerprint,
        )
        for seed in todo
    ]
    for i, _ in enumerate(_each(tasks, min(job.jobs or _cores(), len(tasks))), start=1):
        progress(len(done) + i, len(job.seeds))

    metrics = [json.loads(path.read_text("utf-8"))["metrics"] for path in kept.values()]
    evidence = Evidence(
        pattern=job.card.slug,
        config={k: v for k, v in asdict(job.config).items() if k != "seed"},
        seeds=job.seeds,
        seconds=round(time.perf_counter() - started, 1),
        versions={name: _version(name) for name in job.card.packages},
        glossary=example.GLOSSARY,
        metrics={name: tuple(seed[name] for seed in metrics) for name in metrics[0]},
        verdicts=tuple(claim.judge(metrics) for claim in example.CLAIMS),
    )
    (job.out / "results.json").write_text(evidence.to_json(), "utf-8")
    for path in kept.values():
        path.unlink()
    return evidence


def _version(package: str) -> str:
    """Of an installed package, or of its build without GPU code, where that is installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{package}-cpu")


def _each(tasks: list[tuple[Any, ...]], n_workers: int) -> Iterator[None]:
    """Run the tasks, here if one at a time is enough, else in worker processes."""
    if n_workers <= 1:
        for task in tasks:
            with threadpool_limits(1), _environment(ONE_THREAD):
                _run_seed(*task)
            yield
        return
    with _workers(n_workers) as pool:
        for finished in as_completed([pool.submit(_run_seed, *task) for task in tasks]):
            yield finished.result()


def _run_seed(slug: str, config: Any, draw: bool, path: Path, fingerprint: str) -> None:
    """Run one seed, draw its figures if asked, and keep its metrics."""
    result = load_example(slug).run(config)
    if draw:
        _draw(result.figures, path.parent)
    content = {"fingerprint": fingerprint, "metrics": dict(result.metrics)}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content), "utf-8")
    os.replace(partial, path)  # so that a file under its final name is a whole one


def _draw(figures: Mapping[str, Callable[[], Any]], out: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    for name, draw in figures.items():
        with matplotlib.rc_context(FIGURE_STYLE):
            figure = draw()
            figure.savefig(out / f"{name}.svg", metadata={"Date": None})
            figure.savefig(out / f"{name}.png")
            plt.close(figure)


def _is_current(path: Path, fingerprint: str) -> bool:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):  # not there, or damaged: then it is measured again
        return False
    return isinstance(kept, dict) and kept.get("fingerprint") == fingerprint


@contextmanager
def _workers(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that stop at once when the run fails or is interrupted."""
    with _environment(ONE_THREAD):  # inherited by the workers, before they import anything
        pool = ProcessPoolExecutor(
            n_workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=signal.signal,  # an interrupt is the parent's to handle
            initargs=(signal.SIGINT, signal.SIG_IGN),
        )
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and set them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
