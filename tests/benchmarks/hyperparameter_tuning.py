"""Ratios of the hyperparameter tuning pattern: what a trial costs beside its training.

Run with ``uv run python tests/benchmarks/hyperparameter_tuning.py``. Each line is the time of 50
trials with five reports each, relative to a random search in memory; medians over rounds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import optuna
from timing import Comparison, arguments, ratios, report

from patterns.hyperparameter_tuning import report_and_prune, tune

N_TRIALS, N_REPORTS = 50, 5
ROUNDS = 3


def losses(x: float) -> Iterator[tuple[int, float]]:
    """A training that takes no time."""
    for step in range(1, N_REPORTS + 1):
        yield step, x + 1 / step


def objective(trial: optuna.Trial) -> float:
    """Two parameters."""
    x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
    return report_and_prune(trial, losses(x + y))


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    rows = {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    number = count()
    with tempfile.TemporaryDirectory() as folder:

        def search(storage: str | None, sampler: Any, pruner: Any) -> None:
            place = None if storage is None else storage.format(Path(folder) / f"{next(number)}")
            tune(objective, N_TRIALS, place, sampler=sampler(seed=0), pruner=pruner())

        random, tpe = optuna.samplers.RandomSampler, optuna.samplers.TPESampler
        never, median = optuna.pruners.NopPruner, optuna.pruners.MedianPruner
        for name, ways in {
            "random, memory": (None, random, never),
            "random, memory, pruned": (None, random, median),
            "random, journal": ("{}.journal", random, never),
            "random, SQLite": ("sqlite:///{}.db", random, never),
            "TPE, memory": (None, tpe, never),
            "TPE, journal": ("{}.journal", tpe, never),
        }.items():
            rows[name] = [
                ratios(lambda ways=ways: search(*ways), lambda: search(None, random, never), ROUNDS)
            ]
    title = "Time of 50 trials with five reports each, to a random search in memory"
    table = Comparison(title, ["relative time"], rows)
    report(__file__, [table], ["optuna"], options.record)


if __name__ == "__main__":
    main()
