"""A neutral band of real delays: on time, unclear or late."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import OrdinalEncoder

from patterns._kit.evidence import Claim, Experiment, Metrics, Result, by_period, in_each_period
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.bands import ROLES, score_band
from patterns.neutral_class.evidence.delays import PERIODS, before_and_after, delay_table, draw
from patterns.neutral_class.evidence.patients import trees
from patterns.neutral_class.evidence.policies import UTILITIES, costs

UNCLEAR = (5, 25)  # minutes: what is said of such a flight is neither right nor wrong
LATE = 15  # minutes, as the US Department of Transportation counts


def measure(config: Config) -> Result:
    """Every method in each test period, with and without the departure delay."""
    table = delay_table()
    return Result(
        score_each_period("flights_at_takeoff", table, config)
        | score_each_period("flights_before_departure", table.drop(columns="dep_delay"), config)
    )


def score_each_period(task: str, table: pd.DataFrame, config: Config) -> dict[str, float]:
    """Train on the past, tune on the month before the test period; the cost, and of each period."""
    rng = np.random.default_rng(config.seed)
    cost = costs(UTILITIES["free_choice"], config.review_price)
    delay = table["arr_delay"].to_numpy()
    state = np.searchsorted(UNCLEAR, delay, side="right")
    features = table.drop(columns=["time_hour", "arr_delay"])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    names = ["carrier", "origin", "dest"]
    encoder = make_column_transformer((codes, names), remainder="passthrough")
    found: list[dict[str, float]] = []
    for boundaries in PERIODS.values():
        sizes = (config.n_real, config.n_real, config.n_real_test)
        parts = before_and_after(table["time_hour"], boundaries)
        train, tune, test = (draw(rng, rows, n) for rows, n in zip(parts, sizes, strict=True))
        X = encoder.fit_transform(features.iloc[train])
        X_tune, X_test = (encoder.transform(features.iloc[rows]) for rows in (tune, test))
        two = trees(config.seed).fit(X, delay[train] >= LATE)
        number = HistGradientBoostingRegressor(
            learning_rate=0.06,
            max_leaf_nodes=8,
            l2_regularization=5.0,
            early_stopping=True,
            random_state=config.seed,
        ).fit(X, delay[train])
        three = trees(config.seed).fit(X, state[train])
        of_period = score_band(
            binary=(two.predict_proba(X_tune), two.predict_proba(X_test)),
            regression=(number.predict(X_tune), number.predict(X_test)),
            neutral=three.predict_proba(X_test),
            truth=(np.eye(3)[state[tune]], np.eye(3)[state[test]]),
            cost=cost,
        )
        found.append(of_period)
    paid = {name: [paid[name] for paid in found] for name in ROLES}
    return by_period(task, "cost", tuple(PERIODS), paid)


def farthest_from_equal(task: str, baseline: str) -> Callable[[Metrics], float]:
    """Cost of the class relative to a baseline, in the period where the two differ the most."""

    def value(m: Metrics) -> float:
        pairs = in_each_period(m, task, tuple(PERIODS), "neutral", baseline)
        return max((a / b for a, b in pairs), key=lambda ratio: abs(np.log(ratio)))

    return value


CLAIMS = [
    Claim(
        "flights-at-takeoff",
        "limit",
        "A neutral band of real delays, from 5 to 25 minutes, gains nothing at take-off. It costs "
        "{at_least} to {at_most} times as much as a tuned threshold in every period.",
        farthest_from_equal("flights_at_takeoff", "binary_tuned_threshold"),
        at_least=0.85,
        at_most=1.15,
    ),
    Claim(
        "flights-before-departure",
        "limit",
        "With only what is known before departure, the neutral band costs {at_least} to {at_most} "
        "times as much as a tuned threshold in every period.",
        farthest_from_equal("flights_before_departure", "binary_tuned_threshold"),
        at_least=0.85,
        at_most=1.15,
    ),
]

EXPERIMENT = Experiment(
    question="Does a neutral band help with the delay of a flight?",
    data="real",
    measure=measure,
    roles=ROLES,
    claims=CLAIMS,
)
