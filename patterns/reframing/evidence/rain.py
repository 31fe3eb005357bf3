"""Rain with a known truth: of a shape that a hurdle model has, and of two kinds, which it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import kstest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_pinball_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datasets import Rainfall, make_rainfall
from patterns._kit.evidence import Claim, Drawing, Experiment, Result, difference, metric, ratio
from patterns._kit.figures import BASELINE, BEST, PATTERN
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import (
    LEVELS,
    ROLES,
    FloatArray,
    Forecast,
    Regression,
    binned,
    climatology,
    crps,
    hurdle,
    quantile_boosting,
    quantile_forest,
    trees,
)

STEPS = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2.0])  # of the log score


# ---------------------------------------------------------------------------------- data
def rain_data(config: Config, contrast: float = 4.0) -> tuple[Any, FloatArray, Rainfall]:
    """Features and target to train on, and a test set whose true distribution is known."""
    train = make_rainfall(config.n_train, contrast=contrast, random_state=[config.seed, 0])
    test = make_rainfall(config.n_test, contrast=contrast, random_state=[config.seed, 1])
    return train.X, train.y.to_numpy(), test


# ---------------------------------------------------------------------------------- methods
def scaled(model: Any) -> Any:
    """A linear model on features of one scale."""
    return make_pipeline(StandardScaler(), model)


def forecast_all(config: Config, X: Any, y: FloatArray, test: Rainfall) -> dict[str, Forecast]:
    """The forecast of every method for the test rows, the true distribution last."""
    X_test = test.X
    regressor = trees(HistGradientBoostingRegressor, config.seed)
    regression = Regression(regressor, X, y, X_test)
    tree_bins = trees(HistGradientBoostingClassifier, config.seed)
    linear = scaled(LogisticRegression()), scaled(LinearRegression())
    return {
        "climatology": climatology(y, len(X_test)),
        "point_gaussian": regression.with_bell(),
        "point_residuals": regression.with_errors(),
        "quantile_boosting": quantile_boosting(X, y, X_test, config),
        "quantile_forest": quantile_forest(X, y, X_test, config),
        "hurdle": hurdle(*linear, X, y, X_test),
        "centered_logistic": binned(X, y, X_test, config.n_bins, None, regressor),
        "binned_trees": binned(X, y, X_test, config.n_bins, tree_bins),
        "binned_logistic": binned(X, y, X_test, config.n_bins),
        "oracle": Forecast(
            test.oracle_mean(X_test),
            lambda at: test.oracle_cdf(X_test, at),
            test.oracle_quantile(X_test, [[0.9]]),  # all that is scored: each takes a search
        ),
    }


# ---------------------------------------------------------------------------------- scores
def randomized_pit(forecast: Forecast, y: FloatArray, seed: int) -> FloatArray:
    """Probability integral transform: uniform if the forecast is right, zeros of rain included."""
    below, upto = (forecast.cdf(v[:, None])[:, 0] for v in (np.nextafter(y, -np.inf), y))
    return below + np.random.default_rng(seed).uniform(size=len(y)) * (upto - below)


def log_score(forecast: Forecast, y: FloatArray) -> FloatArray:
    """Negative log probability of the step of STEPS that came true, taken as 1e-4 or more."""
    cumulative = forecast.cdf(STEPS[None, :])
    bounds = np.hstack([np.zeros((len(y), 1)), cumulative, np.ones((len(y), 1))])
    came_true = np.searchsorted(STEPS, y)
    probability = np.diff(bounds, axis=1)[np.arange(len(y)), came_true]
    return -np.log(np.maximum(probability, 1e-4))


def score(
    task: str, forecasts: Mapping[str, Forecast], test: Rainfall, config: Config
) -> dict[str, float]:
    """The metrics of every method."""
    y = test.y.to_numpy()
    metrics: dict[str, float] = {}
    for name, forecast in forecasts.items():
        exact = name == "oracle"
        quantile_90 = forecast.quantiles[:, 0 if exact else np.abs(LEVELS - 0.9).argmin()]
        scores = {
            "crps": (test.oracle_crps(test.X, y) if exact else crps(forecast, y)).mean(),
            "log_score": log_score(forecast, y).mean(),
            "pit_distance": kstest(randomized_pit(forecast, y, config.seed), "uniform").statistic,
            "pinball_90": mean_pinball_loss(y, quantile_90, alpha=0.9),
            "rmse": root_mean_squared_error(y, forecast.mean),
        }
        metrics |= {f"{task}.{name}.{score}": float(value) for score, value in scores.items()}
    return metrics


def measure(config: Config) -> Result:
    """Every method, where the hurdle's form is right and where it is wrong."""
    X, y, test = rain_data(config)
    forecasts = forecast_all(config, X, y, test)
    metrics = score("rain", forecasts, test, config)

    X, y, two_kinds = rain_data(config, config.contrast)
    metrics |= score("rain_of_two_kinds", forecast_all(config, X, y, two_kinds), two_kinds, config)
    return Result(
        metrics,
        {
            "three_hours": Drawing(
                lambda: draw_three_hours(forecasts),
                "A bell around the point forecast gives weight to less than no rain and misses the "
                "step at zero; the classifier over bins follows the true distribution.",
                "Cumulative distributions of rain in three hours with a small, an even and a large "
                "chance of rain: point forecast with Gaussian errors, classifier over bins, truth.",
            ),
            "calibration": Drawing(
                lambda: draw_calibration(forecasts, test.y.to_numpy(), config),
                "Flat is good. The PIT value of an hour is the probability that the forecast gave "
                "to at most the rain that fell. If the forecast is calibrated, all values are "
                "equally frequent. With Gaussian errors they are not. A flat histogram is no proof "
                "of a good forecast: climatology has one too.",
                "Histograms of the probability integral transform of three forecasts: far from "
                "flat with Gaussian errors, and flat for the classifier over bins.",
            ),
        },
    )


# ---------------------------------------------------------------------------------- figures
LABELS = {
    "point_gaussian": ("point forecast + Gaussian errors", BASELINE),
    "point_residuals": ("point forecast + its own errors", BASELINE),
    "binned_logistic": ("reframed: classifier over bins", PATTERN),
    "oracle": ("truth", BEST),
}


def draw_three_hours(forecasts: Mapping[str, Forecast]) -> Figure:
    """Predictive distributions of a dry, an undecided and a wet hour, beside the true ones."""
    rain = np.linspace(-0.8, 2.8, 721)
    names = ("oracle", "binned_logistic", "point_gaussian")
    curves = {name: forecasts[name].cdf(rain[None, :]) for name in names}
    wet = 1 - forecasts["oracle"].cdf(np.zeros((1, 1)))[:, 0]
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharey=True)
    for axis, chance in zip(axes, (0.1, 0.5, 0.9), strict=True):
        row = np.abs(wet - chance).argmin()
        for name in names:
            label, color = LABELS[name]
            style = "--" if name == "oracle" else "-"
            axis.plot(rain, curves[name][row], style, color=color, label=label, lw=1.8)
        axis.axvspan(rain[0], 0, color="0.93", lw=0)
        axis.set(title=f"{wet[row]:.0%} chance of rain", xlabel="rain", xlim=(rain[0], rain[-1]))
    axes[0].text(-0.4, 0.97, "less than\nno rain", ha="center", va="top", color="0.4", fontsize=8)
    axes[0].set_ylabel("probability of at most this much")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_calibration(forecasts: Mapping[str, Forecast], y: FloatArray, config: Config) -> Figure:
    """PIT histograms side by side: flat is calibrated."""
    names = ("point_gaussian", "point_residuals", "binned_logistic")
    figure, axes = plt.subplots(1, len(names), figsize=(9, 2.9), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        values = randomized_pit(forecasts[name], y, config.seed)
        label, color = LABELS[name]
        weights = np.full(len(values), 20 / len(values))
        axis.hist(values, bins=20, range=(0, 1), weights=weights, color=color, alpha=0.85)
        axis.axhline(1, color=BEST, ls="--", lw=1.2)
        axis.set(title=label, xlabel="PIT value", xlim=(0, 1))
    axes[0].set_ylabel("relative frequency")
    axes[0].text(0.53, 1.08, "flat: calibrated", fontsize=9)
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "as-good-as-the-right-hurdle",
        "parity",
        "Where a hurdle model has the right form, the classifier over bins does as well without "
        "knowing the form: its CRPS is {at_least} to {at_most} times that of the hurdle model.",
        ratio("rain.binned_logistic.crps", "rain.hurdle.crps"),
        at_least=0.97,
        at_most=1.03,
    ),
    Claim(
        "better-where-the-form-is-wrong",
        "benefit",
        "Where rain is of two kinds, its CRPS is at most {at_most} times that of a quantile "
        "forest, the best baseline there.",
        ratio("rain_of_two_kinds.binned_logistic.crps", "rain_of_two_kinds.quantile_forest.crps"),
        at_most=0.99,
        baseline="rain_of_two_kinds.quantile_forest.crps",
    ),
    Claim(
        "the-hurdle-is-wrong-there",
        "mechanism",
        "There the form of the hurdle model is wrong: the CRPS of the classifier over bins is at "
        "most {at_most} times that of the hurdle model.",
        ratio("rain_of_two_kinds.binned_logistic.crps", "rain_of_two_kinds.hurdle.crps"),
        at_most=0.97,
    ),
    Claim(
        "near-the-truth",
        "parity",
        "On both kinds of rain, the CRPS of the classifier over bins is at most {at_most} times "
        "that of the true distribution, which no forecast can beat.",
        lambda m: max(
            m[f"{task}.binned_logistic.crps"] / m[f"{task}.oracle.crps"]
            for task in ("rain", "rain_of_two_kinds")
        ),
        at_most=1.05,
    ),
    Claim(
        "rain-calibrated",
        "mechanism",
        "The reframed forecast of rain is calibrated: its PIT distance is at most {at_most}.",
        metric("rain.binned_logistic.pit_distance"),
        at_most=0.06,
    ),
    Claim(
        "gaussian-miscalibrated",
        "mechanism",
        "A point forecast with Gaussian errors is not: its PIT distance is at least {at_least}.",
        metric("rain.point_gaussian.pit_distance"),
        at_least=0.15,
    ),
    Claim(
        "gaussian-worse-than-climatology",
        "mechanism",
        "A point forecast with Gaussian errors is no baseline for rain: its log score is at least "
        "{at_least} worse than that of climatology, which ignores the features.",
        difference("rain.point_gaussian.log_score", "rain.climatology.log_score"),
        at_least=0.2,
    ),
    Claim(
        "centering-costs-on-rain",
        "limit",
        "Centering costs where the target has an atom: on rain, the CRPS with bins of a "
        "regression's residuals is at least {at_least} times that with bins of the target.",
        ratio("rain.centered_logistic.crps", "rain.binned_logistic.crps"),
        at_least=1.08,
    ),
    Claim(
        "rmse-unchanged",
        "limit",
        "On rain the mean gains nothing: the RMSE of trees over bins is {at_least} to {at_most} "
        "times that of the same trees as a regression.",
        ratio("rain.binned_trees.rmse", "rain.point_gaussian.rmse"),
        at_least=0.95,
        at_most=1.05,
    ),
]

EXPERIMENT = Experiment(
    question="Must one know the shape of rain to forecast its distribution?",
    data="synthetic",
    measure=measure,
    roles={**ROLES, "binned_logistic": "pattern", "oracle": "best possible"},
    claims=CLAIMS,
)
