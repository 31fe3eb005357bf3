"""What a method does in each case, what that costs, and the thresholds that cost least."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patterns.neutral_class.pattern import least_costly_action

FloatArray = NDArray[np.float64]

ACTIONS = ("acetaminophen", "ibuprofen", "review")
# What it costs to prescribe, without a review, where either drug would do.
UTILITIES = {"free_choice": 0.0, "review_only": 1.0}


def costs(either: float, review: float) -> FloatArray:
    """Cost of each of ACTIONS when acetaminophen, either or ibuprofen is right, shape (3, 3)."""
    return np.array([[0, 1, review], [either, either, review], [1, 0, review]])


class Policy(NamedTuple):
    """What a method does in n cases."""

    drug: NDArray[np.intp]  # (n,) position in ACTIONS of the drug it would give
    confidence: FloatArray  # (n,) minus what it expects that drug to cost
    review: NDArray[np.bool_]  # (n,) whether it asks for a review instead


def act(proba: FloatArray, cost: FloatArray, threshold: float | None = None) -> Policy:
    """Review where a review is expected to cost less, or below a threshold of confidence if given.

    Two columns of probabilities are a binary model's, whose costs lack the row of "either"; without
    a threshold it then follows Chow's rule.
    """
    cost = cost if proba.shape[1] == 3 else cost[[0, 2]]
    drug = least_costly_action(proba, cost[:, :2])
    confidence = -(proba @ cost[:, :2]).min(axis=1)
    if threshold is None:
        return Policy(drug, confidence, least_costly_action(proba, cost) == 2)
    return Policy(drug, confidence, confidence < threshold)


def loss_if_decided(policy: Policy, truth: FloatArray, cost: FloatArray) -> FloatArray:
    """Expected cost of each case without review, shape (n,), under the true probabilities."""
    return (truth @ cost)[np.arange(len(truth)), policy.drug]


def mean_cost(policy: Policy, truth: FloatArray, cost: FloatArray) -> float:
    """Expected cost of a case, reviews included."""
    paid = np.where(policy.review, cost[0, 2], loss_if_decided(policy, truth, cost))
    return float(paid.mean())


def tuned(proba: FloatArray, truth: FloatArray, cost: FloatArray) -> float:
    """Threshold of confidence that costs least on these cases."""
    plain = act(proba, cost)
    saved = cost[0, 2] - loss_if_decided(plain, truth, cost)
    return _best_threshold(plain.confidence, saved)[0]


def _best_threshold(confidence: FloatArray, saved: FloatArray) -> tuple[float, float]:
    """Decide from this confidence on, and what that saves in all."""
    order = np.argsort(-confidence, kind="stable")
    levels = np.append(np.inf, confidence[order])
    total = np.append(0.0, np.cumsum(saved[order]))  # of the first 0, 1, ... cases
    total[:-1][levels[:-1] == levels[1:]] = -np.inf  # equals are decided together
    best = int(total.argmax())
    return levels[best], total[best]


class TwoModels(NamedTuple):
    """What two models predict: of the votes, and of disagreement."""

    votes: FloatArray  # (n, 2) probability of a vote for each drug
    disagreement: FloatArray  # (n,) probability that the experts of a patient disagree


def act_on_two(predicted: TwoModels, cost: FloatArray, thresholds: tuple[float, float]) -> Policy:
    """Two thresholds: one on disagreement, and below it one on the confidence in a drug.

    Where the experts are expected to disagree, any drug will do if the choice is free, and nothing
    but a review if it is not.
    """
    plain = act(predicted.votes, cost)
    neutral = predicted.disagreement >= thresholds[0]
    unsure = plain.confidence < thresholds[1]
    review = unsure & ~neutral if cost[1, 0] < cost[0, 2] else unsure | neutral
    return plain._replace(review=review)


def tuned_two(predicted: TwoModels, truth: FloatArray, cost: FloatArray) -> tuple[float, float]:
    """The two thresholds that cost least on these cases; that on disagreement from a grid of 60."""
    plain = act(predicted.votes, cost)
    saved = cost[0, 2] - loss_if_decided(plain, truth, cost)
    grid = np.append(np.quantile(predicted.disagreement, np.linspace(0, 1, 60)), np.inf)
    found = []
    for level in grid:
        neutral = predicted.disagreement >= level
        threshold, total = _best_threshold(plain.confidence[~neutral], saved[~neutral])
        if cost[1, 0] < cost[0, 2]:  # all of the neutral are decided, or else none
            total += saved[neutral].sum()
        found.append((total, level, threshold))
    _, *best = max(found, key=lambda entry: entry[0])
    return best[0], best[1]
