"""Intervals of house prices, beside conformal prediction."""

from __future__ import annotations

import logging

import numpy as np
from scoringrules import interval_score
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, train_test_split

from datasets import make_house_prices
from patterns._kit.evidence import Claim, Experiment, Result, metric, ratio
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import (
    LEVELS,
    Regression,
    quantile_boosting,
    residual_boosting,
    trees,
)
from patterns.reframing.pattern import BinnedDistributionRegressor

COVERAGE = 0.8


def measure(config: Config) -> Result:
    """Intervals that should hold 80 % of the prices: of all houses, and of the least certain.

    Raises
    ------
    ImportError
        Without the package mapie, of the dependency group "evidence".
    """
    # Here, because it takes seconds and only this experiment needs it.
    from mapie.regression import ConformalizedQuantileRegressor, CrossConformalRegressor

    logging.disable(logging.INFO)  # mapie reports quantiles that it sorts
    train = make_house_prices(config.n_train, random_state=[config.seed, 0])
    test = make_house_prices(config.n_test, random_state=[config.seed, 1])
    X, y, X_test, y_test = train.X, train.y.to_numpy(), test.X, test.y.to_numpy()
    regressor = trees(HistGradientBoostingRegressor, config.seed)
    conformal = CrossConformalRegressor(regressor, COVERAGE, cv=KFold(5)).fit_conformalize(X, y)
    for_quantiles = regressor.__class__(**{**regressor.get_params(), "loss": "quantile"})
    by_quantiles = ConformalizedQuantileRegressor(for_quantiles, COVERAGE)
    fit, conformalize = train_test_split(np.arange(len(y)), test_size=0.25, shuffle=False)
    by_quantiles.fit(X.iloc[fit], y[fit]).conformalize(X.iloc[conformalize], y[conformalize])
    boosted = {
        "quantile_boosting": quantile_boosting(X, y, X_test, config),
        "residual_boosting": residual_boosting(Regression(regressor, X, y, X_test), config),
    }
    tails = (1 - COVERAGE) / 2, (1 + COVERAGE) / 2
    centered = BinnedDistributionRegressor(n_bins=config.n_bins, regressor=regressor).fit(X, y)
    intervals = {
        "conformal": conformal.predict_interval(X_test)[1][:, :, 0],
        "conformal_quantiles": by_quantiles.predict_interval(X_test)[1][:, :, 0],
        **{
            name: forecast.quantiles[:, [np.abs(LEVELS - q).argmin() for q in tails]]
            for name, forecast in boosted.items()
        },
        "centered": centered.predict_interval(X_test, COVERAGE),
        "oracle": test.oracle_quantile(X_test, [tails]),
    }
    logging.disable(logging.NOTSET)
    width = np.diff(np.log(intervals["oracle"]))[:, 0]
    uncertain = width >= np.quantile(width, 0.8)
    metrics: dict[str, float] = {}
    for name, (low, high) in {name: found.T for name, found in intervals.items()}.items():
        holds = (low <= y_test) & (y_test <= high)
        metrics |= {
            f"intervals.{name}.interval_score": interval_score(
                y_test, low, high, 1 - COVERAGE
            ).mean(),
            f"intervals.{name}.coverage": holds.mean(),
            f"intervals.{name}.coverage_uncertain": holds[uncertain].mean(),
        }
    return Result(metrics)


CLAIMS = [
    Claim(
        "conformal-misses-the-uncertain",
        "mechanism",
        "Conformal intervals around a regression hold for houses on average: of the least certain "
        "fifth, intervals for eight in ten hold at most {at_most} of the prices.",
        metric("intervals.conformal.coverage_uncertain"),
        at_most=0.72,
    ),
    Claim(
        "centered-holds-for-the-uncertain",
        "mechanism",
        "Intervals from bins of the residuals hold {at_least} to {at_most} of these prices.",
        metric("intervals.centered.coverage_uncertain"),
        at_least=0.7,
        at_most=0.88,
    ),
    Claim(
        "intervals-as-good-as-boosting",
        "limit",
        "They gain little over boosted quantiles of the residuals: {at_least} to {at_most} times "
        "their interval score.",
        ratio("intervals.centered.interval_score", "intervals.residual_boosting.interval_score"),
        at_least=0.95,
        at_most=1.05,
    ),
]

EXPERIMENT = Experiment(
    question="Which neighbor gives the better interval, and for whom does it hold?",
    data="synthetic",
    measure=measure,
    roles={
        "conformal": "baseline",
        "conformal_quantiles": "baseline",
        "quantile_boosting": "baseline",
        "residual_boosting": "baseline",
        "centered": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
