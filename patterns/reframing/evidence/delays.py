"""Arrival delays of real flights, forecast before departure and at take-off."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from datasets import load_nyc_flights, load_nyc_planes, load_nyc_weather
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
    quantile_boosting,
    quantile_forest,
    residual_boosting,
    trees,
)

BEFORE, AT_TAKEOFF = "before_departure", "at_takeoff"
PERIODS = ("apr_jun", "jul_sep", "oct_dec")


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


def measure(config: Config) -> Result:
    """Every method in each test period, without and with the departure delay."""

    def forecast_all(X: Any, y: FloatArray, X_test: Any) -> dict[str, Forecast]:
        regressor = trees(HistGradientBoostingRegressor, config.seed)
        classifier = trees(HistGradientBoostingClassifier, config.seed)
        regression = Regression(regressor, X, y, X_test)
        return {
            "climatology": climatology(y, len(X_test)),
            "point_gaussian": regression.with_bell(),
            "point_residuals": regression.with_errors(),
            "quantile_forest": quantile_forest(X, y, X_test, config),
            "quantile_boosting": quantile_boosting(X, y, X_test, config),
            "residual_boosting": residual_boosting(regression, config),
            "binned_5": binned(X, y, X_test, 5, classifier),
            "binned": binned(X, y, X_test, config.n_bins, classifier),
            "centered": binned(X, y, X_test, config.n_bins, classifier, regressor),
        }

    table = delay_table()
    metrics: dict[str, float] = {}
    for task, known in {BEFORE: table.drop(columns="dep_delay"), AT_TAKEOFF: table}.items():
        folds = forward_folds(known, (4, 7, 10, 13), "24h", "arr_delay", config)
        metrics |= score_each_period(task, PERIODS, folds, forecast_all)
    return Result(metrics)


CLAIMS = [
    Claim(
        "before-departure-as-good-as-quantile-boosting",
        "limit",
        "Before departure, bins gain nothing over quantile boosting: their CRPS is {at_least} to "
        "{at_most} times as large.",
        lambda m: m[f"{BEFORE}.binned.crps"] / m[f"{BEFORE}.quantile_boosting.crps"],
        at_least=0.95,
        at_most=1.05,
    ),
    Claim(
        "before-departure-beats-residuals",
        "mechanism",
        "Before departure, they beat a point forecast with its own errors: at most {at_most} times "
        "its CRPS in every test period.",
        worst_ratio(BEFORE, "binned", "point_residuals", PERIODS),
        at_most=1.0,
    ),
    Claim(
        "bins-too-wide-at-takeoff",
        "limit",
        "At take-off, when the delay is nearly known, twenty bins of the delay lose: their CRPS is "
        "at least {at_least} times that of quantile boosting.",
        lambda m: m[f"{AT_TAKEOFF}.binned.crps"] / m[f"{AT_TAKEOFF}.quantile_boosting.crps"],
        at_least=1.04,
    ),
    Claim(
        "centering-repairs-takeoff",
        "mechanism",
        "At take-off, centering repairs most of that: with bins of the residuals, the CRPS is at "
        "most {at_most} times that with as many bins of the delay in every test period.",
        worst_ratio(AT_TAKEOFF, "centered", "binned", PERIODS),
        at_most=0.99,
    ),
    Claim(
        "centering-no-use-before-departure",
        "limit",
        "Before departure, when little can be predicted, centering gains nothing: the CRPS is "
        "{at_least} to {at_most} times that of bins of the delay.",
        lambda m: m[f"{BEFORE}.centered.crps"] / m[f"{BEFORE}.binned.crps"],
        at_least=0.99,
        at_most=1.05,
    ),
    Claim(
        "few-bins-at-takeoff",
        "limit",
        "At take-off few bins are not enough: with five, the CRPS is at least {at_least} times "
        "that with twenty in every test period.",
        best_ratio(AT_TAKEOFF, "binned_5", "binned", PERIODS),
        at_least=1.05,
    ),
]

EXPERIMENT = Experiment(
    question="Do bins help with the delay of a flight, before departure and at take-off?",
    data="real",
    measure=measure,
    roles={
        **{name: role for name, role in ROLES.items() if name != "hurdle"},
        "residual_boosting": "baseline",
        "binned": "pattern",
        "centered": "pattern",
    },
    claims=CLAIMS,
)
