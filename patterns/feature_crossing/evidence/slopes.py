"""A category times a number: a slope for each of many groups with few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBRegressor

from datasets import make_slopes
from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.expected import FloatArray
from patterns.feature_crossing.evidence.models import DEPTHS, slow_trees
from patterns.feature_crossing.pattern import FeatureCross

N_GROUPS = 100


def measure(config: Config) -> Result:
    """The RMSE to the true mean, where the slopes differ and where they are equal."""
    metrics: dict[str, float] = {}
    group = (OneHotEncoder(handle_unknown="ignore"), ["group"])
    x = ("passthrough", ["x"])
    slopes = (FeatureCross([("group", "x")], numeric_features=["x"]), ["group", "x"])
    named = pd.CategoricalDtype(list(range(N_GROUPS)))
    for score, spread in {"slopes_differ": 0.5, "slopes_equal": 0.0}.items():
        train, test = (
            make_slopes(
                n,
                n_groups=N_GROUPS,
                spread=spread,
                truth=config.seed,
                random_state=[config.seed, part],
            )
            for part, n in enumerate((config.n_train, config.n_test))
        )
        ridge = RidgeCV(np.logspace(-2, 3, 11))
        # The best possible: a mixed model that is told the spread of levels, slopes and noise.
        mixed = ColumnTransformer(
            [("group", *group), ("x", *x), ("slopes", *slopes)],
            transformer_weights={"group": 1, "x": 100, "slopes": spread},
            sparse_threshold=0,  # dense, for the solver that is exact
        )
        trees = GridSearchCV(
            XGBRegressor(enable_categorical=True, **slow_trees(config)),
            DEPTHS,
            scoring="neg_mean_squared_error",
            cv=3,
        ).fit(train.X.astype({"group": named}), train.y)
        predictions = {
            "main_effects": make_pipeline(make_column_transformer(group, x), ridge)
            .fit(train.X, train.y)
            .predict(test.X),
            "line_per_group": line_of_each_group(train.frame, test.X),
            "xgboost_native": trees.predict(test.X.astype({"group": named})),
            "crossed": make_pipeline(make_column_transformer(group, x, slopes), ridge)
            .fit(train.X, train.y)
            .predict(test.X),
            "known_spreads": make_pipeline(mixed, Ridge(1.0)).fit(train.X, train.y).predict(test.X),
        }
        truth = test.oracle_mean(test.X)
        for name, prediction in predictions.items():
            metrics[f"slopes.{name}.{score}"] = root_mean_squared_error(truth, prediction)
    return Result(metrics)


def line_of_each_group(train: pd.DataFrame, X: pd.DataFrame) -> FloatArray:
    """A regression for each group with five rows or more, a mean for the others."""
    prediction = np.full(len(X), train["y"].mean())
    for group, rows in train.groupby("group"):
        asked = (X["group"] == group).to_numpy()
        model = LinearRegression() if len(rows) >= 5 else DummyRegressor()
        if asked.any():
            prediction[asked] = model.fit(rows[["x"]], rows["y"]).predict(X.loc[asked, ["x"]])
    return prediction


CLAIMS = [
    Claim(
        "slopes-beat-lines-and-trees",
        "benefit",
        "With a hundred groups of about ten rows each, a cross of group and number has at most "
        "{at_most} times the error of tuned boosted trees, of one line per group and of main "
        "effects.",
        lambda m: max(
            m["slopes.crossed.slopes_differ"] / m[f"slopes.{name}.slopes_differ"]
            for name in ("main_effects", "line_per_group", "xgboost_native")
        ),
        at_most=0.98,
        baseline="slopes.xgboost_native.slopes_differ",
    ),
    Claim(
        "equal-slopes-cost",
        "limit",
        "Where all slopes are equal, that cross costs: its error is at least {at_least} times that "
        "of the main effects.",
        ratio("slopes.crossed.slopes_equal", "slopes.main_effects.slopes_equal"),
        at_least=1.1,
    ),
]

EXPERIMENT = Experiment(
    question="Does a slope for each category help, with few rows of each?",
    data="synthetic",
    measure=measure,
    roles={
        "main_effects": "baseline",
        "line_per_group": "baseline",
        "xgboost_native": "baseline",
        "crossed": "pattern",
        "known_spreads": "best possible",
    },
    claims=CLAIMS,
)
