"""Experts who copy each other, and how their agreement betrays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datasets import make_prescriptions
from patterns._kit.evidence import Claim, Experiment, Metrics, Result, ratio
from patterns.neutral_class.agreement import agreement_beyond_chance
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.patients import (
    ROLES,
    costs_of,
    from_states,
    from_votes,
    logistic,
    oracle,
    study,
)
from patterns.neutral_class.evidence.policies import UTILITIES, costs

KNOWN, ANY = "agreement_where_either_would_do", "single_dissenters_of_five"


def measure(config: Config) -> Result:
    """Every method where experts share a coin or have a habit, and the check that finds both."""
    kinds: dict[str, dict[str, Any]] = {
        "copies": {"copy_rate": config.copy_rate},
        "habit": {"habit": config.habit},
    }
    rows: dict[str, dict[str, float]] = {}
    for kind, settings in kinds.items():
        found = study(logistic(), config.n_train, config, **settings)
        for column, price in {"free_choice": config.review_price, "at_10_percent": 0.1}.items():
            cost = costs(UTILITIES["free_choice"], price)
            best = {"oracle": oracle(found, cost)}
            tables = {
                kind: from_votes(found, cost) | best,
                f"{kind}_known_states": from_states(found, cost) | best,
            }
            for task, policies in tables.items():
                for name, paid in costs_of(found, policies, cost).items():
                    rows.setdefault(f"{task}.{name}", {})[column] = paid
    metrics = {f"{row}.{column}": v for row, paid in rows.items() for column, v in paid.items()}
    for kind, settings in {
        "independent": {},
        **kinds,
        "mistakes": {"error_rate": config.error_rate},
    }.items():
        metrics |= check(kind, config, settings)
    return Result(metrics)


def check(kind: str, config: Config, settings: Mapping[str, Any]) -> dict[str, float]:
    """The check on patients for whom either drug is known to do, and on any, with five votes."""
    found = {}
    for task, n_experts in {KNOWN: config.n_experts, ANY: 5}.items():
        patients = make_prescriptions(
            config.n_validation, n_experts=n_experts, random_state=[config.seed, 3], **settings
        )
        votes = patients.frame[list(patients.target_names)].to_numpy(str)
        neutral = (patients.frame["state"] == "either").to_numpy()
        looked_at = votes[neutral] if task == KNOWN else votes
        found[task] = agreement_beyond_chance(looked_at, known_neutral=task == KNOWN)
    return {
        f"{task}.{kind}.{name}": value
        for task, agreement in found.items()
        for name, value in agreement._asdict().items()
        if name != "n_cases"
    }


# ---------------------------------------------------------------------------------- claims
def cost_ratio(task: str, method: str, baseline: str) -> Callable[[Metrics], float]:
    """Cost of a method with a free choice, relative to one of the table of known states."""
    return ratio(f"{task}.{method}.free_choice", f"{baseline}.free_choice")


def over_strongest_rival(m: Metrics) -> float:
    """Cost of the class with measured rates where experts have a habit, relative to the best."""
    task = "habit_known_states"
    rivals = ("perfect_binary", "two_models_best")
    best = min(m[f"{task}.{name}.free_choice"] for name in rivals)
    return m[f"{task}.neutral_measured_rates.free_choice"] / best


CLAIMS = [
    Claim(
        "copies-mislead-the-correction",
        "limit",
        "Experts who share a coin seem to agree. The corrected class costs at least {at_least} "
        "times as much as the best threshold on a binary model.",
        cost_ratio("copies", "neutral_corrected", "copies_known_states.binary_best_threshold"),
        at_least=1.3,
    ),
    Claim(
        "agreement-betrays-copies",
        "mechanism",
        "Where either drug is known to do, experts who share a coin or have a habit agree too "
        "often. The p-value of the check is at most {at_most}.",
        lambda m: max(m[f"{KNOWN}.{kind}.p_value"] for kind in ("copies", "habit")),
        at_most=0.001,
    ),
    Claim(
        "dissenters-betray-copies",
        "mechanism",
        "On any patients, five such experts have too many single dissenters. The p-value of the "
        "check is at most {at_most}.",
        lambda m: max(m[f"{ANY}.{kind}.p_value"] for kind in ("copies", "habit")),
        at_most=0.001,
    ),
    Claim(
        "measured-rates-repair-copies",
        "mechanism",
        "Measured label rates know the copies. With rates of 300 known states, the class costs at "
        "most {at_most} times as much as the best threshold.",
        cost_ratio(
            "copies_known_states",
            "neutral_measured_rates",
            "copies_known_states.binary_best_threshold",
        ),
        at_most=0.99,
    ),
    Claim(
        "two-thresholds-need-no-coins",
        "limit",
        "Two models with the two best thresholds do not mind the shared coin. The class with "
        "measured rates costs at least {at_least} times as much.",
        cost_ratio(
            "copies_known_states",
            "neutral_measured_rates",
            "copies_known_states.two_models_best",
        ),
        at_least=0.97,
    ),
    Claim(
        "measured-rates-know-the-habit",
        "benefit",
        "Where experts have a habit, measured rates beat the best thresholds on a perfect binary "
        "model and on two models. The class costs at most {at_most} times as much.",
        over_strongest_rival,
        at_most=0.97,
        baseline="habit_known_states.perfect_binary.free_choice",
    ),
    Claim(
        "dawid-skene-takes-the-coin-for-truth",
        "mechanism",
        "The model of Dawid and Skene knows no case without a right answer. A binary model on its "
        "labels costs at least {at_least} times as much as to decide everyone.",
        cost_ratio("copies", "dawid_skene", "copies.decide_everyone"),
        at_least=1.5,
    ),
]

EXPERIMENT = Experiment(
    question="What do experts cost who copy each other, and how does one find out?",
    data="synthetic",
    measure=measure,
    roles=ROLES,
    claims=CLAIMS,
)
