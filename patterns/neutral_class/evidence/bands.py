"""A neutral band that is cut out of a number: the same decisions from a score and from classes."""

from __future__ import annotations

import numpy as np

from patterns._kit.evidence import Role
from patterns.neutral_class.evidence.policies import FloatArray, Policy, act, mean_cost, tuned

ROLES: dict[str, Role] = {
    "binary_chow": "baseline",
    "binary_tuned_threshold": "baseline",
    "binary_tuned_cuts": "baseline",
    "binary_best_cuts": "baseline",
    "regression_tuned_cuts": "baseline",
    "regression_best_cuts": "baseline",
    "neutral": "pattern",
}


def tuned_cuts(score: FloatArray, truth: FloatArray, cost: FloatArray) -> tuple[float, float]:
    """Two cuts of a score: the first action below the first, the second one from the second on.

    Between them is a review. No other two cuts cost less on these cases.
    """
    order = np.argsort(score, kind="stable")
    levels = np.append(score[order], np.inf)
    saved = cost[0, 2] - (truth @ cost)[order, :2]
    low = np.append(0.0, np.cumsum(saved[:, 0]))  # by the first action on the first 0, 1, ... cases
    high = np.append(np.cumsum(saved[::-1, 1])[::-1], 0.0)  # by the second one on all others
    parts_equals = np.append(False, levels[1:] == levels[:-1])
    low[parts_equals] = high[parts_equals] = -np.inf
    second = int((np.maximum.accumulate(low) + high).argmax())
    return levels[low[: second + 1].argmax()], levels[second]


def act_on_cuts(score: FloatArray, cuts: tuple[float, float]) -> Policy:
    """Review between two cuts."""
    low, high = cuts
    return Policy((score >= high).astype(int), score, (score >= low) & (score < high))


def score_band(
    binary: tuple[FloatArray, FloatArray],
    regression: tuple[FloatArray, FloatArray],
    neutral: FloatArray,
    truth: tuple[FloatArray, FloatArray],
    cost: FloatArray,
) -> dict[str, float]:
    """Cost of the thresholds of a binary model and of a regression, and of a neutral class.

    Pairs are of the cases to tune on and of the test cases. ``binary`` has probabilities of two
    classes, ``regression`` predictions of the number, ``neutral`` and ``truth`` probabilities of
    three states.
    """
    (two_tune, two), (state_tune, state) = binary, truth
    policies = {
        "binary_chow": act(two, cost),
        "binary_tuned_threshold": act(two, cost, tuned(two_tune, state_tune, cost)),
    }
    for name, tune, score in (
        ("binary", two_tune[:, 1], two[:, 1]),
        ("regression", *regression),
    ):
        cuts = tuned_cuts(tune, state_tune, cost)
        policies[f"{name}_tuned_cuts"] = act_on_cuts(score, cuts)
        best = tuned_cuts(score, state, cost)
        policies[f"{name}_best_cuts"] = act_on_cuts(score, best)
    policies["neutral"] = act(neutral, cost)
    return {name: mean_cost(policy, state, cost) for name, policy in policies.items()}
