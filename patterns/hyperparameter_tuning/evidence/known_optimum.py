"""Samplers on two functions whose minimum is known: what a search gets for its trials."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.figure import Figure
from numpy.typing import NDArray
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.evidence.functions import (
    BRANIN_MINIMUM,
    HARTMANN6_MINIMUM,
    branin,
    hartmann6,
)
from patterns.hyperparameter_tuning.pattern import best_at_cost, tune

N_PARAMETERS = 6
AT = (10, 25, 50, 75, 100)  # trials; all cost the same here
FUNCTIONS = {"hartmann6": (hartmann6, HARTMANN6_MINIMUM), "branin": (branin, BRANIN_MINIMUM)}
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "quasi_random": lambda seed: QMCSampler(seed=seed, scramble=True),
    "evolutionary": lambda seed: NSGAIISampler(seed=seed),
    "cma_es": lambda seed: CmaEsSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
}


def regret(function: str, sampler: BaseSampler) -> NDArray[np.float64]:
    """How far above the minimum a search is, after each number of trials in AT."""
    value, minimum = FUNCTIONS[function]

    def objective(trial: optuna.Trial) -> float:
        return value([trial.suggest_float(f"x{i}", 0, 1) for i in range(N_PARAMETERS)])

    study = tune(objective, AT[-1], sampler=sampler)
    found = [trial.value for trial in study.trials]
    return best_at_cost(np.ones(len(found)), np.array(found, dtype=float), AT) - minimum


def measure(config: Config) -> Result:
    """Medians over several searches."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    metrics: dict[str, float] = {}
    for function in FUNCTIONS:
        for name, sampler in SAMPLERS.items():
            with warnings.catch_warnings():  # quasi-random draws are marked as experimental
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                runs = [
                    regret(function, sampler(1000 * config.seed + i))
                    for i in range(config.n_studies)
                ]
            middle = np.median(runs, axis=0)
            for n, value in zip(AT, middle, strict=True):
                metrics[f"{function}.{name}.regret_{n}"] = value
    return Result(metrics)


# ---------------------------------------------------------------------------------- figure
LOOK = {
    "random": (BASELINE, "-"),
    "quasi_random": (BASELINE, ":"),
    "evolutionary": (ALTERNATIVE, ":"),
    "cma_es": (ALTERNATIVE, "-"),
    "tpe": (PATTERN, "-"),
}


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Best so far, of all seeds."""
    return {
        "best_so_far": Drawing(
            lambda: draw(metrics),
            "How far the best value so far is above the known minimum. Lines are means over seeds "
            "of the median search, and bands reach from the lowest to the highest seed. The order "
            "of the samplers depends on the function and on the budget.",
            "Regret against trials for five samplers on two functions, on a logarithmic scale.",
        )
    }


def draw(metrics: MetricsOfSeeds) -> Figure:
    """One panel per function."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8))
    for axis, function in zip(axes, FUNCTIONS, strict=True):
        for name, (color, style) in LOOK.items():
            values: Any = np.array([metrics[f"{function}.{name}.regret_{n}"] for n in AT])
            label = name.replace("_", " ").replace("cma es", "CMA-ES").replace("tpe", "TPE")
            axis.plot(AT, values.mean(axis=1), style, color=color, label=label)
            if style == "-":
                low, high = values.min(axis=1), values.max(axis=1)
                axis.fill_between(AT, low, high, color=color, alpha=0.15, lw=0)
        axis.set(title=function.capitalize(), xlabel="trials", yscale="log")
    axes[0].set_ylabel("best so far above the minimum")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "tpe-beats-random-where-values-teach",
        "benefit",
        "On a smooth function of six parameters, TPE is after 100 trials at most {at_most} times "
        "as far from the minimum as a random search.",
        ratio("hartmann6.tpe.regret_100", "hartmann6.random.regret_100"),
        at_most=0.4,
        baseline="hartmann6.random.regret_100",
    ),
    Claim(
        "tpe-starts-as-a-random-search",
        "limit",
        "TPE learns nothing from few trials: its first ten are random, and leave it {at_least} "
        "times as far.",
        ratio("hartmann6.tpe.regret_10", "hartmann6.random.regret_10"),
        at_least=1.0,
    ),
    Claim(
        "evolution-needs-more-trials",
        "limit",
        "An evolutionary search gains little in 100 trials: it is at least {at_least} times as far "
        "from the minimum as a random search.",
        ratio("hartmann6.evolutionary.regret_100", "hartmann6.random.regret_100"),
        at_least=0.6,
    ),
]

EXPERIMENT = Experiment(
    question="What does a search that learns from its trials gain, where the minimum is known?",
    data="synthetic",
    measure=measure,
    roles={"random": "baseline", "quasi_random": "baseline", "tpe": "pattern"},
    claims=CLAIMS,
    figures=figures,
)
