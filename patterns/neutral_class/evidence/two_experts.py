"""Two experts, who agree by chance half of the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from datasets import make_prescriptions
from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.patients import (
    ROLES,
    Votes,
    costs_of,
    from_states,
    from_votes,
    logistic,
    oracle,
    study,
)
from patterns.neutral_class.evidence.policies import UTILITIES, FloatArray, act, costs
from patterns.neutral_class.pattern import labels_from_votes

N_EXPERTS = 2
N_STEPS = 15  # of expectation and maximization


def mixture(model: Any, X: FloatArray, votes: Votes) -> Any:
    """The pattern, fitted by expectation maximization instead of corrected afterwards.

    The true state is hidden behind the votes. Each step weighs every patient's three states by how
    probable they are, given the votes and the model so far, and fits the model to all three.
    """
    alike = 2.0 ** -votes.shape[1]
    chances = {  # of the votes of each patient, in each state
        "acetaminophen": np.array([1, alike, 0]),
        "either": np.array([0, 1, 0]),  # who disagree are indifferent, for sure
        "ibuprofen": np.array([0, alike, 1]),
    }
    likelihood = np.array([chances[label] for label in labels_from_votes(votes, "either")])
    states, rows = np.tile(list(chances), len(X)), np.repeat(X, 3, axis=0)
    weights = f"{model.steps[-1][0]}__sample_weight"
    posterior = likelihood
    for _ in range(N_STEPS):
        posterior = posterior / posterior.sum(axis=1, keepdims=True)
        fitted = clone(model).fit(rows, states, **{weights: posterior.ravel()})
        posterior = fitted.predict_proba(X) * likelihood
    return fitted


def measure(config: Config) -> Result:
    """Every method on two votes per patient, at both kinds of costs."""
    n = config.n_train_large
    found = study(logistic(), n, config, n_experts=N_EXPERTS)
    train, test = (
        make_prescriptions(size, n_experts=N_EXPERTS, random_state=[config.seed, part])
        for part, size in ((0, n * N_EXPERTS), (2, config.n_test))
    )
    votes = train.frame[list(train.target_names)].to_numpy(str)[:n]
    fitted = mixture(logistic(), train.X.to_numpy()[:n], votes)
    by_mixture = fitted.predict_proba(test.X.to_numpy())
    metrics: dict[str, dict[str, float]] = {}
    for column, cost in {
        **{name: costs(either, config.review_price) for name, either in UTILITIES.items()},
        "at_10_percent": costs(UTILITIES["free_choice"], 0.1),
    }.items():
        best = {"oracle": oracle(found, cost)}
        votes_alone = from_votes(found, cost)
        pattern = {"neutral_corrected": votes_alone.pop("neutral_corrected")}
        votes_alone["neutral_by_mixture"] = act(by_mixture, cost)
        for task, policies in {
            "two_experts": votes_alone | pattern | best,
            "two_experts_known_states": from_states(found, cost) | pattern | best,
        }.items():
            for name, paid in costs_of(found, policies, cost).items():
                metrics.setdefault(f"{task}.{name}", {})[column] = paid
    return Result(
        {f"{row}.{column}": v for row, paid in metrics.items() for column, v in paid.items()}
    )


TASK, KNOWN = "two_experts", "two_experts_known_states"

CLAIMS = [
    Claim(
        "cheaper-with-votes-alone",
        "benefit",
        "With two experts and no known state, the best rival is a binary model that decides "
        "everyone. The corrected class costs at most {at_most} times as much.",
        ratio(f"{TASK}.neutral_corrected.free_choice", f"{TASK}.decide_everyone.free_choice"),
        at_most=0.9,
        baseline=f"{TASK}.decide_everyone.free_choice",
    ),
    Claim(
        "cheaper-still-where-reviews-are-cheap",
        "benefit",
        "Where a review costs a tenth of a wrong drug, the corrected class costs at most {at_most} "
        "times as much as to decide everyone.",
        ratio(f"{TASK}.neutral_corrected.at_10_percent", f"{TASK}.decide_everyone.at_10_percent"),
        at_most=0.7,
        baseline=f"{TASK}.decide_everyone.at_10_percent",
    ),
    Claim(
        "tuning-on-votes-fails",
        "mechanism",
        "Thresholds that are tuned on the votes mistake agreement by chance for knowledge. The "
        "corrected class costs at most {at_most} times as much as two models with such thresholds.",
        ratio(
            f"{TASK}.neutral_corrected.free_choice",
            f"{TASK}.two_models_by_votes.free_choice",
        ),
        at_most=0.65,
    ),
    Claim(
        "two-experts-uncorrected",
        "limit",
        "Without the correction, a neutral class from two experts costs at least {at_least} times "
        "as much as to decide everyone.",
        ratio(f"{TASK}.neutral_raw.free_choice", f"{TASK}.decide_everyone.free_choice"),
        at_least=1.1,
    ),
    Claim(
        "known-states-replace-the-correction",
        "limit",
        "Where 300 states are known to tune on, two models with two thresholds do nearly as well. "
        "The corrected class costs at least {at_least} times as much.",
        ratio(
            f"{KNOWN}.neutral_corrected.free_choice",
            f"{KNOWN}.two_models_tuned.free_choice",
        ),
        at_least=0.8,
    ),
    Claim(
        "a-mixture-learns-more",
        "limit",
        "The correction is simple, and not the best use of the votes. It costs at least "
        "{at_least:g} times as much as the same classes fitted by expectation maximization.",
        ratio(f"{TASK}.neutral_corrected.free_choice", f"{TASK}.neutral_by_mixture.free_choice"),
        at_least=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="Are two experts enough, and what is the correction for chance worth?",
    data="synthetic",
    measure=measure,
    roles={name: role for name, role in ROLES.items() if name != "dawid_skene"},
    claims=CLAIMS,
)
