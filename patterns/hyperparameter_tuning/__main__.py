"""Tune from the command line: ``python -m patterns.hyperparameter_tuning MODULE:FUNCTION``.

The function is the objective: it takes an Optuna trial and returns a number. The study is kept in a
journal, so an interrupted or killed search continues with ``--resume``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import optuna

from patterns.hyperparameter_tuning.pattern import tune
from patterns.hyperparameter_tuning.progress import progress_bar

SAMPLERS: dict[str, Callable[[int | None], optuna.samplers.BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "cma-es": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
}
PRUNERS: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
    "none": optuna.pruners.NopPruner,
    "median": optuna.pruners.MedianPruner,
    "halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 130 after an interrupt and 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m patterns.hyperparameter_tuning", description=__doc__.split("\n\n")[1]
    )
    parser.add_argument("objective", metavar="MODULE:FUNCTION", help="such as my_search:objective")
    parser.add_argument("--journal", type=Path, default=Path("study.journal"), help="its file")
    parser.add_argument("--n-trials", type=int, default=20, help="of the study, in the end")
    parser.add_argument("--resume", action="store_true", help="continue the study in the journal")
    parser.add_argument("--workers", type=int, default=1, help="processes at a time")
    parser.add_argument("--direction", choices=("minimize", "maximize"), default="minimize")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
    parser.add_argument("--pruner", choices=PRUNERS, default="median")
    parser.add_argument("--seed", type=int, help="of the sampler, in the first process")
    given = parser.parse_args(arguments)
    has_trials = given.journal.exists() and given.journal.stat().st_size > 0
    if has_trials != given.resume:
        parser.error(
            f"{given.journal} is there already: give --resume to continue it, or another --journal"
            if has_trials
            else f"there is nothing to resume in {given.journal}"
        )
    if given.n_trials < 1 or given.workers < 1:
        parser.error("--n-trials and --workers must be at least 1")
    try:
        _objective(given.objective)
    except (ImportError, AttributeError, ValueError) as error:
        parser.error(f"{given.objective} is no objective: {error}")

    # Spawned processes find the function under this name, and not under that of the main module.
    from patterns.hyperparameter_tuning.__main__ import _work

    others = [
        multiprocessing.get_context("spawn").Process(target=_work, args=(given, False))
        for _ in range(given.workers - 1)
    ]
    # They inherit that they do not hear an interrupt, from their first line on; this process ends
    # them, and what they were at is run again.
    hears = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in others:
        process.start()
    signal.signal(signal.SIGINT, hears)
    try:
        study = _work(given, True)
        for process in others:
            process.join()
    except KeyboardInterrupt:
        for process in others:
            process.terminate()
        print(f"interrupted; continue with --resume --journal {given.journal}", file=sys.stderr)
        return 130
    except (RuntimeError, ValueError) as error:
        for process in others:
            process.terminate()
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"value": study.best_value, "params": study.best_params}, indent=1))
    print(
        "The value is the best of many, so it flatters. Judge these parameters on data that the "
        "search never saw.",
        file=sys.stderr,
    )
    return 0


def _objective(name: str) -> Callable[[optuna.Trial], float]:
    module, _, function = name.partition(":")
    if not module or not function:
        raise ValueError("write it as MODULE:FUNCTION")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    objective: Callable[[optuna.Trial], float] = getattr(importlib.import_module(module), function)
    return objective


def _work(given: argparse.Namespace, shows: bool) -> Any:
    """Search in this process. The first one shows the progress of all; the others end with it."""
    if not shows:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with progress_bar(given.n_trials) if shows else nullcontext() as bar:
        return tune(
            _objective(given.objective),
            given.n_trials,
            given.journal,
            direction=given.direction,
            sampler=SAMPLERS[given.sampler](given.seed),
            pruner=PRUNERS[given.pruner](),
            callbacks=[] if bar is None else [bar],
        )


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
