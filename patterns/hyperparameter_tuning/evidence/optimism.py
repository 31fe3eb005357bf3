"""By how much the winner's own score flatters, against trials and validation rows."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    MetricsOfSeeds,
    Result,
    metric,
)
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.hyperparameter_tuning.evidence import Config
from patterns.hyperparameter_tuning.evidence.curves import STEP, curves

ROWS = (300, 1000, 3000)  # to choose by; as many others judge
TRIALS = (1, 3, 10, 30, 100)


def row_losses() -> np.ndarray:
    """Log loss of each parameters and row, shape (n_parameters, n_rows)."""
    table = curves()
    logits = (table["logits"].astype(np.float32) - 128) / STEP
    return np.logaddexp(0, np.where(table["late"] == 1, -logits, logits))


def measure(config: Config) -> Result:
    """Mean over random searches that choose by rows drawn at random.

    Optimism is the loss on all rows that neither chose nor judged, less the winner's loss on the
    rows in question. The same difference for the mean over all parameters is taken off: it says
    which rows are easy, and nothing about the search.
    """
    losses = row_losses()
    n_parameters, n_rows = losses.shape
    rng = np.random.default_rng(config.seed)
    metrics: dict[str, float] = {}
    for n in ROWS:
        found = np.zeros((config.n_draws, 2, len(TRIALS)))
        for draw in range(config.n_draws):
            rows = rng.permutation(n_rows)
            parts = (rows[:n], rows[n : 2 * n], rows[2 * n :])
            own, held_out, truth = (losses[:, part].mean(axis=1, dtype=float) for part in parts)
            order = rng.permutation(n_parameters)
            for i, n_trials in enumerate(TRIALS):
                tried = order[:n_trials]
                winner = tried[own[tried].argmin()]
                for j, shown in enumerate((own, held_out)):
                    flatters = truth - shown
                    found[draw, j, i] = flatters[winner] - flatters.mean()
        for j, name in enumerate(("own_score", "held_out")):
            for i, n_trials in enumerate(TRIALS):
                metrics[f"{n}_rows.{name}.trials_{n_trials}"] = float(found[:, j, i].mean())
    return Result(metrics)


# ---------------------------------------------------------------------------------- figure
def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Optimism against trials, of all seeds."""
    return {
        "optimism": Drawing(
            lambda: draw(metrics),
            "By how much the winner's own log loss flatters, and what a held-out set of the same "
            "size says. More trials flatter more, and more validation rows less. Bands reach from "
            "the lowest to the highest seed.",
            "Optimism against the number of trials: rising lines for three numbers of validation "
            "rows, and flat lines at zero for held-out rows.",
        )
    }


def draw(metrics: MetricsOfSeeds) -> Figure:
    """One panel per way to judge."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    titles = {"own_score": "the winner's own score", "held_out": "rows that no trial has seen"}
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for n, color in zip(ROWS, (BASELINE, ALTERNATIVE, PATTERN), strict=True):
            values = np.array([metrics[f"{n}_rows.{name}.trials_{t}"] for t in TRIALS])
            axis.plot(TRIALS, values.mean(axis=1), color=color, label=f"{n} rows")
            low, high = values.min(axis=1), values.max(axis=1)
            axis.fill_between(TRIALS, low, high, color=color, alpha=0.2, lw=0)
        axis.axhline(0, color="0.5", lw=1)
        axis.set(title=title, xlabel="trials", xscale="log", xticks=TRIALS, xticklabels=TRIALS)
        axis.minorticks_off()
    axes[0].set_ylabel("optimism, in log loss")
    axes[0].legend()
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS: list[Claim] = [
    Claim(
        "a-held-out-set-removes-optimism",
        "benefit",
        "After 100 trials that choose by 300 flights, the log loss on held-out flights is off by "
        "at most {at_most} times what the winner's own log loss is off by.",
        lambda m: abs(m["300_rows.held_out.trials_100"]) / m["300_rows.own_score.trials_100"],
        at_most=0.3,
        baseline="300_rows.own_score.trials_100",
    ),
    Claim(
        "one-trial-does-not-flatter",
        "limit",
        "One trial alone does not flatter: its optimism is at most {at_most} in all sizes.",
        lambda m: max(abs(m[f"{n}_rows.own_score.trials_1"]) for n in ROWS),
        at_most=0.004,
    ),
    Claim(
        "many-rows-flatter-little",
        "limit",
        "With 3000 validation rows, the best of 100 trials flatters by at most {at_most}: there a "
        "held-out set gains little.",
        metric("3000_rows.own_score.trials_100"),
        at_most=0.004,
    ),
]

EXPERIMENT = Experiment(
    question="By how much does the best of many trials flatter?",
    data="real",
    measure=measure,
    roles={"own_score": "baseline", "held_out": "pattern"},
    claims=CLAIMS,
    figures=figures,
)
