"""A classifier over bins forecasts rain with a lower CRPS than a point forecast and its errors.

Problem: an hour of rain is dry or wet, lightly or heavily. A regression predicts the mean, a value
that hardly ever occurs, and a bell around it puts rain below zero and misses the downpours.

Idea: cut the target into bins, predict the bin with a classifier, and read the whole distribution
off its probabilities.

When not to: where the spread around the prediction is small or Gaussian, as for the arrival delay
of a flight that has already taken off. There bins are too coarse and the point forecast wins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scoringrules
from numpy.typing import NDArray
from quantile_forest import RandomForestQuantileRegressor
from scipy.special import expit
from scipy.stats import kstest, norm
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_pinball_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from datasets import (
    load_nyc_flights,
    load_nyc_planes,
    load_nyc_weather,
    make_rainfall,
    split_forward,
)
from patterns._kit.evidence import Claim, Result, metric, ratio
from patterns.reframing import figures
from patterns.reframing.neighbors import BoundedRegressor, exceedance_probability
from patterns.reframing.pattern import BinnedDistributionRegressor, out_of_fold_residuals

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """The documented run."""

    n_train: int = 2000  # hours of synthetic rain to learn from
    n_test: int = 4000  # hours of synthetic rain to judge by
    n_bins: int = 20  # bins of the wet hours; the zeros have a bin of their own
    bin_counts: tuple[int, ...] = (2, 5, 20, 50, 200)  # the curve's numbers of bins
    n_folds: int = 3  # of the forward folds of the real data, the last ones
    n_real: int = 2000  # training rows drawn in each fold of the real data
    n_real_test: int = 2000  # test rows drawn in each fold of the real data
    n_forest: int = 50  # trees of the quantile forest
    n_repeats: int = 10  # draws of the small Gaussian and bounded data sets
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 500, "n_test": 500, "n_bins": 2, "n_real": 500, "n_real_test": 200}
        for name, bound in (least | {"n_forest": 1, "n_repeats": 1}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.n_folds not in (1, 2, 3):
            raise ValueError(f"n_folds must be 1, 2 or 3, got {self.n_folds}")
        if not {5, 20, 200} <= set(self.bin_counts):
            raise ValueError(f"bin_counts must include 5, 20 and 200; got {self.bin_counts}")


FAST = Config(
    n_test=2000, bin_counts=(5, 20, 200), n_folds=1, n_real=1500, n_real_test=1000, n_forest=10
)

PIT_SHOWN = ("point_gaussian", "point_residuals", "binned_logistic")
LEVELS = (np.arange(99) + 0.5) / 99  # quantiles that stand for a distribution
RAIN_STEPS = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2.0])  # for log score


class Forecast(NamedTuple):
    """A predictive distribution for each of n test rows."""

    mean: FloatArray  # (n,)
    cdf: Callable[[FloatArray], FloatArray]  # of (n, m) or (1, m) amounts to (n, m)
    quantiles: FloatArray  # (n, 99), at LEVELS


# ---------------------------------------------------------------------------------- data
def rain_data(config: Config) -> tuple[Any, FloatArray, Any, FloatArray]:
    """Synthetic hours, whose true distribution is known."""
    train = make_rainfall(config.n_train, random_state=[config.seed, 0])
    test = make_rainfall(config.n_test, random_state=[config.seed, 1])
    return train.X, train.y.to_numpy(), test.X, test.y.to_numpy()


def weather_table() -> pd.DataFrame:
    """Per airport and hour: what is known by then, and the rain of the hour that follows."""
    weather = load_nyc_weather().frame
    # On a complete grid of hours a gap in the record stays a gap: shifting rows would close it.
    hourly = weather.pivot(index="time_hour", columns="origin").asfreq("h")
    rain, pressure = hourly["precip"], hourly["pressure"]
    columns = {name: hourly[name] for name in ["temp", "dewp", "humid", "wind_speed", "visib"]}
    columns |= {"pressure": pressure, "pressure_change": pressure - pressure.shift(3)}
    columns |= {f"rain_{lag}_hours_ago": rain.shift(lag) for lag in range(4)}
    columns["rain_elsewhere"] = hourly[["precip"]].sum(axis=1).to_numpy()[:, None] - rain
    columns["next_hour"] = rain.shift(-1)
    table = pd.concat(columns, axis=1).stack(level="origin").reset_index()
    table["hour"] = table["time_hour"].dt.tz_convert("America/New_York").dt.hour
    return table.dropna(subset=["next_hour"]).drop(columns="origin")


def delay_table() -> pd.DataFrame:
    """Flights that arrived, what is known before departure, and `dep_delay`: known at take-off."""
    flights = load_nyc_flights().frame.dropna(subset=["arr_delay"])
    planes = load_nyc_planes(["tailnum", "year", "seats"]).frame.rename(columns={"year": "built"})
    weather = load_nyc_weather(
        ["origin", "time_hour", "temp", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    ).frame
    # The weather of an hour is observed during that hour; two hours earlier it is surely known.
    weather["time_hour"] += pd.Timedelta(hours=2)
    table = flights.merge(planes, how="left", on="tailnum", validate="many_to_one").merge(
        weather, how="left", on=["origin", "time_hour"], validate="many_to_one"
    )
    table["weekday"] = table["time_hour"].dt.tz_convert("America/New_York").dt.day_of_week
    known = ["carrier", "origin", "dest", "hour", "minute", "weekday", "distance", "built", "seats"]
    known += ["temp", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    return table[["time_hour", *known, "dep_delay", "arr_delay"]]


def forward_folds(
    table: pd.DataFrame, months: tuple[int, ...], gap: str, target: str, config: Config
) -> Iterator[tuple[pd.DataFrame, FloatArray, pd.DataFrame, FloatArray]]:
    """Train on the year up to a month, test on what follows until the next: never random rows.

    The gap keeps out rows whose target was not yet known when the test began.
    """
    rng = np.random.default_rng(config.seed)
    newyear = pd.Timestamp("2013-01-01", tz="America/New_York")
    starts = [newyear + pd.DateOffset(months=month - 1) for month in months]
    features = table.drop(columns=["time_hour", target])
    y = table[target].to_numpy()
    folds = split_forward(table["time_hour"], starts, gap=pd.Timedelta(gap))
    for train, test in folds[-config.n_folds :]:
        train = rng.choice(train, min(config.n_real, len(train)), replace=False)
        test = rng.choice(test, min(config.n_real_test, len(test)), replace=False)
        yield features.iloc[train], y[train], features.iloc[test], y[test]


# ---------------------------------------------------------------------------------- baselines
def point_forecasts(regressor: Any, X: Any, y: FloatArray, X_test: Any) -> list[Forecast]:
    """A point forecast with the errors it made out of fold: as a bell, and as they are."""
    errors = np.sort(out_of_fold_residuals(regressor, X, y))
    center, sd = regressor.fit(X, y).predict(X_test)[:, None], errors.std(ddof=1)
    return [
        Forecast(
            center[:, 0],
            lambda at: norm.cdf(at, center, sd),
            center + sd * norm.ppf(LEVELS),
        ),
        Forecast(
            center[:, 0] + errors.mean(),
            lambda at: np.searchsorted(errors, at - center, side="right") / len(errors),
            center + np.quantile(errors, LEVELS),
        ),
    ]


def climatology(y: FloatArray, n_test: int) -> Forecast:
    """The training target itself, whatever the features say."""
    values = np.sort(y)

    def cdf(at: FloatArray) -> FloatArray:
        share = np.searchsorted(values, at, side="right") / len(values)
        return np.broadcast_to(share, (n_test, at.shape[1]))

    return Forecast(
        np.full(n_test, y.mean()), cdf, np.tile(np.quantile(values, LEVELS), (n_test, 1))
    )


def quantile_forest(X: Any, y: FloatArray, X_test: Any, config: Config) -> Forecast:
    """A random forest that remembers the targets in its leaves (Meinshausen 2006)."""
    # All targets of a leaf: to draw one of them, it sorts in a way that differs by processor.
    forest = RandomForestQuantileRegressor(
        config.n_forest, min_samples_leaf=10, max_samples_leaf=None, random_state=config.seed
    )
    model = make_pipeline(SimpleImputer(strategy="median"), forest).fit(X, y)
    values = model.predict(X_test, quantiles=list(LEVELS))
    return Forecast(
        values.mean(axis=1), lambda at: (values[:, :, None] <= at[:, None]).mean(axis=1), values
    )


# ---------------------------------------------------------------------------------- the pattern
def binned(
    X: Any,
    y: FloatArray,
    X_test: Any,
    n_bins: int,
    classifier: Any = None,
    atoms: Any = "auto",
) -> Forecast:
    """The pattern: a classifier over bins of the target."""
    model = BinnedDistributionRegressor(classifier, n_bins=n_bins, atoms=atoms).fit(X, y)
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


# ---------------------------------------------------------------------------------- scores
GLOSSARY = {
    "crps": "continuous ranked probability score, in the unit of the target; lower is better",
    "log_score": "mean negative log probability of the step that came true; lower is better",
    "pit_distance": "largest gap between the forecasts' PIT values and uniform; 0 is calibrated",
    "pinball_90": "pinball loss of the 90 % quantile; lower is better",
    "rmse": "root mean squared error of the forecast mean; lower is better",
    "crps_ridge": "CRPS of logistic regression over the bins with scikit-learn's default penalty",
    "crps_no_penalty": "the same without a penalty",
    "best_to_gaussian": "lowest ratio, over folds, of the CRPS to that of point gaussian",
    "worst_to_gaussian": "highest ratio, over folds, of the CRPS to that of point gaussian",
    "best_to_residuals": "lowest ratio, over folds, of the CRPS to that of point residuals",
    "worst_to_residuals": "highest ratio, over folds, of the CRPS to that of point residuals",
    "excess_log_loss": "expected log loss above that of the true probabilities; lower is better",
}


def crps(forecast: Forecast, y: FloatArray) -> FloatArray:
    """Continuous ranked probability score of each row, in the unit of the target."""
    return scoringrules.crps_ensemble(y, forecast.quantiles, estimator="qd")


def randomized_pit(forecast: Forecast, y: FloatArray, seed: int) -> FloatArray:
    """Probability integral transform: uniform if the forecast is right, zeros of rain included."""
    below, upto = (forecast.cdf(v[:, None])[:, 0] for v in (np.nextafter(y, -np.inf), y))
    return below + np.random.default_rng(seed).uniform(size=len(y)) * (upto - below)


def log_score(forecast: Forecast, y: FloatArray) -> FloatArray:
    """Negative log probability of the step of RAIN_STEPS that came true, taken as 1e-4 or more."""
    cumulative = forecast.cdf(RAIN_STEPS[None, :])
    bounds = np.hstack([np.zeros((len(y), 1)), cumulative, np.ones((len(y), 1))])
    came_true = np.searchsorted(RAIN_STEPS, y)
    probability = np.diff(bounds, axis=1)[np.arange(len(y)), came_true]
    return -np.log(np.maximum(probability, 1e-4))


# ---------------------------------------------------------------------------------- experiments
def rain(config: Config) -> tuple[dict[str, float], dict[str, Forecast], FloatArray]:
    """Every method on hours whose true distribution is known."""
    X, y, X_test, y_test = rain_data(config)
    bell, errors = point_forecasts(trees(HistGradientBoostingRegressor, config.seed), X, y, X_test)
    tree_bins = trees(HistGradientBoostingClassifier, config.seed)
    forecasts = {
        "climatology": climatology(y, len(y_test)),
        "point_gaussian": bell,
        "point_residuals": errors,
        "quantile_forest": quantile_forest(X, y, X_test, config),
        "binned_trees": binned(X, y, X_test, config.n_bins, tree_bins),
        "binned_logistic": binned(X, y, X_test, config.n_bins),
    }
    truth = make_rainfall(1)
    oracle = Forecast(
        truth.oracle_mean(X_test),
        lambda at: truth.oracle_cdf(X_test, at),
        truth.oracle_quantile(X_test, [[0.9]]),
    )
    metrics: dict[str, float] = {}
    for name, forecast in {**forecasts, "oracle": oracle}.items():
        exact = name == "oracle"
        q90 = forecast.quantiles[:, 0 if exact else np.abs(LEVELS - 0.9).argmin()]
        pit = randomized_pit(forecast, y_test, config.seed)
        scores = {
            "crps": (truth.oracle_crps(X_test, y_test) if exact else crps(forecast, y_test)).mean(),
            "log_score": log_score(forecast, y_test).mean(),
            "pit_distance": kstest(pit, "uniform").statistic,
            "pinball_90": mean_pinball_loss(y_test, q90, alpha=0.9),
            "rmse": root_mean_squared_error(y_test, forecast.mean),
        }
        metrics |= {f"rain.{name}.{score}": value for score, value in scores.items()}

    for n_bins in config.bin_counts:
        for penalty, C in {"ridge": 1.0, "no_penalty": np.inf}.items():
            classifier = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
            forecast = binned(X, y, X_test, n_bins, classifier)
            metrics[f"number_of_bins.{n_bins}.crps_{penalty}"] = crps(forecast, y_test).mean()
    return metrics, {**forecasts, "oracle": oracle}, y_test


REAL_TASKS = {  # months that begin a fold, gap, target, its atoms, numbers of bins
    "next_hour_of_rain": ((7, 9, 11, 13), "1h", "next_hour", "auto", (4,)),
    "delay_before_departure": ((4, 7, 10, 13), "24h", "arr_delay", None, (4, 10)),
    "delay_at_takeoff": ((4, 7, 10, 13), "24h", "arr_delay", None, (4, 10)),
}


def real(task: str, table: pd.DataFrame, config: Config) -> dict[str, float]:
    """Every method on each forward fold of a real task: the mean over folds, and the extremes."""
    months, gap, target, atoms, bin_counts = REAL_TASKS[task]
    regressor = trees(HistGradientBoostingRegressor, config.seed)
    classifier = trees(HistGradientBoostingClassifier, config.seed)
    scores: dict[str, list[float]] = {}
    for X, y, X_test, y_test in forward_folds(table, months, gap, target, config):
        text = [name for name in X if pd.api.types.is_string_dtype(X[name])]
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        encoder = make_column_transformer((codes, text), remainder="passthrough")
        X, X_test = encoder.fit_transform(X), encoder.transform(X_test)
        bell, errors = point_forecasts(regressor, X, y, X_test)
        forecasts = {
            "climatology": climatology(y, len(y_test)),
            "quantile_forest": quantile_forest(X, y, X_test, config),
            "point_gaussian": bell,
            "point_residuals": errors,
        }
        for n_bins in bin_counts:
            forecasts[f"binned_{n_bins}"] = binned(X, y, X_test, n_bins, classifier, atoms)
        for name, forecast in forecasts.items():
            scores.setdefault(name, []).append(crps(forecast, y_test).mean())
    metrics = {f"{task}.{name}.crps": float(np.mean(values)) for name, values in scores.items()}
    for name, values in scores.items():
        for baseline in ("gaussian", "residuals"):
            ratios = np.divide(values, scores[f"point_{baseline}"])
            metrics[f"{task}.{name}.best_to_{baseline}"] = float(ratios.min())
            metrics[f"{task}.{name}.worst_to_{baseline}"] = float(ratios.max())
    return metrics


def small_studies(config: Config) -> dict[str, float]:
    """Where the noise is Gaussian, or the target bounded: each a mean over repeated small draws."""
    rng = np.random.default_rng(config.seed)
    rows: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rows.setdefault(name, []).append(value)

    for _ in range(config.n_repeats):
        # A linear target with Gaussian noise: everything that a point forecast assumes is true.
        slopes = rng.normal(size=5)
        slopes *= np.sqrt(3) / np.linalg.norm(slopes)
        X, X_test = rng.normal(size=(300, 5)), rng.normal(size=(2000, 5))
        y, y_test = (Z @ slopes + rng.normal(size=len(Z)) for Z in (X, X_test))
        truth = scoringrules.crps_normal(y_test, X_test @ slopes, 1.0).mean()
        bell, _ = point_forecasts(LinearRegression(), X, y, X_test)
        note("gaussian_noise.point_gaussian.crps", crps(bell, y_test).mean())
        note("gaussian_noise.binned_logistic.crps", crps(binned(X, y, X_test, 20), y_test).mean())
        note("gaussian_noise.oracle.crps", float(truth))

        # The reverse: the probability of the top tenth, from a regression and from a classifier.
        threshold = 2 * norm.ppf(0.9)
        chance = norm.sf(threshold, X_test @ slopes, 1.0)
        residuals = out_of_fold_residuals(LinearRegression(), X, y)
        prediction = LinearRegression().fit(X, y).predict(X_test)
        reverse = exceedance_probability(prediction, residuals, threshold)
        classifier = LogisticRegression(C=np.inf, max_iter=1000).fit(X, y > threshold)
        direct = classifier.predict_proba(X_test)[:, 1]
        for method, probability in {"regression": reverse, "classifier": direct}.items():
            excess = expected_log_loss(chance, probability) - expected_log_loss(chance, chance)
            note(f"top_tenth.{method}.excess_log_loss", excess)

        # A share between 0 and 1: a line leaves the range, a soft label cannot.
        X, X_test = rng.normal(size=(200, 3)), rng.normal(size=(2000, 3))
        y, y_test = (
            rng.beta(4 * mean, 4 * (1 - mean))
            for mean in (expit(2 * Z @ [1.0, -0.5, 0.5]) * 0.98 + 0.01 for Z in (X, X_test))
        )
        line = np.clip(LinearRegression().fit(X, y).predict(X_test), 0, 1)
        bounded = BoundedRegressor(0, 1, LogisticRegression(C=np.inf)).fit(X, y).predict(X_test)
        note("share_of_a_whole.clipped_line.rmse", root_mean_squared_error(y_test, line))
        note("share_of_a_whole.bounded.rmse", root_mean_squared_error(y_test, bounded))
    return {name: float(np.mean(values)) for name, values in rows.items()}


def expected_log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Log loss of a forecast probability, averaged over the labels that the truth would draw."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)))


CLAIMS = [
    Claim(
        "rain-beats-gaussian",
        "benefit",
        "On rain, the CRPS of the classifier over bins is at most {at_most} of that of a point "
        "forecast with Gaussian errors.",
        ratio("rain.binned_logistic.crps", "rain.point_gaussian.crps"),
        at_most=0.82,
    ),
    Claim(
        "rain-beats-residuals",
        "benefit",
        "And at most {at_most} of that of a point forecast with its own out-of-fold errors.",
        ratio("rain.binned_logistic.crps", "rain.point_residuals.crps"),
        at_most=0.87,
    ),
    Claim(
        "rain-beats-climatology",
        "benefit",
        "And at most {at_most} of that of climatology, which ignores the features.",
        ratio("rain.binned_logistic.crps", "rain.climatology.crps"),
        at_most=0.87,
    ),
    Claim(
        "rain-near-oracle",
        "benefit",
        "And at most {at_most} of that of the true distribution, which nothing can beat.",
        ratio("rain.binned_logistic.crps", "rain.oracle.crps"),
        at_most=1.05,
    ),
    Claim(
        "rain-calibrated",
        "benefit",
        "The reframed forecast of rain is calibrated: PIT distance at most {at_most}.",
        metric("rain.binned_logistic.pit_distance"),
        at_most=0.06,
    ),
    Claim(
        "rain-gaussian-miscalibrated",
        "benefit",
        "Gaussian errors are not: PIT distance at least {at_least}.",
        metric("rain.point_gaussian.pit_distance"),
        at_least=0.15,
    ),
    Claim(
        "rain-gaussian-worse-than-climatology",
        "benefit",
        "Gaussian errors lose to climatology by at least {at_least} in log score: raw point "
        "forecasts are a straw man on rain.",
        lambda m: m["rain.point_gaussian.log_score"] - m["rain.climatology.log_score"],
        at_least=0.2,
    ),
    Claim(
        "rmse-unchanged",
        "parity",
        "The mean gains nothing: RMSE of trees over bins is {at_least} to {at_most} of that of the "
        "same trees as a regression.",
        ratio("rain.binned_trees.rmse", "rain.point_gaussian.rmse"),
        at_least=0.95,
        at_most=1.05,
    ),
    Claim(
        "few-bins-are-enough",
        "parity",
        "Five bins do as well as twenty: CRPS {at_least} to {at_most} of it, because the training "
        "values inside a bin are kept.",
        ratio("number_of_bins.5.crps_ridge", "number_of_bins.20.crps_ridge"),
        at_least=0.985,
        at_most=1.015,
    ),
    Claim(
        "too-many-bins",
        "limit",
        "Without a penalty, 200 bins cost: CRPS at least {at_least} of that with 20.",
        ratio("number_of_bins.200.crps_no_penalty", "number_of_bins.20.crps_no_penalty"),
        at_least=1.01,
    ),
    Claim(
        "gaussian-noise",
        "limit",
        "Where the noise is Gaussian and the target linear, bins lose: CRPS at least {at_least} of "
        "that of least squares with Gaussian errors, from 300 rows.",
        ratio("gaussian_noise.binned_logistic.crps", "gaussian_noise.point_gaussian.crps"),
        at_least=1.04,
    ),
    Claim(
        "next-hour-of-rain",
        "benefit",
        "On next hour's rain in New York, four bins reach at most {at_most} of the CRPS of the "
        "point forecast with its own errors, in every fold.",
        metric("next_hour_of_rain.binned_4.worst_to_residuals"),
        at_most=0.87,
    ),
    Claim(
        "quantile-forest-as-good",
        "parity",
        "The pattern is not the only way: there, CRPS is {at_least} to {at_most} of that of a "
        "quantile forest.",
        ratio("next_hour_of_rain.binned_4.crps", "next_hour_of_rain.quantile_forest.crps"),
        at_least=0.8,
        at_most=1.3,
    ),
    Claim(
        "delay-before-departure",
        "benefit",
        "On arrival delays before departure, ten bins reach at most {at_most} of the CRPS of the "
        "point forecast with Gaussian errors.",
        ratio(
            "delay_before_departure.binned_10.crps", "delay_before_departure.point_gaussian.crps"
        ),
        at_most=0.96,
    ),
    Claim(
        "delay-at-takeoff",
        "limit",
        "At take-off, when the delay is nearly known, four bins lose: CRPS at least {at_least} of "
        "that of the point forecast with Gaussian errors.",
        ratio("delay_at_takeoff.binned_4.crps", "delay_at_takeoff.point_gaussian.crps"),
        at_least=1.1,
    ),
    Claim(
        "exceedance-from-regression",
        "benefit",
        "The reverse: with Gaussian noise, the classifier's excess log loss on the top tenth is at "
        "least {at_least} times that of the probability derived from a regression.",
        ratio("top_tenth.classifier.excess_log_loss", "top_tenth.regression.excess_log_loss"),
        at_least=3.0,
    ),
    Claim(
        "bounded-beats-clipped",
        "benefit",
        "A share of a whole: the bounded regression's RMSE is at most {at_most} of that of a line "
        "clipped to the range.",
        ratio("share_of_a_whole.bounded.rmse", "share_of_a_whole.clipped_line.rmse"),
        at_most=0.95,
    ),
]


def run(config: Config) -> Result:
    """Rain with a known truth, three real tasks, and studies where a point forecast is right."""
    metrics, forecasts, y_test = rain(config)
    metrics |= real("next_hour_of_rain", weather_table(), config)
    flights = delay_table()
    metrics |= real("delay_before_departure", flights.drop(columns="dep_delay"), config)
    metrics |= real("delay_at_takeoff", flights, config)
    metrics |= small_studies(config)

    pit = {name: randomized_pit(forecasts[name], y_test, config.seed) for name in PIT_SHOWN}
    return Result(
        metrics,
        figures={
            "three_hours": lambda: figures.three_hours(forecasts),
            "number_of_bins": lambda: figures.number_of_bins(metrics, config.bin_counts),
            "calibration": lambda: figures.calibration(pit),
        },
    )


if __name__ == "__main__":
    from patterns._kit.cli import main

    raise SystemExit(main(["run", "reframing", *sys.argv[1:]]))
