"""The next hour's rain at the three airports of New York, forward in time."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from datasets import load_nyc_weather
from patterns._kit.evidence import Claim, Experiment, Result
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.folds import (
    best_ratio,
    forward_folds,
    score_each_period,
    worst_ratio,
)
from patterns.reframing.evidence.forecasts import (
    ROLES,
    FloatArray,
    Forecast,
    Regression,
    binned,
    climatology,
    hurdle,
    quantile_boosting,
    quantile_forest,
    trees,
)

TASK, PERIODS = "next_hour", ("jul_aug", "sep_oct", "nov_dec")


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


def measure(config: Config) -> Result:
    """Every method in each test period."""

    def forecast_all(X: Any, y: FloatArray, X_test: Any) -> dict[str, Forecast]:
        regressor = trees(HistGradientBoostingRegressor, config.seed)
        classifier = trees(HistGradientBoostingClassifier, config.seed)
        regression = Regression(regressor, X, y, X_test)
        return {
            "point_gaussian": regression.with_bell(),
            "point_residuals": regression.with_errors(),
            "climatology": climatology(y, len(X_test)),
            "quantile_boosting": quantile_boosting(X, y, X_test, config),
            "hurdle": hurdle(classifier, regressor, X, y, X_test),
            "quantile_forest": quantile_forest(X, y, X_test, config),
            "binned": binned(X, y, X_test, config.n_bins, classifier),
        }

    folds = forward_folds(weather_table(), (7, 9, 11, 13), "1h", "next_hour", config)
    return Result(score_each_period(TASK, PERIODS, folds, forecast_all))


CLAIMS = [
    Claim(
        "next-hour-beats-climatology",
        "mechanism",
        "On the next hour's rain in New York, the CRPS of the classifier over bins is at most "
        "{at_most} times that of climatology in every test period.",
        worst_ratio(TASK, "binned", "climatology", PERIODS),
        at_most=0.95,
    ),
    Claim(
        "next-hour-no-better-than-a-forest",
        "limit",
        "There it gains nothing over a quantile forest: its mean CRPS is {at_least} to {at_most} "
        "times that of the forest.",
        lambda m: m[f"{TASK}.binned.crps"] / m[f"{TASK}.quantile_forest.crps"],
        at_least=0.9,
        at_most=1.2,
    ),
    Claim(
        "point-forecast-worse-than-climatology",
        "mechanism",
        "There, a point forecast with Gaussian errors is at least {at_least} times as bad as "
        "climatology in every test period: to beat it proves nothing.",
        best_ratio(TASK, "point_gaussian", "climatology", PERIODS),
        at_least=1.2,
    ),
]

EXPERIMENT = Experiment(
    question="Does the pattern hold on the next hour's rain in New York?",
    data="real",
    measure=measure,
    roles={**ROLES, "binned": "pattern"},
    claims=CLAIMS,
)
