"""Live searches on late flights, beside the defaults, and searches replayed from the table."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import optuna
import xgboost as xgb
from optuna.trial import FrozenTrial

from patterns._kit.evidence import Claim, Experiment, Result, metric, ratio
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


def judge(
    parts: dict[str, Rows], part: str, fixed: dict[str, Any] | None, winner: FrozenTrial
) -> float:
    """The loss of the winner, trained for its number of rounds, on rows that no trial saw."""
    params = FIXED | (dict(winner.params) if fixed is None else fixed)
    booster = xgb.train(params, parts["train"].matrix(), winner.user_attrs["best_step"])
    return loss(parts[part].y, booster.predict(parts[part].matrix()))


def measure(config: Config) -> Result:
    """The defaults and two live searches, and many replays of random searches."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sizes = {"train": config.n_train, "validation": 3000, "honest": 6000, "drift": 6000}
    parts = late_flights(sizes, config.seed)
    seed, n = config.seed, config.n_trials
    ways: dict[str, tuple[Any, int, Any]] = {
        "default_3": (DEFAULTS["default_3"], 1, None),
        "default_1": (DEFAULTS["default_1"], 1, None),
        "random_search": (None, n, optuna.samplers.RandomSampler(seed=seed)),
        "tpe": (None, n, optuna.samplers.TPESampler(seed=seed)),
    }
    metrics: dict[str, float] = {}
    for name, (fixed, n_trials, sampler) in ways.items():
        never = optuna.pruners.NopPruner()
        study = tune(objective(parts, fixed), n_trials, sampler=sampler, pruner=never)
        found = honest_score(study, partial(judge, parts, "honest", fixed))
        metrics |= {
            f"flights.{name}.own": found.own,
            f"flights.{name}.honest": found.honest,
            f"flights.{name}.drift": judge(parts, "drift", fixed, found.winner),
        }
    return Result(metrics | replayed(config))


def replayed(config: Config) -> dict[str, float]:
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
        metrics[f"replays.search.{name}"] = float(reached[winners, i].mean())
    for i, name in enumerate(JUDGED, start=1):
        worse = np.mean(reached[winners, i] > default[i])
        metrics[f"replays.search.worse_{name}"] = float(worse)
    return metrics


CLAIMS = [
    Claim(
        "tuning-beats-a-good-default",
        "benefit",
        "On late flights, the winners of random searches of twenty trials have on average at most "
        "{at_most} times the honest log loss of a learning rate of 0.1, the best default.",
        ratio("replays.search.honest", "replays.default_1.honest"),
        at_most=0.997,
        baseline="replays.default_1.honest",
    ),
    Claim(
        "the-winner-promises-more-than-it-keeps",
        "mechanism",
        "Their own scores promise at least {at_least} times the gain over that default that new "
        "flights show.",
        lambda m: (
            (m["replays.default_1.own"] - m["replays.search.own"])
            / (m["replays.default_1.honest"] - m["replays.search.honest"])
        ),
        at_least=1.8,
    ),
    Claim(
        "drift-can-undo-tuning",
        "limit",
        "In November and December, a share of at least {at_least} of these winners is worse than "
        "the default.",
        metric("replays.search.worse_drift"),
        at_least=0.25,
    ),
    Claim(
        "samplers-tie-on-flights",
        "limit",
        "On late flights it does not matter which sampler searches: the honest log loss after TPE "
        "is within {at_most} of that after a random search.",
        lambda m: abs(m["flights.tpe.honest"] - m["flights.random_search.honest"]),
        at_most=0.012,
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
        "search": "pattern",
        "tpe": "pattern",
    },
    claims=CLAIMS,
)
