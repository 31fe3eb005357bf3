"""Experts who make mistakes: without any indifference, and beside it."""

from __future__ import annotations

from typing import Any

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.patients import ROLES, logistic, score_both_costs, study

UNEQUAL = (0.02, 0.1, 0.1, 0.3, 0.4)  # error rates of five experts


def measure(config: Config) -> Result:
    """Every method where experts disagree by mistake only, and where they are indifferent too."""
    metrics: dict[str, float] = {}
    kinds: dict[str, dict[str, Any]] = {
        "only_error": {"some_either": False, "error_rate": config.error_rate},
        "unequal_error": {"some_either": False, "error_rate": UNEQUAL, "n_experts": len(UNEQUAL)},
        "indifference_and_error": {"error_rate": config.error_rate},
    }
    for task, kind in kinds.items():
        found = study(logistic(), config.n_train, config, out_of_fold=False, **kind)
        metrics |= score_both_costs(task, found, config.review_price)
    return Result(metrics)


CLAIMS = [
    Claim(
        "error-is-not-indifference",
        "limit",
        "Where experts disagree by mistake only, and neutral means review, the class costs at "
        "least {at_least} times as much as Chow's rule.",
        ratio("only_error.neutral_corrected.review_only", "only_error.binary_chow.review_only"),
        at_least=1.2,
    ),
    Claim(
        "mistakes-mislead-the-correction",
        "limit",
        "Where experts are both indifferent and fallible, the correction takes mistakes for coins. "
        "The corrected class costs at least {at_least:g} times as much as the uncorrected one.",
        ratio(
            "indifference_and_error.neutral_corrected.free_choice",
            "indifference_and_error.neutral_raw.free_choice",
        ),
        at_least=1.0,
    ),
    Claim(
        "measured-rates-know-mistakes",
        "mechanism",
        "Measured label rates know the mistakes. With rates of 300 known states, the class costs "
        "at most {at_most} times as much as the best threshold.",
        ratio(
            "indifference_and_error.neutral_measured_rates.free_choice",
            "indifference_and_error.binary_best_threshold.free_choice",
        ),
        at_most=0.99,
    ),
    Claim(
        "dawid-skene-is-for-mistakes",
        "limit",
        "Where each case has a right answer, and some experts err more than others, the labels of "
        "Dawid and Skene are the remedy. The class costs at least {at_least} times as much.",
        ratio(
            "unequal_error.neutral_corrected.free_choice", "unequal_error.dawid_skene.free_choice"
        ),
        at_least=1.1,
    ),
]

EXPERIMENT = Experiment(
    question="What happens where experts disagree by mistake?",
    data="synthetic",
    measure=measure,
    roles={name: role for name, role in ROLES.items() if name != "two_models_by_votes"},
    claims=CLAIMS,
)
