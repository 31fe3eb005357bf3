"""Labels that nothing can predict: what a search believes to have found, and a nested one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from patterns._kit.evidence import Claim, Experiment, Result
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.pattern import nested, tune

N_ROWS, N_FEATURES, N_FOLDS = 80, 10, 4
TRIALS = (1, 10, 30)
Rows = NDArray[np.intp]


def folds(rows: Rows) -> list[tuple[Rows, Rows]]:
    """Each fourth of the rows as a test."""
    return [
        (np.concatenate([*parts[:i], *parts[i + 1 :]]), parts[i])
        for parts in [np.array_split(rows, N_FOLDS)]
        for i in range(N_FOLDS)
    ]


def accuracy(X: Any, y: Any, train: Rows, test: Rows, params: dict[str, Any]) -> float:
    """Of the nearest neighbors, with some of the features."""
    near = X[test][:, None] - X[train][None]
    used = params["features"] >> np.arange(N_FEATURES) & 1  # its bits
    order = np.argsort(near**2 @ used, axis=1, kind="stable")
    votes = y[train][order[:, : params["n_neighbors"]]].mean(axis=1)
    return float(np.mean((votes > 0.5) == y[test]))


def search(X: Any, y: Any, n_trials: int, seed: int) -> Callable[[Rows], optuna.Study]:
    """A search by cross-validation on the rows that it is given."""

    def run(rows: Rows) -> optuna.Study:
        def objective(trial: optuna.Trial) -> float:
            params = {
                "n_neighbors": trial.suggest_int("n_neighbors", 1, 15, step=2),
                "features": trial.suggest_int("features", 1, 2**N_FEATURES - 1),
            }
            return float(np.mean([accuracy(X, y, *fold, params) for fold in folds(rows)]))

        sampler = optuna.samplers.RandomSampler(seed=seed)
        return tune(objective, n_trials, direction="maximize", sampler=sampler)

    return run


def measure(config: Config) -> Result:
    """Mean accuracy over tables of noise; the truth is one half."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rng = np.random.default_rng(config.seed)
    found: dict[str, list[float]] = {}
    for table in range(config.n_noises):
        X, y = rng.normal(size=(N_ROWS, N_FEATURES)), rng.integers(0, 2, N_ROWS)

        def score(train: Rows, test: Rows, winner: FrozenTrial, X: Any = X, y: Any = y) -> float:
            return accuracy(X, y, train, test, winner.params)

        longest = search(X, y, TRIALS[-1], table)(np.arange(N_ROWS))
        for n in TRIALS:
            own = max(trial.value or 0 for trial in longest.trials[:n])
            found.setdefault(f"noise.search_score.accuracy_{n}", []).append(own)
            scores = nested(search(X, y, n, table), score, folds(np.arange(N_ROWS)))
            honest = np.mean([one.honest for one in scores])
            found.setdefault(f"noise.nested.accuracy_{n}", []).append(float(honest))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    methods = ("search_score", "nested")
    metrics = {
        f"noise.{m}.accuracy_{n}": means[f"noise.{m}.accuracy_{n}"] for m in methods for n in TRIALS
    }
    return Result(metrics | {f"noise.truth.accuracy_{n}": 0.5 for n in TRIALS})


CLAIMS = [
    Claim(
        "the-search-believes-noise",
        "mechanism",
        "On labels that nothing can predict, the best of 30 trials has a cross-validated accuracy "
        "that is at least {at_least} above the truth, one half.",
        lambda m: m["noise.search_score.accuracy_30"] - 0.5,
        at_least=0.03,
    ),
    Claim(
        "nested-evaluation-does-not",
        "mechanism",
        "Nested evaluation of the same search is off by at most {at_most}, after 1, 10 and 30 "
        "trials.",
        lambda m: max(abs(m[f"noise.nested.accuracy_{n}"] - 0.5) for n in TRIALS),
        at_most=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="What does a search find in noise?",
    data="synthetic",
    measure=measure,
    roles={"search_score": "baseline", "nested": "pattern", "truth": "best possible"},
    claims=CLAIMS,
)
