"""The same eight categories, where no pair interacts, or several, or all."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.overcrossing import ROLES, draw_curves, losses_of_rivals

TASK = "number_of_pairs"


def measure(config: Config) -> Result:
    """The log loss of the main rivals by number of interacting pairs."""
    return Result(
        {
            f"{TASK}.{name}.pairs_{n}": loss
            for n in config.pair_counts
            for name, loss in losses_of_rivals(config, config.n_train, n).items()
        }
    )


def draw(metrics: MetricsOfSeeds) -> Figure:
    """Log loss against the number of pairs."""
    figure, axis = plt.subplots(figsize=(8, 3.4))
    counts = draw_curves(axis, metrics)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xticks(counts, [str(n) for n in counts])
    axis.minorticks_off()
    axis.set(xlabel="pairs that interact, of 28", ylabel="log loss", ylim=(0, None))
    return figure


CLAIMS = [
    Claim(
        "needless-crosses-cost",
        "limit",
        "Where no pair interacts, the crosses cost: the log loss of the better of both encodings "
        "is at least {at_least} times that of the main effects.",
        lambda m: (
            min(m[f"{TASK}.{name}.pairs_0"] for name in ("all_pairs_l1", "all_pairs_target_means"))
            / m[f"{TASK}.main_effects_l2.pairs_0"]
        ),
        at_least=1.005,
    ),
    Claim(
        "no-gain-where-all-interact",
        "limit",
        "Where all pairs interact a little, crosses gain nothing on boosted trees: the log loss of "
        "target means is at least {at_least} times theirs.",
        lambda m: (
            m[f"{TASK}.all_pairs_target_means.pairs_28"] / m[f"{TASK}.xgboost_one_hot.pairs_28"]
        ),
        at_least=0.96,
    ),
    Claim(
        "four-pairs-still-pay",
        "benefit",
        "Where four pairs interact, target means have at most {at_most} times the log loss of "
        "boosted trees.",
        lambda m: (
            m[f"{TASK}.all_pairs_target_means.pairs_4"] / m[f"{TASK}.xgboost_one_hot.pairs_4"]
        ),
        at_most=0.98,
        baseline=f"{TASK}.xgboost_one_hot.pairs_4",
    ),
]

EXPERIMENT = Experiment(
    question="What if no pair interacts, or many do?",
    data="synthetic",
    measure=measure,
    roles={**ROLES, "oracle": "best possible"},
    claims=CLAIMS,
    figures=lambda metrics: {
        "number_of_pairs": Drawing(
            lambda: draw(metrics),
            "Crosses help where few pairs interact. Where none does, the main effects are best; "
            "where all do, boosted trees are as good. Lines are means, bands the range over seeds.",
            "Log loss against the number of interacting pairs, for main effects, boosted trees, "
            "two kinds of crosses and the truth.",
        )
    },
)
