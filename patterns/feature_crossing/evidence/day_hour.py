"""Demand of the hours of a week, where hour and day interact and where they do not."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBRegressor

from datasets import make_day_hour
from datasets.crosses import DAYS
from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.models import (
    DEPTHS,
    crossed,
    main_effects,
    slow_trees,
    target_means,
    trees,
)


def measure(config: Config) -> Result:
    """The RMSE of every method, with and without an interaction."""
    metrics: dict[str, float] = {}
    columns = ["day", "hour"]
    for score, interaction in {"interacting": 1.0, "additive": 0.0}.items():
        train, test = (
            make_day_hour(n, interaction=interaction, random_state=[config.seed, part])
            for part, n in enumerate((config.n_train, config.n_test))
        )
        ridge, codes = RidgeCV(np.logspace(-1, 3, 9)), OrdinalEncoder(categories=[DAYS, range(24)])
        tuned = GridSearchCV(
            XGBRegressor(**slow_trees(config)), DEPTHS, scoring="neg_mean_squared_error", cv=3
        )
        predictions = {
            name: model.fit(train.X, train.y).predict(test.X)
            for name, model in {
                "main_effects": make_pipeline(main_effects(columns), ridge),
                "xgboost": make_pipeline(codes, XGBRegressor(max_depth=3, **trees(config))),
                "xgboost_tuned": make_pipeline(codes, tuned),
                "crossed_target_means": make_pipeline(
                    target_means(columns, [columns], config), ridge
                ),
                "crossed": make_pipeline(crossed(columns, [columns]), ridge),
            }.items()
        }
        predictions["oracle"] = test.oracle_mean(test.X)
        for name, prediction in predictions.items():
            metrics[f"day_hour.{name}.{score}"] = root_mean_squared_error(test.y, prediction)
    return Result(metrics)


CLAIMS = [
    Claim(
        "interaction-cross-pays",
        "mechanism",
        "Where hour and day interact, their cross pays: the RMSE is at most {at_most} times that "
        "of the main effects.",
        ratio("day_hour.crossed.interacting", "day_hour.main_effects.interacting"),
        at_most=0.97,
    ),
    Claim(
        "trees-need-fewer-rows",
        "limit",
        "Boosted trees find that interaction from a thousand rows as well: the RMSE of the cross "
        "is at least {at_least} times theirs, because they join hours that lie side by side.",
        ratio("day_hour.crossed.interacting", "day_hour.xgboost_tuned.interacting"),
        at_least=1.0,
    ),
    Claim(
        "additive-cross-costs",
        "limit",
        "Where hour and day do not interact, their cross costs: the RMSE is at least {at_least} "
        "times that of the main effects.",
        ratio("day_hour.crossed.additive", "day_hour.main_effects.additive"),
        at_least=1.005,
    ),
]

EXPERIMENT = Experiment(
    question="What does the cross of hour and day cost where the two do not interact?",
    data="synthetic",
    measure=measure,
    roles={
        "main_effects": "baseline",
        "xgboost": "baseline",
        "xgboost_tuned": "baseline",
        "crossed": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
