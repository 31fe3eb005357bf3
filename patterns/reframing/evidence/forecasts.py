"""What the experiments share: the baselines, the pattern, and the score of a forecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scoringrules
from numpy.typing import NDArray
from quantile_forest import RandomForestQuantileRegressor
from scipy.stats import norm
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from xgboost import XGBRegressor

from patterns._kit.evidence import Role
from patterns.reframing.evidence import Config
from patterns.reframing.pattern import BinnedDistributionRegressor, out_of_fold_residuals

FloatArray = NDArray[np.float64]

LEVELS = (np.arange(99) + 0.5) / 99  # quantiles that stand for a distribution

ROLES: dict[str, Role] = {
    "climatology": "baseline",
    "point_gaussian": "baseline",
    "point_residuals": "baseline",
    "hurdle": "baseline",
    "quantile_forest": "baseline",
    "quantile_boosting": "baseline",
}


class Forecast(NamedTuple):
    """A predictive distribution for each of n test rows."""

    mean: FloatArray  # (n,)
    cdf: Callable[[FloatArray], FloatArray]  # of (n, m) or (1, m) amounts to (n, m)
    quantiles: FloatArray  # (n, 99), at LEVELS


def crps(forecast: Forecast, y: FloatArray) -> FloatArray:
    """Continuous ranked probability score of each row, in the unit of the target."""
    return scoringrules.crps_ensemble(y, forecast.quantiles, estimator="qd")


# ---------------------------------------------------------------------------------- baselines
def climatology(y: FloatArray, n_test: int) -> Forecast:
    """The training target itself, whatever the features say."""
    values = np.sort(y)

    def cdf(at: FloatArray) -> FloatArray:
        share = np.searchsorted(values, at, side="right") / len(values)
        return np.broadcast_to(share, (n_test, at.shape[1]))

    return Forecast(
        np.full(n_test, y.mean()), cdf, np.tile(np.quantile(values, LEVELS), (n_test, 1))
    )


class Regression:
    """A regression's predictions of the test rows, and the errors that it made out of fold."""

    def __init__(self, regressor: Any, X: Any, y: FloatArray, X_test: Any) -> None:
        self.X, self.y, self.X_test = X, y, X_test
        self.residuals = out_of_fold_residuals(regressor, X, y)
        self.center: FloatArray = clone(regressor).fit(X, y).predict(X_test)

    def with_bell(self) -> Forecast:
        """With a bell as wide as the errors."""
        center, sd = self.center[:, None], self.residuals.std(ddof=1)
        return Forecast(
            self.center, lambda at: norm.cdf(at, center, sd), center + sd * norm.ppf(LEVELS)
        )

    def with_errors(self) -> Forecast:
        """With the errors themselves."""
        center, errors = self.center[:, None], np.sort(self.residuals)
        return Forecast(
            self.center + errors.mean(),
            lambda at: np.searchsorted(errors, at - center, side="right") / len(errors),
            center + np.quantile(errors, LEVELS),
        )


def log_residuals(regressor: Any, X: Any, y: FloatArray, X_test: Any) -> Forecast:
    """A regression of the logarithm with its errors: wider where the target is larger."""
    logs = Regression(regressor, X, np.log(y), X_test).with_errors()
    return _of_quantiles(np.exp(logs.quantiles))


def hurdle(classifier: Any, regressor: Any, X: Any, y: FloatArray, X_test: Any) -> Forecast:
    """Wet or dry by the classifier; how much, by a regression of the logarithm and its errors."""
    wet = y > 0
    chance = classifier.fit(X, wet).predict_proba(X_test)[:, [1]]
    logs = np.log(y[wet])
    regression = Regression(regressor, X[wet], logs, X_test)
    errors, center = np.sort(regression.residuals), regression.center[:, None]

    def cdf(at: FloatArray) -> FloatArray:
        gap = np.log(np.where(at > 0, at, 1)) - center
        below = np.searchsorted(errors, gap, side="right") / len(errors)
        return (at >= 0) * (1 - chance + chance * np.where(at > 0, below, 0))

    level = np.clip((LEVELS - (1 - chance)) / np.maximum(chance, 1e-12), 0, 1)
    amount = np.exp(center + np.quantile(errors, level))
    mean = chance[:, 0] * np.exp(center[:, 0]) * np.exp(errors).mean()
    return Forecast(mean, cdf, np.where(1 - chance < LEVELS, amount, 0.0))


def quantile_forest(X: Any, y: FloatArray, X_test: Any, config: Config) -> Forecast:
    """A random forest that remembers the targets in its leaves (Meinshausen 2006)."""
    # All targets of a leaf: to draw one of them, it sorts in a way that differs by processor.
    forest = RandomForestQuantileRegressor(
        config.n_forest, min_samples_leaf=10, max_samples_leaf=None, random_state=config.seed
    )
    model = make_pipeline(SimpleImputer(strategy="median"), forest).fit(X, y)
    return _of_quantiles(model.predict(X_test, quantiles=list(LEVELS)))


def quantile_boosting(
    X: Any, y: FloatArray, X_test: Any, config: Config, n_trees: int = 100
) -> Forecast:
    """Boosted trees for 19 quantiles at once, sorted, with straight lines between them."""
    levels = (np.arange(19) + 0.5) / 19
    model = XGBRegressor(
        objective="reg:quantileerror",
        quantile_alpha=levels,
        n_estimators=n_trees,
        learning_rate=10 / n_trees,
        max_depth=3,
        n_jobs=1,
        random_state=config.seed,
    )
    few = np.sort(model.fit(X, y).predict(X_test).astype(float), axis=1)
    return _of_quantiles(np.array([np.interp(LEVELS, levels, row) for row in few]))


def residual_boosting(regression: Regression, config: Config, n_trees: int = 100) -> Forecast:
    """A regression, and around it boosted quantiles of the errors that it made out of fold."""
    X, X_test = (
        np.column_stack([table, prediction])
        for table, prediction in (
            (regression.X, regression.y - regression.residuals),
            (regression.X_test, regression.center),
        )
    )
    around = quantile_boosting(X, regression.residuals, X_test, config, n_trees)
    return _of_quantiles(regression.center[:, None] + around.quantiles)


def _of_quantiles(quantiles: FloatArray) -> Forecast:
    return Forecast(
        quantiles.mean(axis=1),
        lambda at: (quantiles[:, :, None] <= at[:, None]).mean(axis=1),
        quantiles,
    )


# ---------------------------------------------------------------------------------- the pattern
def binned(
    X: Any,
    y: FloatArray,
    X_test: Any,
    n_bins: int,
    classifier: Any = None,
    regressor: Any = None,
    **settings: Any,
) -> Forecast:
    """The pattern: a classifier over bins of the target, or of a regression's residuals."""
    model = BinnedDistributionRegressor(classifier, n_bins, regressor=regressor, **settings)
    with warnings.catch_warnings():  # that values of real rain, multiples of 0.01, leave fewer bins
        warnings.filterwarnings("ignore", ".*bins remain", UserWarning)
        model.fit(X, y)
    return Forecast(
        model.predict(X_test),
        lambda at: model.predict_cdf(X_test, at),
        model.predict_quantile(X_test, LEVELS),
    )


def trees(kind: Any, seed: int) -> Any:
    """Boosted trees, the same for regression and classification; regularized, for rare bins."""
    return kind(
        learning_rate=0.1,
        max_leaf_nodes=8,
        l2_regularization=5.0,
        early_stopping=True,
        random_state=seed,
    )
