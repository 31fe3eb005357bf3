"""Departures per hour of New York's airports, forward in time: an interaction that is real."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from xgboost import XGBRegressor

from datasets import load_nyc_flights
from datasets.crosses import DAYS
from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    Metrics,
    Result,
    by_period,
    in_each_period,
    ratio,
)
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.folds import forward_folds
from patterns.feature_crossing.evidence.models import crossed, main_effects, trees

TASK, PERIODS = "demand", ("october", "november", "december")
COLUMNS = ["origin", "hour", "dow"]


def demand_table() -> pd.DataFrame:
    """Departures of each airport in each hour from 5 to 23, zeros included."""
    flights = load_nyc_flights(["origin", "hour", "time_hour", "dep_time"]).frame
    flights = flights[flights["dep_time"].notna() & flights["hour"].between(5, 23)]
    counts = flights.groupby(["origin", "time_hour"]).size()
    times = pd.date_range("2013-01-01", "2013-12-31 23:00", freq="h", tz="America/New_York")
    times = times[(times.hour >= 5) & (times.hour <= 23)].tz_convert("UTC")
    every = pd.MultiIndex.from_product([["EWR", "JFK", "LGA"], times], names=counts.index.names)
    table = counts.reindex(every, fill_value=0).rename("departures").reset_index()
    local = table["time_hour"].dt.tz_convert("America/New_York")
    return table.assign(hour=local.dt.hour, dow=np.array(DAYS)[local.dt.day_of_week])


def methods_for_demand(config: Config) -> dict[str, Any]:
    """Every way to predict departures, except the table of means."""
    pairs = list(combinations(COLUMNS, 2))
    numbers = make_column_transformer(
        (OneHotEncoder(), ["origin"]),
        (OrdinalEncoder(categories=[DAYS]), ["dow"]),
        ("passthrough", ["hour"]),
    )
    encoders = {
        "raw_numbers": numbers,
        "main_effects": main_effects(COLUMNS),
        "hour_x_dow": crossed(COLUMNS, [("hour", "dow")]),
        "origin_x_hour": crossed(COLUMNS, [("origin", "hour")]),
        "all_pairs": crossed(COLUMNS, pairs),
        "triple": crossed(COLUMNS, [*pairs, COLUMNS]),
        **{f"triple_hashed_{n}": crossed(COLUMNS, [COLUMNS], n) for n in (64, 256, 1024, 4096)},
    }
    linear = {
        name: make_pipeline(encoder, Ridge(1.0, solver="sparse_cg"))
        for name, encoder in encoders.items()
    }
    grown = {
        "xgboost": XGBRegressor(max_depth=6, **trees(config)),
        "hist_boosting": HistGradientBoostingRegressor(random_state=config.seed),
    }
    return {
        **{name: linear.pop(name) for name in ("raw_numbers", "main_effects")},
        **{name: make_pipeline(clone(numbers), model) for name, model in grown.items()},
        **linear,
    }


def mean_of_each_cell(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.Series, int]:
    """The plainest rival: a table of means; the prediction and the number of means."""
    means = train.groupby(COLUMNS)["departures"].mean()
    known = means.reindex(pd.MultiIndex.from_frame(test[COLUMNS]))
    return known.fillna(train["departures"].mean()), len(means)


def learned_numbers(model: Any) -> int:
    """Coefficients of a linear model; splits and leaves of trees."""
    last = model[-1]
    if isinstance(last, XGBRegressor):
        return len(last.get_booster().trees_to_dataframe())
    if isinstance(last, HistGradientBoostingRegressor):
        return sum(len(tree.nodes) for step in last._predictors for tree in step)
    return len(last.coef_)


def measure(config: Config) -> Result:
    """The RMSE of every method in each test month."""
    methods = methods_for_demand(config)
    rng = np.random.default_rng(config.seed)
    names = list(methods)
    names.insert(names.index("hour_x_dow"), "cell_means")
    scores: dict[str, list[float]] = {name: [] for name in names}
    sizes: dict[str, list[int]] = {name: [] for name in names}
    for train, test in forward_folds(demand_table(), (9, 10, 11, 12, 13), config):
        days = train["time_hour"].dt.tz_convert("America/New_York").dt.date
        train = train[
            days.isin(pd.Series(days.unique()).sample(frac=config.share_of_days, random_state=rng))
        ]
        for name in names:
            if name == "cell_means":
                prediction, size = mean_of_each_cell(train, test)
            else:
                model = methods[name].fit(train, train["departures"])
                prediction, size = model.predict(test), learned_numbers(model)
            scores[name].append(root_mean_squared_error(test["departures"], prediction))
            sizes[name].append(size)
    metrics = by_period(TASK, "rmse", PERIODS, scores)
    metrics |= {f"{TASK}.{name}.numbers": float(np.mean(size)) for name, size in sizes.items()}
    return Result(
        metrics,
        {
            "coefficients": Drawing(
                lambda: draw_coefficients(methods["hour_x_dow"]),
                "What the cross adds to the sum of hour and day, in departures. The early morning "
                "is busier than the sum on working days and quieter at the weekend; the evening "
                "is quiet on Saturday.",
                "A map of seven days and nineteen hours with the coefficients of their cross.",
            )
        },
    )


def draw_coefficients(model: Any) -> Figure:
    """The cross of hour and day in the model of departures, as a map."""
    encoder, ridge = model[0], model[-1]
    table = pd.DataFrame(index=DAYS, columns=range(5, 24), dtype=float)
    for name, coefficient in zip(encoder.get_feature_names_out(), ridge.coef_, strict=True):
        if " × " in name:
            hour, day = (part.split("=")[1] for part in name.split(" × "))
            table.loc[day, int(hour)] = coefficient
    largest = np.abs(table.to_numpy()).max()
    figure, axis = plt.subplots(figsize=(8, 3))
    image = axis.imshow(table, cmap="PuOr_r", vmin=-largest, vmax=largest, aspect="auto")
    axis.set_xticks(range(len(table.columns)), table.columns)
    axis.set_yticks(range(len(DAYS)), DAYS)
    axis.set(xlabel="hour of scheduled departure")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axis, label="departures beyond\nhour and day alone")
    return figure


def ratios(metrics: Metrics, one: str, other: str) -> list[float]:
    """The RMSE of one method relative to another in each month."""
    return [a / b for a, b in in_each_period(metrics, TASK, PERIODS, one, other)]


CLAIMS = [
    Claim(
        "demand-pairs",
        "mechanism",
        "On departures per hour, all crosses of two have at most {at_most} times the RMSE of the "
        "main effects in every month.",
        lambda m: max(ratios(m, "all_pairs", "main_effects")),
        at_most=0.8,
    ),
    Claim(
        "demand-as-good-as-trees",
        "parity",
        "With the cross of all three, the linear model has at most {at_most} times the RMSE of "
        "either kind of boosted trees in every month.",
        lambda m: max(ratios(m, "triple", "xgboost") + ratios(m, "triple", "hist_boosting")),
        at_most=1.02,
    ),
    Claim(
        "demand-smaller-than-trees",
        "mechanism",
        "It does so with at most {at_most} times as many learned numbers as either kind of "
        "boosted trees.",
        lambda m: (
            m[f"{TASK}.triple.numbers"]
            / min(m[f"{TASK}.{name}.numbers"] for name in ("xgboost", "hist_boosting"))
        ),
        at_most=0.15,
    ),
    Claim(
        "demand-table-of-means",
        "limit",
        "With no other feature, a table of means says the same as the cross of all three: the "
        "RMSE of the linear model is at least {at_least} times that of the table in every month.",
        lambda m: min(ratios(m, "triple", "cell_means")),
        at_least=0.99,
    ),
    Claim(
        "demand-hashed",
        "parity",
        "Hashed into ten times as many bins as there are cells, it does as well: its mean RMSE is "
        "{at_least} to {at_most} times that of the vocabulary.",
        ratio("demand.triple_hashed_4096.rmse", "demand.triple.rmse"),
        at_least=0.98,
        at_most=1.03,
    ),
    Claim(
        "demand-too-few-bins",
        "limit",
        "Hashed into 64 bins, it loses nearly all that the cross had won: its mean RMSE is at "
        "least {at_least} times that of the vocabulary.",
        ratio("demand.triple_hashed_64.rmse", "demand.triple.rmse"),
        at_least=1.2,
    ),
]

EXPERIMENT = Experiment(
    question="Do crosses predict departures per hour as well as boosted trees?",
    data="real",
    measure=measure,
    roles={
        "raw_numbers": "baseline",
        "main_effects": "baseline",
        "xgboost": "baseline",
        "hist_boosting": "baseline",
        "cell_means": "baseline",
        "triple": "pattern",
    },
    claims=CLAIMS,
)
