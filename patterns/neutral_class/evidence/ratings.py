"""Simulated customers who give one to five stars, where three stars are neutral."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LinearRegression

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.bands import ROLES, score_band
from patterns.neutral_class.evidence.patients import logistic
from patterns.neutral_class.evidence.policies import UTILITIES, FloatArray, act, costs, mean_cost


def chances(X: FloatArray) -> FloatArray:
    """Probability of up to two, three, and four or more stars, shape (n_samples, 3)."""
    at_most = expit(np.array([-0.8, 0.8]) - 2 * X[:, [0]])
    return np.column_stack([at_most[:, 0], np.diff(at_most), 1 - at_most[:, 1]])


def measure(config: Config) -> Result:
    """Apologize, thank, or call them first; a letter to a neutral customer does no harm."""
    rng = np.random.default_rng(config.seed)
    cost = costs(UTILITIES["free_choice"], config.review_price)
    sizes = (config.n_train, config.n_validation, config.n_test)
    X, X_tune, X_test = (rng.normal(size=(size, 4)) for size in sizes)

    def draw(X: FloatArray) -> NDArray[np.intp]:
        return (rng.uniform(size=(len(X), 1)) >= chances(X).cumsum(axis=1)[:, :2]).sum(axis=1)

    state, state_tune = draw(X), draw(X_tune)
    two = logistic().fit(X[state != 1], state[state != 1])
    number = LinearRegression().fit(X, state)
    truth = chances(X_test)
    found = score_band(
        binary=(two.predict_proba(X_tune), two.predict_proba(X_test)),
        regression=(number.predict(X_tune), number.predict(X_test)),
        neutral=logistic().fit(X, state).predict_proba(X_test),
        truth=(np.eye(3)[state_tune], truth),
        cost=cost,
    )
    found["oracle"] = mean_cost(act(truth, cost), truth, cost)
    return Result({f"customer_ratings.{name}.cost": paid for name, paid in found.items()})


CLAIMS = [
    Claim(
        "ratings-in-between",
        "parity",
        "A middling rating lies between the other two. The class costs {at_least} to {at_most} "
        "times as much as the two best thresholds on a binary model.",
        ratio("customer_ratings.neutral.cost", "customer_ratings.binary_best_cuts.cost"),
        at_least=0.93,
        at_most=1.07,
    ),
]

EXPERIMENT = Experiment(
    question="Does a class help with a middling rating, which lies between the other two?",
    data="synthetic",
    measure=measure,
    roles={**ROLES, "oracle": "best possible"},
    claims=CLAIMS,
)
