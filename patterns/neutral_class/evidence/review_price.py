"""The gain against the price of a review, with a free choice and without."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN
from patterns.neutral_class.evidence import PRICE_PERCENTS, Config
from patterns.neutral_class.evidence.patients import (
    ROLES,
    costs_of,
    from_states,
    from_votes,
    oracle,
    score_both_costs,
    study,
    trees,
)
from patterns.neutral_class.evidence.policies import UTILITIES, costs

SHOWN = {
    "binary_best_threshold": ("binary, best threshold", BASELINE),
    "two_models_best": ("two models, best thresholds", ALTERNATIVE),
    "neutral_raw": ("neutral, uncorrected", "#56B4E9"),
    "neutral_corrected": ("neutral, corrected", PATTERN),
    "oracle": ("truth", BEST),
}


def measure(config: Config) -> Result:
    """Boosted trees, which bend their borders as they need, at every price and both costs."""
    found = study(trees(config.seed), config.n_train_large, config, out_of_fold=False)
    metrics = score_both_costs("boosted_trees", found, config.review_price)
    for utility, either in UTILITIES.items():
        rows: dict[str, dict[str, float]] = {name: {} for name in ("binary_chow", *SHOWN)}
        for percent in PRICE_PERCENTS:
            cost = costs(either, percent / 100)
            policies = from_votes(found, cost) | from_states(found, cost)
            policies["oracle"] = oracle(found, cost)
            paid = costs_of(found, policies, cost)
            for name, row in rows.items():
                row[f"at_{percent}_percent"] = paid[name]
        for name, row in rows.items():
            metrics |= {f"{utility}_by_price.{name}.{price}": v for price, v in row.items()}
    return Result(metrics)


def draw(metrics: MetricsOfSeeds) -> Figure:
    """Cost above the oracle's against the price of a review, for both kinds of costs."""
    titles = {
        "free_choice_by_price": "either drug would do: a free choice",
        "review_only_by_price": "either drug would do: review anyway",
    }
    prices = np.array(PRICE_PERCENTS) / 100
    columns = [f"at_{percent}_percent" for percent in PRICE_PERCENTS]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    for panel, (task, title) in zip(axes, titles.items(), strict=True):
        truth = np.array([metrics[f"{task}.oracle.{column}"] for column in columns])
        for name, (label, color) in SHOWN.items():
            paid = np.array([metrics[f"{task}.{name}.{column}"] for column in columns])
            excess = paid - truth
            style = "--" if name == "oracle" else "-"
            panel.plot(prices, excess.mean(axis=1), style, color=color, label=label, lw=1.8)
            low, high = excess.min(axis=1), excess.max(axis=1)
            panel.fill_between(prices, low, high, color=color, alpha=0.15, lw=0)
        panel.set(title=title, xlabel="price of a review", xticks=prices)
    axes[0].set_ylabel("cost of a patient above the truth's")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


CLAIMS = [
    Claim(
        "no-gain-if-review-is-all",
        "limit",
        "Where review is the only other action, boosted trees gain nothing. The neutral class "
        "costs {at_least} to {at_most} times as much as the best threshold on as many votes.",
        ratio(
            "boosted_trees.neutral_corrected.review_only",
            "boosted_trees.binary_more_patients.review_only",
        ),
        at_least=0.97,
        at_most=1.03,
    ),
    Claim(
        "cheap-reviews",
        "mechanism",
        "With a free choice, the class pays while reviews are cheap: where a review costs 5 % of a "
        "wrong drug, it costs at most {at_most} times as much as the best threshold.",
        ratio(
            "free_choice_by_price.neutral_corrected.at_5_percent",
            "free_choice_by_price.binary_best_threshold.at_5_percent",
        ),
        at_most=0.85,
    ),
    Claim(
        "dear-reviews",
        "limit",
        "Where a review costs 40 % of a wrong drug, hardly anybody is worth one: the class costs "
        "at least {at_least} times as much as the best threshold.",
        ratio(
            "free_choice_by_price.neutral_corrected.at_40_percent",
            "free_choice_by_price.binary_best_threshold.at_40_percent",
        ),
        at_least=0.95,
    ),
]

EXPERIMENT = Experiment(
    question="At which price of a review does the class pay?",
    data="synthetic",
    measure=measure,
    roles={name: role for name, role in ROLES.items() if name != "two_models_by_votes"},
    claims=CLAIMS,
    figures=lambda metrics: {
        "review_price": Drawing(
            lambda: draw(metrics),
            "With a free choice, the neutral class is ahead of any threshold while reviews are "
            "cheap, and level with two models. Where review is the only other action, all are "
            "nearly level. Boosted trees; lines are means, bands reach from the best to the worst "
            "seed.",
            "Cost above that of the truth against the price of a review. With a free choice, the "
            "best threshold is far above the corrected class at low prices. Without, all are near.",
        )
    },
)
