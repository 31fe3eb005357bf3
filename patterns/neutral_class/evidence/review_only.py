"""Patients for whom either drug would do, but who must see a doctor all the same."""

from __future__ import annotations

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.free_choice import score_both_tables
from patterns.neutral_class.evidence.patients import ROLES, logistic, study
from patterns.neutral_class.evidence.policies import UTILITIES, costs


def measure(config: Config) -> Result:
    """Every method where review is all there is."""
    found = study(logistic(), config.n_train, config)
    cost = costs(UTILITIES["review_only"], config.review_price)
    return Result(score_both_tables("review_only", found, cost))


CLAIMS = [
    Claim(
        "no-room-if-review-is-all",
        "limit",
        "Where review is the only other action, little is left to gain. The best threshold on the "
        "true probability of a vote costs at most {at_most} times as much as the oracle.",
        ratio(
            "review_only_known_states.perfect_binary.cost", "review_only_known_states.oracle.cost"
        ),
        at_most=1.02,
    ),
]

EXPERIMENT = Experiment(
    question="What is left of the gain where review is the only other action?",
    data="synthetic",
    measure=measure,
    roles=ROLES,
    claims=CLAIMS,
)
