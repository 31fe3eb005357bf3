"""Live searches on late flights, beside the defaults, and searches replayed from the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import xgboost as xgb
from optuna.trial import FrozenTrial

from patterns._kit.evidence import Claim, Experiment, Metrics, Result, difference, metric, ratio
from patterns.hyperparameter_tuning.boosting import suggest_xgboost, xgboost_losses
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.evidence.curves import curves
from patterns.hyperparameter_tuning.evidence.late_flights import (
    DEFAULTS,
    FIXED,
    Rows,
    late_flights,
    loss,
)
from patterns.hyperparameter_tuning.pattern import (
    costs_and_values,
    honest_score,
    report_and_prune,
    tune,
)

N_ROUNDS, PATIENCE = 150, 20
JUDGED = ("honest", "drift")


def objective(parts: dict[str, Rows], fixed: dict[str, Any] | None = None) -> Any:
    """Early-stopped boosting; with ``fixed`` parameters, nothing is searched."""
    train, validation = parts["train"].matrix(), parts["validation"].matrix()

    def run(trial: optuna.Trial) -> float:
        params = FIXED | (suggest_xgboost(trial) if fixed is None else fixed)
        losses = xgboost_losses(params, train, validation, loss, N_ROUNDS)
        return report_and_prune(trial, losses, PATIENCE)

    return run


def judge(parts: dict[str, Rows], fixed: dict[str, Any] | None, winner: FrozenTrial) -> Metrics:
    """The loss of the winner, trained for its number of rounds, on rows that no trial saw."""
    params = FIXED | (dict(winner.params) if fixed is None else fixed)
    train = parts["train"].matrix()
    booster = xgb.train(params, train, winner.user_attrs["best_step"])
    return {part: loss(parts[part].y, booster.predict(parts[part].matrix())) for part in JUDGED}


def measure(config: Config) -> Result:
    """The defaults and three searches, and a hundred replays of random searches."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sizes = {"train": config.n_train, "validation": 3000, "honest": 6000, "drift": 6000}
    parts = late_flights(sizes, config.seed)
    sampled = optuna.samplers
    ways: dict[str, Any] = {name: (fixed, 1, None, None) for name, fixed in DEFAULTS.items()}
    n = config.n_trials
    ways["random_search"] = (None, n, sampled.RandomSampler(seed=config.seed), None)
    ways["tpe"] = (None, n, sampled.TPESampler(seed=config.seed), None)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    ways["tpe_pruned"] = (None, n, sampled.TPESampler(seed=config.seed), pruner)
    metrics: dict[str, float] = {}
    for name, (fixed, n_trials, sampler, pruned) in ways.items():
        pruner = optuna.pruners.NopPruner() if pruned is None else pruned
        study = tune(objective(parts, fixed), n_trials, sampler=sampler, pruner=pruner)
        scores = judge(parts, fixed, study.best_trial)
        found = honest_score(study, lambda winner, scores=scores: scores["honest"])
        metrics |= {
            f"flights.{name}.own": found.own,
            f"flights.{name}.honest": found.honest,
            f"flights.{name}.difference": found.optimism,
            f"flights.{name}.drift": scores["drift"],
            f"flights.{name}.rounds": float(costs_and_values(study)[0].sum()),
        }
    return Result(metrics | replayed(config))


def replayed(config: Config) -> Metrics:
    """Random searches of the table, beside the default learning rate of 0.1."""
    losses, defaults = curves()["boosting"].astype(float), curves()["defaults"].astype(float)
    best = losses[:, 0].argmin(axis=1)
    reached = losses[np.arange(len(losses)), :, best]  # (n_parameters, 3)
    default = defaults[1][:, defaults[1][0].argmin()]
    rng = np.random.default_rng(config.seed)
    draws = [rng.permutation(len(losses))[: config.n_trials] for _ in range(config.n_draws)]
    winners = [tried[reached[tried, 0].argmin()] for tried in draws]
    names = ("own", *JUDGED)
    metrics = {f"replays.default_1.{name}": default[i] for i, name in enumerate(names)}
    metrics |= {f"replays.default_1.worse_{name}": 0.0 for name in JUDGED}
    for i, name in enumerate(names):
        metrics[f"replays.random_search.{name}"] = float(reached[winners, i].mean())
    for i, name in enumerate(JUDGED, start=1):
        worse = np.mean(reached[winners, i] > default[i])
        metrics[f"replays.random_search.worse_{name}"] = float(worse)
    return metrics


CLAIMS: list[Claim] = [
    Claim(
        "samplers-tie-on-flights",
        "limit",
        "On late flights it does not matter which sampler searches: the honest log loss after TPE "
        "is within {at_most} of that after a random search.",
        lambda m: abs(m["flights.tpe.honest"] - m["flights.random_search.honest"]),
        at_most=0.005,
    ),
]

EXPERIMENT = Experiment(
    question="What does tuning gain on late flights, and what does it only promise?",
    data="real",
    measure=measure,
    roles={
        "default_3": "baseline",
        "default_1": "baseline",
        "random_search": "baseline",
        "tpe": "pattern",
        "tpe_pruned": "pattern",
    },
    claims=CLAIMS,
)
