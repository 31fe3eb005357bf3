"""Experts who make mistakes: without any indifference, and beside it."""

from __future__ import annotations

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.patients import ROLES, logistic, score_both_costs, study


def measure(config: Config) -> Result:
    """Every method where experts disagree by mistake only, and where they are indifferent too."""
    metrics: dict[str, float] = {}
    for task, some_either in {"only_error": False, "indifference_and_error": True}.items():
        found = study(
            logistic(),
            config.n_train,
            config,
            out_of_fold=False,
            some_either=some_either,
            error_rate=config.error_rate,
        )
        metrics |= score_both_costs(task, found, config.review_price)
    return Result(metrics)


CLAIMS = [
    Claim(
        "error-is-not-indifference",
        "limit",
        "Where experts disagree by mistake only, and review is the action for neutral, the class "
        "costs at least {at_least} times as much as Chow's rule on the same votes.",
        ratio("only_error.neutral_corrected.review_only", "only_error.binary_chow.review_only"),
        at_least=1.2,
    ),
    Claim(
        "mistakes-mislead-the-correction",
        "limit",
        "Where experts are both indifferent and fallible, the correction takes mistakes for coins: "
        "the corrected class costs at least {at_least:g} times as much as the uncorrected one.",
        ratio(
            "indifference_and_error.neutral_corrected.free_choice",
            "indifference_and_error.neutral_raw.free_choice",
        ),
        at_least=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="What happens where experts disagree by mistake?",
    data="synthetic",
    measure=measure,
    roles={name: role for name, role in ROLES.items() if name != "two_models_tuned_on_votes"},
    claims=CLAIMS,
)
