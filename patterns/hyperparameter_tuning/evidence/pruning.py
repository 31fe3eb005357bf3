"""Pruned searches beside full ones at equal cost, where early ranks tell and where they mislead."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr

from patterns._kit.evidence import Claim, Drawing, Experiment, Result, metric, ratio
from patterns._kit.figures import ALTERNATIVE, PATTERN
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.evidence.curves import EVERY, curves
from patterns.hyperparameter_tuning.evidence.replay import (
    Steps,
    Stop,
    halving,
    hyperband,
    median,
    replay,
)
from patterns.hyperparameter_tuning.pattern import best_at_cost

BUDGETS = (5, 10, 20)  # in trainings to the end
N_TRIALS = 80
PRUNERS = ("median", "hyperband", "halving_early", "halving_later")
# The first rung of halving, an early and a later one, and the patience, in epochs and rounds.
EARLY, LATER, PATIENCE = (
    {"network": 3, "boosting": 5},
    {"network": 9, "boosting": 15},
    {"network": 5, "boosting": 20},
)


def table(model: str) -> tuple[NDArray[np.float64], Steps]:
    """Validation losses of the model, one row per parameters, and the cost of each step."""
    losses = curves()[model][:, 0].astype(float)
    each = EVERY if model == "boosting" else 1
    return losses, np.arange(1, losses.shape[1] + 1) * each


def searches(model: str, steps: Steps) -> dict[str, tuple[Stop | None, float | None]]:
    """For each search, what prunes it and its patience."""
    early, later = EARLY[model], LATER[model]
    return {
        "full": (None, None),
        "early_stopping": (None, PATIENCE[model]),
        "median": (median(steps), None),
        "hyperband": (hyperband(steps, early), None),
        "halving_early": (halving(steps, early), None),
        "halving_later": (halving(steps, later), None),
    }


def rank_correlation(model: str, step: int) -> float:
    """Of the losses at a step with the best losses of the curves."""
    losses, steps = table(model)
    at = int(np.searchsorted(steps, step))
    return float(spearmanr(losses[:, at], losses.min(axis=1)).statistic)


def measure(config: Config) -> Result:
    """Random searches in many orders; all searches of one order see the same trials."""
    metrics: dict[str, float] = {}
    for model in ("network", "boosting"):
        losses, steps = table(model)
        budgets = np.array(BUDGETS) * steps[-1]
        rng = np.random.default_rng(config.seed)
        found: dict[str, list[Any]] = {}
        shares: dict[str, list[float]] = {}
        for _ in range(config.n_draws):
            order = rng.permutation(len(losses))[:N_TRIALS]
            for name, (stop, patience) in searches(model, steps).items():
                cost, value, _ = replay(losses[order], steps, stop, patience)
                best = best_at_cost(cost, value, budgets)
                found.setdefault(name, []).append(
                    np.where(np.isnan(best), losses[order, -1].max(), best)
                )
                shares.setdefault(name, []).append(cost.sum() / (N_TRIALS * steps[-1]))
        for name, values in found.items():
            mean = np.mean(values, axis=0) - losses.min()
            metrics[f"{model}.{name}.cost"] = float(np.mean(shares[name]))
            for budget, excess in zip(BUDGETS, mean, strict=True):
                metrics[f"{model}.{name}.excess_{budget}"] = float(excess)
            wins = np.array(values)[:, 1] - np.array(found["full"])[:, 1]
            metrics[f"{model}.{name}.wins"] = float(np.mean(wins < 0) + np.mean(wins == 0) / 2)
    for model in ("network", "boosting"):
        for name, step in (("first_rung", EARLY[model]), ("later_rung", LATER[model])):
            metrics[f"early_ranks.{model}.{name}"] = rank_correlation(model, step)
    return Result(
        metrics,
        {
            "early_and_final": Drawing(
                draw,
                "Ranks of parameters at the first rung of halving against their final ranks. For "
                "the network the early rank tells the final one. For boosting, nearly all low "
                "learning rates are in the worse half at first, and some of them end among the "
                "best.",
                "Two scatter plots of early against final rank: along the diagonal for the "
                "network, and a cloud for boosting.",
            )
        },
    )


# ---------------------------------------------------------------------------------- figure
def draw() -> Figure:
    """One panel per model; for boosting, colored by the learning rate."""
    from patterns.hyperparameter_tuning.evidence.curves import parameters

    figure, axes = plt.subplots(1, 2, figsize=(9, 4))
    for axis, model in zip(axes, ("network", "boosting"), strict=True):
        losses, steps = table(model)
        at = int(np.searchsorted(steps, EARLY[model]))
        early = losses[:, at].argsort(kind="stable").argsort(kind="stable") + 1
        final = losses.min(axis=1).argsort(kind="stable").argsort(kind="stable") + 1
        if model == "boosting":
            slow = np.array([p["learning_rate"] < 0.05 for p in parameters(model)])
            axis.plot(
                early[slow],
                final[slow],
                "o",
                ms=4,
                color=ALTERNATIVE,
                label="learning rate below 0.05",
            )
            axis.plot(early[~slow], final[~slow], "o", ms=4, color=PATTERN, label="others")
        else:
            axis.plot(early, final, "o", ms=4, color=PATTERN)
        unit = "rounds" if model == "boosting" else "epochs"
        axis.set(
            title=f"{model}, rank correlation {rank_correlation(model, EARLY[model]):.2f}",
            xlabel=f"rank after {EARLY[model]} of {steps[-1]} {unit}",
            ylabel="final rank, 1 is best",
        )
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "halving-pays-for-the-network",
        "benefit",
        "At the cost of ten full trainings, a search for the network that halves early is at most "
        "{at_most} times as far from the best loss of the table as one that trains to the end.",
        ratio("network.halving_early.excess_10", "network.full.excess_10"),
        at_most=0.7,
        baseline="network.full.excess_10",
    ),
    Claim(
        "early-ranks-tell-for-the-network",
        "mechanism",
        "For the network, the rank at the first rung has a correlation of at least {at_least} with "
        "the final rank.",
        metric("early_ranks.network.first_rung"),
        at_least=0.75,
    ),
    Claim(
        "early-ranks-mislead-for-boosting",
        "mechanism",
        "For boosting it is at most {at_most}: a low learning rate starts last.",
        metric("early_ranks.boosting.first_rung"),
        at_most=0.4,
    ),
    Claim(
        "halving-early-costs-for-boosting",
        "limit",
        "There, halving as early is at equal cost at least {at_least} times as far from the best "
        "loss as plain early stopping.",
        ratio("boosting.halving_early.excess_10", "boosting.early_stopping.excess_10"),
        at_least=1.25,
    ),
    Claim(
        "the-median-pruner-saves-rounds",
        "mechanism",
        "Optuna's median pruner makes the same trials of boosting for at most {at_most} times the "
        "rounds of training all of them to the end.",
        metric("boosting.median.cost"),
        at_most=0.35,
    ),
    Claim(
        "early-stopping-is-as-good-for-boosting",
        "limit",
        "No pruner is much better there than early stopping, which needs no other trial: the best "
        "of them is at least {at_least} times as far from the best loss.",
        lambda m: (
            min(m[f"boosting.{name}.excess_10"] for name in PRUNERS)
            / m["boosting.early_stopping.excess_10"]
        ),
        at_least=0.9,
    ),
]

EXPERIMENT = Experiment(
    question="When does it pay to stop trials early?",
    data="real",
    measure=measure,
    roles={
        "full": "baseline",
        "early_stopping": "baseline",
        "halving_early": "pattern",
        "halving_later": "pattern",
    },
    claims=CLAIMS,
)
