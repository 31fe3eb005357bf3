"""scikit-learn's searches, where people start, beside a study, on digits at equal cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.svm import SVC

from patterns._kit.evidence import Claim, Experiment, Result, difference, ratio
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.pattern import tune

RANGES = {"C": (1e-2, 1e4), "gamma": (1e-5, 1e-1)}
N_TRIALS = 25


def measure(config: Config) -> Result:
    """Own score, accuracy on digits that no search saw, and rows on which models were trained."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(config.seed).permutation(len(y))
    train, test = rows[: config.n_digits], rows[config.n_digits :]
    folds = StratifiedKFold(3, shuffle=True, random_state=config.seed)
    axes = {name: np.geomspace(*ends, 5) for name, ends in RANGES.items()}
    spread = {name: loguniform(*ends) for name, ends in RANGES.items()}
    full = N_TRIALS * 2 * config.n_digits  # rows of all folds of all trials

    def objective(trial: optuna.Trial) -> float:
        params = {n: trial.suggest_float(n, *ends, log=True) for n, ends in RANGES.items()}
        return float(cross_val_score(SVC(**params), X[train], y[train], cv=folds).mean())

    sampler = optuna.samplers.TPESampler(seed=config.seed)
    study = tune(objective, N_TRIALS, direction="maximize", sampler=sampler)
    halving = HalvingRandomSearchCV(
        SVC(), spread, n_candidates=N_TRIALS, min_resources=100, cv=folds, random_state=config.seed
    )
    searches: dict[str, Any] = {
        "grid_search": GridSearchCV(SVC(), axes, cv=folds),
        "random_search": RandomizedSearchCV(
            SVC(), spread, n_iter=N_TRIALS, cv=folds, random_state=config.seed
        ),
        "halving_search": halving,
    }
    metrics: dict[str, float] = {}

    def add(name: str, params: Any, own: float, cost: float) -> None:
        model = SVC(**params).fit(X[train], y[train])
        honest = float(model.score(X[test], y[test]))
        metrics.update(
            {
                f"digits.{name}.accuracy": honest,
                f"digits.{name}.own_accuracy": own,
                f"digits.{name}.relative_cost": cost / full,
            }
        )

    own = float(cross_val_score(SVC(), X[train], y[train], cv=folds).mean())
    add("default", {}, own, full / N_TRIALS)
    for name, search in searches.items():
        search.fit(X[train], y[train])
        cost = full
        if name == "halving_search":
            sizes = zip(search.n_candidates_, search.n_resources_, strict=True)
            cost = sum(2 * n * size for n, size in sizes)
        add(name, search.best_params_, search.best_score_, cost)
    add("study", study.best_params, study.best_value, full)
    return Result(metrics)


CLAIMS = [
    Claim(
        "a-study-is-no-better-than-a-grid",
        "limit",
        "For two parameters, a study of 25 trials gains at most {at_most} in accuracy over "
        "scikit-learn's grid search of the same cost.",
        difference("digits.study.accuracy", "digits.grid_search.accuracy"),
        at_most=0.015,
    ),
    Claim(
        "halving-costs-less-than-half",
        "parity",
        "HalvingRandomSearchCV finds parameters whose accuracy is at most {at_most} lower, at less "
        "than half of the cost.",
        difference("digits.study.accuracy", "digits.halving_search.accuracy"),
        at_most=0.015,
    ),
    Claim(
        "the-cost-of-halving",
        "mechanism",
        "It trains on at most {at_most} times the rows.",
        ratio("digits.halving_search.relative_cost", "digits.study.relative_cost"),
        at_most=0.5,
    ),
]

EXPERIMENT = Experiment(
    question="Is a study better than the searches of scikit-learn?",
    data="real",
    measure=measure,
    roles={
        "default": "baseline",
        "grid_search": "baseline",
        "random_search": "baseline",
        "halving_search": "baseline",
        "study": "pattern",
    },
    claims=CLAIMS,
)
