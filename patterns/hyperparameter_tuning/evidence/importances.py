"""Which parameter mattered? A bowl of which the answer is known, and two ways to ask a study."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from patterns._kit.evidence import Claim, Experiment, Result, metric
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.pattern import tune

N_TRIALS = 150
N_STUDIES = 2
# Nearly all of the variance comes from the first parameter.
SLOPES = {"main": 1.0, "small": 0.1, "none_1": 0.0, "none_2": 0.0, "none_3": 0.0}
SEARCHES: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random_search": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "tpe_search": lambda seed: optuna.samplers.TPESampler(seed=seed),
}


def objective(trial: optuna.Trial) -> float:
    """A bowl that is a hundred times as flat in its second parameter, and flat in the third."""
    return sum(
        (slope * (trial.suggest_float(name, 0, 1) - 0.3)) ** 2 for name, slope in SLOPES.items()
    )


def true_share() -> float:
    """The main parameter's share of the variance over the whole space."""
    x = (np.arange(10_000) + 0.5) / 10_000
    variances = [np.var((slope * (x - 0.3)) ** 2) for slope in SLOPES.values()]
    return float(variances[0] / sum(variances))


def measure(config: Config) -> Result:
    """The main parameter's importance by each way, after each search."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found: dict[str, list[float]] = {}
    for i in range(N_STUDIES):
        seed = 1000 * config.seed + i
        for search, sampler in SEARCHES.items():
            study = tune(objective, N_TRIALS, sampler=sampler(seed))
            fanova = FanovaImportanceEvaluator(n_trees=16, seed=seed)
            for name, evaluator in (("default", None), ("fanova", fanova)):
                shares = get_param_importances(study, evaluator=evaluator)
                found.setdefault(f"{search}.{name}.main_parameter", []).append(shares["main"])
    metrics = {name: float(np.mean(found[name])) for name in sorted(found)}
    for search in SEARCHES:
        metrics[f"{search}.truth.main_parameter"] = true_share()
    tasks = [f"{search}." for search in SEARCHES]
    return Result({k: v for task in tasks for k, v in metrics.items() if k.startswith(task)})


CLAIMS = [
    Claim(
        "fanova-finds-what-matters",
        "mechanism",
        "After a random search, fANOVA gives the one parameter that matters at least {at_least} of "
        "the importance.",
        metric("random_search.fanova.main_parameter"),
        at_least=0.98,
    ),
    Claim(
        "default-importances-mislead",
        "limit",
        "Optuna's default importance gives it at most {at_most} after a search with TPE, which has "
        "tried its good values more often.",
        metric("tpe_search.default.main_parameter"),
        at_most=0.85,
    ),
    Claim(
        "fanova-suffers-too",
        "limit",
        "fANOVA suffers from that too: it gives at most {at_most}.",
        metric("tpe_search.fanova.main_parameter"),
        at_most=0.97,
    ),
]

EXPERIMENT = Experiment(
    question="Do importances say which parameter matters?",
    data="synthetic",
    measure=measure,
    roles={"default": "baseline", "fanova": "pattern", "truth": "best possible"},
    claims=CLAIMS,
)
