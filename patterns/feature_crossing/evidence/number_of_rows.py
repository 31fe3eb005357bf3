"""The same eight categories, with fewer and more rows to learn from."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.overcrossing import ROLES, draw_curves, losses_of_rivals

TASK = "number_of_rows"


def measure(config: Config) -> Result:
    """The log loss of the main rivals by number of training rows."""
    return Result(
        {
            f"{TASK}.{name}.rows_{n}": loss
            for n in config.row_counts
            for name, loss in losses_of_rivals(config, n, 1).items()
        }
    )


def draw(metrics: MetricsOfSeeds) -> Figure:
    """Log loss against the number of rows."""
    figure, axis = plt.subplots(figsize=(8, 3.4))
    counts = draw_curves(axis, metrics)
    axis.set_xscale("log")
    axis.set_xticks(counts, [f"{n:,}" for n in counts])
    axis.minorticks_off()
    axis.set(xlabel="training rows", ylabel="log loss", ylim=(0, None))
    return figure


CLAIMS = [
    Claim(
        "trees-need-four-times-the-rows",
        "parity",
        "With 1,000 rows, the target means of all pairs do as well as boosted trees with 4,000: "
        "their log loss is {at_least} to {at_most} times that of the trees.",
        lambda m: (
            m[f"{TASK}.all_pairs_target_means.rows_1000"] / m[f"{TASK}.xgboost_one_hot.rows_4000"]
        ),
        at_least=0.93,
        at_most=1.04,
    ),
    Claim(
        "l1-needs-rows",
        "limit",
        "With 250 rows an L1 penalty cannot find the pair: the log loss is at least {at_least} "
        "times that of the main effects.",
        lambda m: m[f"{TASK}.all_pairs_l1.rows_250"] / m[f"{TASK}.main_effects_l2.rows_250"],
        at_least=0.95,
    ),
]

EXPERIMENT = Experiment(
    question="How many rows do boosted trees need to find the pair by themselves?",
    data="synthetic",
    measure=measure,
    roles={**ROLES, "oracle": "best possible"},
    claims=CLAIMS,
    figures=lambda metrics: {
        "number_of_rows": Drawing(
            lambda: draw(metrics),
            "Target means of crosses need about a quarter of the rows of boosted trees. Lines are "
            "means, bands the range over seeds.",
            "Log loss against the number of training rows, for main effects, boosted trees, two "
            "kinds of crosses and the truth.",
        )
    },
)
