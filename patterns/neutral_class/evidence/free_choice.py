"""Three experts, and a free choice where either drug would do."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from patterns._kit.evidence import Claim, Drawing, Experiment, Metrics, Result, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.patients import (
    ROLES,
    Study,
    from_states,
    from_votes,
    logistic,
    oracle,
    study,
)
from patterns.neutral_class.evidence.policies import (
    UTILITIES,
    FloatArray,
    Policy,
    act,
    costs,
    loss_if_decided,
    mean_cost,
    tuned,
)
from patterns.neutral_class.pattern import aurc, risk_coverage_curve

# A threshold changes no ranking, and two thresholds have none: these have no area under a curve.
UNRANKED = {
    "decide_everyone",
    "two_models_by_votes",
    "binary_tuned_threshold",
    "binary_best_threshold",
    "two_models_tuned",
    "two_models_best",
}


def score(
    task: str, policies: Mapping[str, Policy], truth: FloatArray, cost: FloatArray
) -> dict[str, float]:
    """The metrics of every method."""
    metrics: dict[str, float] = {}
    for name, policy in policies.items():
        metrics[f"{task}.{name}.cost"] = mean_cost(policy, truth, cost)
        metrics[f"{task}.{name}.reviewed"] = float(policy.review.mean())
        if name not in UNRANKED:
            loss = loss_if_decided(policy, truth, cost)
            metrics[f"{task}.{name}.aurc"] = aurc(loss, policy.confidence)
    return metrics


def score_both_tables(task: str, found: Study, cost: FloatArray) -> dict[str, float]:
    """Methods that know votes alone, and methods whose thresholds were chosen on known states."""
    best = {"oracle": oracle(found, cost)}
    by_votes, by_states = from_votes(found, cost), from_states(found, cost)
    pattern = {"neutral_corrected": by_votes["neutral_corrected"]}
    return score(task, by_votes | best, found.truth, cost) | score(
        f"{task}_known_states", by_states | pattern | best, found.truth, cost
    )


def measure(config: Config) -> Result:
    """Every method on patients for whom the choice is free where either drug would do."""
    found = study(logistic(), config.n_train, config)
    cost = costs(UTILITIES["free_choice"], config.review_price)
    cheap = score_both_tables("free_choice", found, costs(UTILITIES["free_choice"], 0.1))
    at_10_percent = {
        name.replace(".cost", ".at_10_percent"): paid
        for name, paid in cheap.items()
        if name.endswith(".cost")
    }
    return Result(
        score_both_tables("free_choice", found, cost) | at_10_percent,
        {
            "regions": Drawing(
                lambda: draw_regions(found, config),
                "Below the dotted line either drug would mostly do, so it is no mistake that the "
                "methods choose different drugs there. Chow's rule reviews these patients, the "
                "best threshold reviews nobody, and the corrected class reviews nearly those whom "
                "the truth would.",
                "What six methods do on the plane of balance and severity: which drug, or review.",
            ),
            "risk_coverage": Drawing(
                lambda: draw_risk_coverage(found, config),
                "The binary model keeps back many patients for whom either drug would do, so the "
                "patients that it decides cost more, whatever their share.",
                "Cost of a decided patient against the share of patients decided, for five "
                "methods: the corrected class is nearest to the truth.",
            ),
        },
    )


# ---------------------------------------------------------------------------------- figures
LABELS = {
    "binary_chow": ("binary, Chow's rule", BASELINE),
    "binary_best_threshold": ("binary, best threshold", BASELINE),
    "disagreements_dropped": ("disagreements dropped", ALTERNATIVE),
    "neutral_raw": ("neutral, uncorrected", "#56B4E9"),
    "neutral_corrected": ("neutral, corrected", PATTERN),
    "oracle": ("truth", BEST),
}
REGIONS = {"acetaminophen": "#56B4E9", "ibuprofen": "#E69F00", "review": "#DDDDDD"}


def draw_regions(found: Study, config: Config) -> Figure:
    """The plane of patients, colored by what each method does; the truth's borders as lines."""
    cost, axis = costs(UTILITIES["free_choice"], config.review_price), np.linspace(-2.5, 2.5, 201)
    balance, severity = np.meshgrid(axis, axis)
    plane = np.column_stack([balance.ravel(), severity.ravel(), *np.zeros((2, balance.size))])
    on_plane = study(logistic(), config.n_train, config, X_test=plane, out_of_fold=False)
    best = tuned(found.two.votes, found.truth, cost)  # for patients, not for the plane
    policies = from_votes(on_plane, cost) | {
        "binary_best_threshold": act(on_plane.two.votes, cost, best),
        "oracle": oracle(on_plane, cost),
    }
    actions = {
        name: np.where(policies[name].review, 2, policies[name].drug).reshape(balance.shape)
        for name in LABELS
    }
    figure, axes = plt.subplots(2, 3, figsize=(8, 6), sharex=True, sharey=True)
    for panel, (name, (label, _)) in zip(axes.flat, LABELS.items(), strict=True):
        colors = ListedColormap(list(REGIONS.values()))
        panel.pcolormesh(
            axis, axis, actions[name], cmap=colors, vmin=-0.5, vmax=2.5, rasterized=True
        )
        if name != "oracle":
            is_review = actions["oracle"] == 2
            panel.contour(axis, axis, is_review, levels=[0.5], colors=BEST, linewidths=1)
        panel.set(title=label, aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
        panel.axhline(0, color=BEST, ls=":", lw=0.8)
    axes[1, 2].text(
        0, -1.2, "below the dots, either\ndrug would mostly do", ha="center", fontsize=9
    )
    for panel in axes[:, 0]:
        panel.set_ylabel("severity\nthe choice matters more →")
    axes[1, 1].set_xlabel("balance: the stomach is at more risk than the liver →")
    patches = [Patch(color=color, label=action) for action, color in REGIONS.items()]
    patches.append(Patch(facecolor="none", edgecolor=BEST, label="where review is truly best"))
    figure.legend(handles=patches, loc="outside lower center", ncols=4)
    return figure


def draw_risk_coverage(found: Study, config: Config) -> Figure:
    """Mean cost of the decided patients against their share, the most confident first."""
    cost = costs(UTILITIES["free_choice"], config.review_price)
    policies = from_votes(found, cost) | {"oracle": oracle(found, cost)}
    figure, axis = plt.subplots(figsize=(7, 4.2))
    for name, (label, color) in LABELS.items():
        if name == "binary_best_threshold":
            continue
        policy = policies[name]
        coverage, risk = risk_coverage_curve(
            loss_if_decided(policy, found.truth, cost), policy.confidence
        )
        # The first few patients are too few for a mean, and four hundred points enough for a curve.
        shown = np.linspace(0.02 * len(risk), len(risk) - 1, 400).astype(int)
        style = "--" if name == "oracle" else "-"
        label = "binary" if name == "binary_chow" else label
        axis.plot(coverage[shown], risk[shown], style, color=color, label=label, lw=1.8)
    axis.set(xlabel="share of patients decided", ylabel="cost of a decided patient", xlim=(0, 1))
    axis.set_ylim(bottom=0)
    axis.legend(loc="upper left")
    return figure


# ---------------------------------------------------------------------------------- claims
TASK, KNOWN = "free_choice", "free_choice_known_states"


def over_best_single_score(m: Metrics) -> float:
    """Cost of the corrected class relative to the best threshold on any score of one column."""
    scores = ("binary_best_threshold", "binary_more_patients", "perfect_binary")
    return m[f"{KNOWN}.neutral_corrected.cost"] / min(m[f"{KNOWN}.{name}.cost"] for name in scores)


CLAIMS = [
    Claim(
        "cheaper-than-two-models-tuned-on-votes",
        "benefit",
        "With three votes per patient, no known state and cheap reviews, the best rival is two "
        "models, with thresholds tuned on the votes. The corrected class costs at most {at_most:g} "
        "times as much.",
        ratio(
            f"{TASK}.neutral_corrected.at_10_percent",
            f"{TASK}.two_models_by_votes.at_10_percent",
        ),
        at_most=1.0,
        baseline=f"{TASK}.two_models_by_votes.at_10_percent",
    ),
    Claim(
        "cheaper-than-any-threshold",
        "mechanism",
        "No threshold on one score can tell indifference from doubt. The corrected class costs at "
        "most {at_most} times as much as the best one on the true probability of a vote.",
        over_best_single_score,
        at_most=0.92,
    ),
    Claim(
        "two-thresholds-do-as-well",
        "limit",
        "A second model that predicts disagreement does as well, with the two best thresholds. "
        "The corrected class costs {at_least} to {at_most} times as much.",
        ratio(f"{KNOWN}.neutral_corrected.cost", f"{KNOWN}.two_models_best.cost"),
        at_least=0.94,
        at_most=1.06,
    ),
    Claim(
        "two-models-are-the-same",
        "parity",
        "One model of three classes costs {at_least} to {at_most} times as much as two models, of "
        "votes and of disagreement, with the same correction.",
        ratio(f"{TASK}.neutral_corrected.cost", f"{TASK}.two_models_corrected.cost"),
        at_least=0.93,
        at_most=1.07,
    ),
    Claim(
        "cheaper-than-chow",
        "mechanism",
        "Chow's rule reviews where it does not matter: the corrected class costs at most {at_most} "
        "times as much.",
        ratio(f"{TASK}.neutral_corrected.cost", f"{TASK}.binary_chow.cost"),
        at_most=0.5,
    ),
    Claim(
        "better-ranking",
        "mechanism",
        "A neutral class knows better whom to decide: the area under its risk-coverage curve is "
        "at most {at_most} times that of a binary model.",
        ratio(f"{TASK}.neutral_corrected.aurc", f"{TASK}.binary_chow.aurc"),
        at_most=0.55,
    ),
    Claim(
        "disagreement-is-a-signal",
        "mechanism",
        "To learn from disagreements costs at most {at_most} times as much as to drop them from "
        "the training set and follow Chow's rule.",
        ratio(f"{TASK}.neutral_corrected.cost", f"{TASK}.disagreements_dropped.cost"),
        at_most=0.6,
    ),
]

EXPERIMENT = Experiment(
    question="Does a neutral class save anything where either drug would do and the choice is "
    "free?",
    data="synthetic",
    measure=measure,
    roles=ROLES,
    claims=CLAIMS,
)
