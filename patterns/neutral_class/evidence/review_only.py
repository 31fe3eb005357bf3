"""Patients for whom either drug would do, but who must see a doctor all the same."""

from __future__ import annotations

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.free_choice import score_both_tables
from patterns.neutral_class.evidence.patients import ROLES, logistic, score_both_costs, study, trees
from patterns.neutral_class.evidence.policies import UTILITIES, costs


def measure(config: Config) -> Result:
    """Every method where review is all there is; boosted trees there and with a free choice."""
    found = study(logistic(), config.n_train, config)
    cost = costs(UTILITIES["review_only"], config.review_price)
    metrics = score_both_tables("review_only", found, cost)
    found = study(trees(config.seed), config.n_train_large, config, out_of_fold=False)
    return Result(metrics | score_both_costs("boosted_trees", found, config.review_price))


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
