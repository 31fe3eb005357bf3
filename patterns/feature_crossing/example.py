"""A linear model over crosses matches boosted trees on the demand of airports, and stays readable.

Problem: a linear model adds up what the hour is worth and what the day is worth. That eight o'clock
is busy on Monday and not on Sunday is a product, and no sum expresses it.

Idea: make each combination a feature of its own, from buckets if the columns are numeric. The
model stays linear and convex; hash the combinations where they are many.

When not to: where effects add up, each cross is noise to be paid for, as for late flights; where
combinations outnumber rows, unless a penalty is tuned; and on a map, where trees find better cells.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
)
from xgboost import XGBClassifier, XGBRegressor

from datasets import (
    load_nyc_flights,
    make_circle,
    make_day_hour,
    make_high_cardinality,
    make_lat_lon,
    make_overcrossing,
    make_xor,
    overcrossing_pair,
    split_forward,
)
from datasets.crosses import DAYS
from patterns._kit.evidence import Claim, Result, difference, metric, ratio
from patterns.feature_crossing import figures
from patterns.feature_crossing.embedding import embedding_model, factorize_cross
from patterns.feature_crossing.pattern import FeatureCross, signal_kept

FloatArray = NDArray[np.float64]
Cross = Sequence[str]


@dataclass(frozen=True)
class Config:
    """The documented run."""

    n_train: int = 1000  # rows of the small synthetic tasks to learn from
    n_test: int = 10_000  # rows to judge by, with their true probabilities
    n_cells: int = 4900  # combinations to hash; a square number
    n_collisions: int = 100_000  # rows of these combinations
    n_ratings: int = 30_000  # rows of users and items
    n_users: int = 170  # users, and items
    dimension: int = 4  # of the embeddings; the true rank is 2, and who would know
    with_keras: bool = True  # whether the embeddings are fitted with Keras too
    n_map: int = 3000  # places on the map
    share_of_days: float = 0.8  # of the training days of demand, drawn at random
    n_late: int = 12_000  # flights to train on, in each fold, drawn at random
    n_late_test: int = 12_000  # flights to test on, in each fold, drawn at random
    n_folds: int = 3  # of the forward folds of the real data, the last ones
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least: dict[str, float] = {
            "n_train": 500,
            "n_test": 1000,
            "n_cells": 400,
            "n_collisions": 10_000,
        }
        least |= {"n_ratings": 5000, "n_users": 50, "dimension": 2, "n_map": 500}
        least |= {"share_of_days": 0.3, "n_late": 2000, "n_late_test": 2000}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.share_of_days > 1:
            raise ValueError(f"share_of_days must be at most 1, got {self.share_of_days}")
        if round(self.n_cells**0.5) ** 2 != self.n_cells:
            raise ValueError(f"n_cells must be a square number, got {self.n_cells}")
        if self.n_folds not in (1, 2, 3, 4):
            raise ValueError(f"n_folds must be 1, 2, 3 or 4, got {self.n_folds}")


FAST = Config(
    n_test=5000,
    n_ratings=20_000,
    n_users=140,
    with_keras=False,
    n_late_test=20_000,
    n_folds=1,
)

TREES = {"n_estimators": 200, "learning_rate": 0.1, "n_jobs": 1}
PENALTIES = {"C": [0.01, 0.03, 0.1, 0.3, 1.0]}
DEPTHS = {"max_depth": [1, 2, 3, 4, 6]}  # as many candidates as penalties


# ------------------------------------------------------------------------ baseline and pattern
def main_effects(columns: Sequence[str]) -> Any:
    """The baseline: a feature for each category of each column."""
    return make_column_transformer((OneHotEncoder(handle_unknown="ignore"), list(columns)))


def crossed(
    columns: Sequence[str], crosses: Sequence[Cross], n_hash_bins: int | None = None
) -> Any:
    """The pattern: the same, and a feature for each combination of the crossed columns."""
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), list(columns)),
        (FeatureCross(crosses, n_hash_bins), list(columns)),
    )


def buckets(n_buckets: int, encode: str = "onehot") -> Any:
    """Buckets of equal width of each numeric column, without a cross."""
    return KBinsDiscretizer(n_buckets, encode=encode, strategy="uniform", subsample=None)


def crossed_buckets(n_buckets: int, n_hash_bins: int | None = None) -> Any:
    """The cross of the buckets of two numeric columns."""
    return make_pipeline(buckets(n_buckets, "ordinal"), FeatureCross([(0, 1)], n_hash_bins))


def logistic(C: float = 1.0, l1_ratio: float = 0.0) -> Any:
    """Logistic regression with a penalty of strength 1 / C, L2 or, at an l1_ratio of 1, L1."""
    if l1_ratio:
        return LogisticRegression(C=C, l1_ratio=l1_ratio, solver="liblinear", random_state=0)
    return LogisticRegression(C=C, solver="newton-cg", tol=1e-6)


def tuned(model: Any, grid: Mapping[str, list[Any]]) -> Any:
    """The same cross-validation, of the same number of candidates, for whatever is tuned."""
    return GridSearchCV(model, dict(grid), scoring="neg_log_loss", cv=3)


# ---------------------------------------------------------------------------------- scores
GLOSSARY = {
    "accuracy": "expected share of right classes under the true probabilities; higher is better",
    "log_loss": "expected log loss under the true probabilities; lower is better",
    "interacting": "RMSE where hour and day interact; the noise alone is 2; lower is better",
    "additive": "RMSE where they do not",
    "signal_kept": "share of the vocabulary's R² that is left",
    "signal_kept_signed": "the same with a random sign for each cell, as FeatureHasher does",
    "theory": "the same by the collision law",
    "rank_2": "R² of the true mean of all combinations, where it has rank 2; higher is better",
    "rank_2_unseen": "the same, of combinations that never occurred in training",
    "dense": "R² where each combination has an effect of its own",
    "r2": "R² of the true mean; higher is better",
    "rmse": "root mean squared error, in departures an hour; lower is better",
    "best_to_main": "lowest ratio, over folds, of the RMSE to that of the main effects",
    "worst_to_main": "highest ratio, over folds, of the RMSE to that of the main effects",
    "auc": "area under the ROC curve; higher is better",
    "best_gain": "highest difference, over folds, of the AUC to that of the main effects",
    "worst_gain": "lowest difference, over folds, of the AUC to that of the main effects",
}


def expected_accuracy(truth: FloatArray, probability: FloatArray) -> float:
    """Share of right classes, averaged over the labels that the truth would draw."""
    return float(np.where(probability > 0.5, truth, 1 - truth).mean())


def expected_log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Log loss, averaged over the labels that the truth would draw."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)))


# ---------------------------------------------------------------------------------- planes
GRIDS = (4, 10, 20, 50)  # all of them at once are more features than rows


def plane_methods(config: Config) -> dict[str, Any]:
    """Every way to fit two numeric features."""
    piled = make_union(*(crossed_buckets(n) for n in GRIDS))
    return {
        "raw": logistic(),
        "buckets": make_pipeline(buckets(4), logistic()),
        "crossed": make_pipeline(crossed_buckets(4), logistic()),
        "crossed_5_buckets": make_pipeline(crossed_buckets(5), logistic()),
        "over_crossed": make_pipeline(piled, logistic(C=1000)),
        "over_crossed_l1": make_pipeline(piled, tuned(logistic(l1_ratio=1), PENALTIES)),
        "hashed_8_bins": make_pipeline(crossed_buckets(4, 8), logistic()),
        "hashed_64_bins": make_pipeline(crossed_buckets(4, 64), logistic()),
        "polynomial": make_pipeline(PolynomialFeatures(2), logistic()),
        "xgboost": XGBClassifier(max_depth=4, random_state=config.seed, **TREES),
    }


def planes(config: Config) -> tuple[dict[str, float], dict[str, Any]]:
    """XOR, which needs a cross, and the circle, which needs buckets and no cross."""
    metrics, fitted = {}, {}
    for task, make in {"xor": make_xor, "circle": make_circle}.items():
        train = make(config.n_train, random_state=[config.seed, 0])
        X_test = make(config.n_test, random_state=[config.seed, 1]).X
        truth = train.oracle_mean(X_test)
        methods = plane_methods(config)
        if task == "circle":
            both = make_union(buckets(10), crossed_buckets(10))
            methods = {
                "raw": methods["raw"],
                "buckets": make_pipeline(buckets(10), logistic()),
                "crossed": make_pipeline(both, logistic()),
                "polynomial": methods["polynomial"],
                "xgboost": methods["xgboost"],
            }
        probability = {}
        for name, model in methods.items():
            fitted[f"{task}.{name}"] = model.fit(train.X, train.y)
            probability[name] = model.predict_proba(X_test)[:, 1]
        for name, p in {**probability, "oracle": truth}.items():
            metrics[f"{task}.{name}.accuracy"] = expected_accuracy(truth, p)
            metrics[f"{task}.{name}.log_loss"] = expected_log_loss(truth, p)
    return metrics, fitted


# ---------------------------------------------------------------------------------- day and hour
def day_hour(config: Config) -> dict[str, float]:
    """Demand of the hours of a week, with and without an interaction."""
    metrics: dict[str, float] = {}
    columns = ["day", "hour"]
    for score, interaction in {"interacting": 1.0, "additive": 0.0}.items():
        train, test = (
            make_day_hour(n, interaction=interaction, random_state=[config.seed, part])
            for part, n in enumerate((config.n_train, config.n_test))
        )
        ridge, codes = RidgeCV(np.logspace(-1, 3, 9)), OrdinalEncoder(categories=[DAYS, range(24)])
        trees = XGBRegressor(max_depth=3, random_state=config.seed, **TREES)
        predictions = {
            name: model.fit(train.X, train.y).predict(test.X)
            for name, model in {
                "main_effects": make_pipeline(main_effects(columns), ridge),
                "crossed": make_pipeline(crossed(columns, [columns]), ridge),
                "xgboost": make_pipeline(codes, trees),
            }.items()
        }
        predictions["oracle"] = test.oracle_mean(test.X)
        for name, prediction in predictions.items():
            metrics[f"day_hour.{name}.{score}"] = root_mean_squared_error(test.y, prediction)
    return metrics


# ---------------------------------------------------------------------------------- over-crossing
def overcrossing(config: Config) -> dict[str, float]:
    """Eight categories of which one pair interacts: how many crosses a thousand rows can bear."""
    train = make_overcrossing(config.n_train, truth=config.seed, random_state=[config.seed, 0])
    test = make_overcrossing(config.n_test, truth=config.seed, random_state=[config.seed, 1])
    columns = train.feature_names
    pairs, triples = (list(combinations(columns, arity)) for arity in (2, 3))
    encoders = {
        "main": main_effects(columns),
        "pairs": crossed(columns, pairs),
        "triples": crossed(columns, [*pairs, *triples]),
        "true_pair": crossed(columns, [overcrossing_pair(config.seed)]),
    }
    truth = train.oracle_mean(test.X)

    def fit(encoder: str, model: Any) -> FloatArray:
        model = make_pipeline(encoders[encoder], model).fit(train.X, train.y)
        return model.predict_proba(test.X)[:, 1]

    l1, l2 = (tuned(logistic(l1_ratio=ratio), PENALTIES) for ratio in (1, 0))
    trees = tuned(XGBClassifier(random_state=config.seed, **TREES), DEPTHS)
    predictions = {
        "main_effects_l2": fit("main", l2),
        "all_pairs_no_penalty": fit("pairs", logistic(C=1000)),
        "all_pairs_l2": fit("pairs", l2),
        "all_pairs_l1": fit("pairs", l1),
        "pairs_and_triples_l1": fit("triples", l1),
        "true_pair_l2": fit("true_pair", l2),
        "xgboost": trees.fit(train.X, train.y).predict_proba(test.X)[:, 1],
        "oracle": truth,
    }
    return {
        f"overcrossing.{name}.log_loss": expected_log_loss(truth, p)
        for name, p in predictions.items()
    }


# ---------------------------------------------------------------------------------- hashing
BINS_TO_CELLS = (1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16)


def collisions(config: Config) -> dict[str, float]:
    """How much of a cross's signal is left when its cells share bins."""
    n_levels = round(config.n_cells**0.5)
    train = make_high_cardinality(
        config.n_collisions,
        n_levels=n_levels,
        rank=None,
        truth=config.seed,
        random_state=[config.seed, 0],
    )
    grid = all_pairs(n_levels)
    truth, y = train.oracle_mean(grid), train.y.to_numpy()

    def signal(encode: Callable[[pd.DataFrame], Any]) -> float:
        # Least squares; with one nonzero a row, a few steps solve it.
        model = Ridge(1e-6, solver="lsqr").fit(encode(train.X), y)
        return r2_score(truth, model.predict(encode(grid)))

    def cross(n_hash_bins: int | None) -> Callable[[pd.DataFrame], Any]:
        return FeatureCross([("user", "item")], n_hash_bins).fit(train.X).transform

    def signed(n_bins: int) -> Callable[[pd.DataFrame], Any]:
        texts = grid["user"].astype(str) + "_" + grid["item"].astype(str)
        cells = FeatureHasher(n_bins, input_type="string").transform(texts.to_frame().to_numpy())
        return lambda X: cells[(X["user"] * n_levels + X["item"]).to_numpy()]

    vocabulary = signal(cross(None))
    metrics = {}
    for share in BINS_TO_CELLS:
        n_bins = round(config.n_cells * share)
        row = f"collisions.{n_bins}_bins"
        metrics[f"{row}.signal_kept"] = signal(cross(n_bins)) / vocabulary
        metrics[f"{row}.signal_kept_signed"] = signal(signed(n_bins)) / vocabulary
        metrics[f"{row}.theory"] = float(signal_kept(config.n_cells, n_bins))
    return metrics


def all_pairs(n_levels: int) -> pd.DataFrame:
    """Every combination of a user and an item."""
    users, items = np.divmod(np.arange(n_levels**2), n_levels)
    return pd.DataFrame({"user": users, "item": items})


# ---------------------------------------------------------------------------------- embeddings
def high_cardinality(config: Config) -> dict[str, float]:
    """A coefficient for each pair of user and item, or a vector for each user and each item."""
    metrics = {}
    for score, rank in {"rank_2": 2, "dense": None}.items():
        train = make_high_cardinality(
            config.n_ratings,
            n_levels=config.n_users,
            rank=rank,
            truth=config.seed,
            random_state=[config.seed, 0],
        )
        grid = all_pairs(config.n_users)
        truth, center = train.oracle_mean(grid), train.y.mean()
        X, y = train.X, (train.y - center).to_numpy()
        seen = np.zeros(len(grid), dtype=bool)
        seen[X["user"] * config.n_users + X["item"]] = True

        cross = make_pipeline(
            crossed(["user", "item"], [("user", "item")]), Ridge(0.25, solver="sparse_cg")
        )
        of_user, of_item = factorize_cross(
            X["user"].to_numpy(),
            X["item"].to_numpy(),
            y,
            (config.n_users,) * 2,
            config.dimension,
            random_state=config.seed,
        )
        predictions = {
            "one_hot_cross": cross.fit(X, y).predict(grid),
            "embedding": np.sum(of_user[grid["user"]] * of_item[grid["item"]], axis=1),
        }
        if config.with_keras:
            predictions["embedding_keras"] = keras_embedding(X, y, grid, config)
        predictions["oracle"] = truth - center
        for name, prediction in predictions.items():
            metrics[f"high_cardinality.{name}.{score}"] = r2_score(truth - center, prediction)
            if rank:
                metrics[f"high_cardinality.{name}.{score}_unseen"] = r2_score(
                    (truth - center)[~seen], prediction[~seen]
                )
    return metrics


def keras_embedding(
    X: pd.DataFrame, y: FloatArray, grid: pd.DataFrame, config: Config
) -> FloatArray:
    """The same embeddings, by stochastic gradient descent."""
    import keras  # seconds, which a run without it need not wait for

    keras.utils.set_random_seed(config.seed)
    model = embedding_model((config.n_users,) * 2, config.dimension)
    model.fit([X["user"].to_numpy(), X["item"].to_numpy()], y, 2048, 12, verbose=0)
    return np.asarray(model([grid["user"].to_numpy(), grid["item"].to_numpy()]))[:, 0]


# ---------------------------------------------------------------------------------- a map
def lat_lon(config: Config) -> dict[str, float]:
    """Prices on a map: crossed buckets of latitude and longitude, and what does better."""
    train = make_lat_lon(config.n_map, truth=config.seed, random_state=[config.seed, 0])
    X_test = make_lat_lon(config.n_test, truth=config.seed, random_state=[config.seed, 1]).X
    truth, ridge = train.oracle_mean(X_test), RidgeCV(np.logspace(-2, 2, 9))
    smooth = make_pipeline(Nystroem(gamma=50, n_components=300, random_state=config.seed), ridge)
    methods = {"buckets_20": make_pipeline(buckets(20), ridge)}
    methods |= {
        f"crossed_{n}": make_pipeline(
            make_union(buckets(n), crossed_buckets(n)), Ridge(1.0, solver="sparse_cg")
        )
        for n in (10, 20, 50)
    }
    methods["xgboost"] = XGBRegressor(max_depth=4, random_state=config.seed, **TREES)
    methods["radial_basis"] = smooth
    metrics = {
        f"lat_lon.{name}.r2": r2_score(truth, model.fit(train.X, train.y).predict(X_test))
        for name, model in methods.items()
    }
    return {**metrics, "lat_lon.oracle.r2": 1.0}


# ---------------------------------------------------------------------------------- real data
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


def late_table() -> pd.DataFrame:
    """Flights that arrived, and whether more than 15 minutes late."""
    columns = ["carrier", "origin", "dest", "hour", "time_hour", "arr_delay"]
    table = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
    local = table["time_hour"].dt.tz_convert("America/New_York")
    table["dow"] = np.array(DAYS)[local.dt.day_of_week]
    table["late"] = (table.pop("arr_delay") > 15).astype(int)
    return table


def forward_folds(
    table: pd.DataFrame, months: Sequence[int], config: Config
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train on the year up to a month, test on what follows until the next: never random rows."""
    newyear = pd.Timestamp("2013-01-01", tz="America/New_York")
    starts = [newyear + pd.DateOffset(months=month - 1) for month in months]
    for train, test in split_forward(table["time_hour"], starts)[-config.n_folds :]:
        yield table.iloc[train], table.iloc[test]


def demand(config: Config) -> tuple[dict[str, float], Any]:
    """Departures an hour: the interaction is real, and the crosses find it."""
    columns = ["origin", "hour", "dow"]
    pairs = list(combinations(columns, 2))
    trees = XGBRegressor(max_depth=6, random_state=config.seed, **TREES)
    encoders = {
        "raw_numbers": make_column_transformer(
            (OneHotEncoder(), ["origin"]),
            (OrdinalEncoder(categories=[DAYS]), ["dow"]),
            ("passthrough", ["hour"]),
        ),
        "main_effects": main_effects(columns),
        "hour_x_dow": crossed(columns, [("hour", "dow")]),
        "origin_x_hour": crossed(columns, [("origin", "hour")]),
        "all_pairs": crossed(columns, pairs),
        "triple": crossed(columns, [*pairs, columns]),
        **{f"triple_hashed_{n}": crossed(columns, [columns], n) for n in (64, 256, 1024, 4096)},
    }
    methods = {
        name: make_pipeline(encoder, Ridge(1.0, solver="sparse_cg"))
        for name, encoder in encoders.items()
    }
    methods["xgboost"] = make_pipeline(clone(encoders["raw_numbers"]), trees)
    rng = np.random.default_rng(config.seed)
    scores: dict[str, list[float]] = {name: [] for name in methods}
    for train, test in forward_folds(demand_table(), (9, 10, 11, 12, 13), config):
        days = train["time_hour"].dt.tz_convert("America/New_York").dt.date
        train = train[
            days.isin(pd.Series(days.unique()).sample(frac=config.share_of_days, random_state=rng))
        ]
        for name, model in methods.items():
            prediction = model.fit(train, train["departures"]).predict(test)
            scores[name].append(root_mean_squared_error(test["departures"], prediction))
    metrics: dict[str, float] = {}
    for name, values in scores.items():
        ratios = np.divide(values, scores["main_effects"])
        metrics[f"demand.{name}.rmse"] = float(np.mean(values))
        metrics[f"demand.{name}.best_to_main"] = float(ratios.min())
        metrics[f"demand.{name}.worst_to_main"] = float(ratios.max())
    return metrics, methods["hour_x_dow"]


def late(config: Config) -> dict[str, float]:
    """Flights more than 15 minutes late: effects add up, and crosses only cost."""
    columns = ["carrier", "origin", "dest", "hour", "dow"]
    pairs = list(combinations(columns, 2))
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    trees = XGBClassifier(max_depth=6, random_state=config.seed, **TREES)
    methods = {
        "main_effects": make_pipeline(main_effects(columns), logistic()),
        "hour_x_dow": make_pipeline(crossed(columns, [("hour", "dow")]), logistic()),
        "all_pairs": make_pipeline(crossed(columns, pairs), logistic()),
        "all_pairs_strong_penalty": make_pipeline(crossed(columns, pairs), logistic(C=0.01)),
        "xgboost": make_pipeline(make_column_transformer((codes, columns)), trees),
        "xgboost_stumps": make_pipeline(
            make_column_transformer((codes, columns)), clone(trees).set_params(max_depth=1)
        ),
    }
    rng = np.random.default_rng(config.seed)
    scores: dict[str, list[float]] = {name: [] for name in methods}
    for train, test in forward_folds(late_table(), (5, 7, 9, 11, 13), config):
        train = train.sample(config.n_late, random_state=rng)
        test = test.sample(config.n_late_test, random_state=rng)
        for name, model in methods.items():
            probability = model.fit(train, train["late"]).predict_proba(test)[:, 1]
            scores[name].append(roc_auc_score(test["late"], probability))
    metrics: dict[str, float] = {}
    for name, values in scores.items():
        gains = np.subtract(values, scores["main_effects"])
        metrics[f"late.{name}.auc"] = float(np.mean(values))
        metrics[f"late.{name}.best_gain"] = float(gains.max())
        metrics[f"late.{name}.worst_gain"] = float(gains.min())
    return metrics


# ---------------------------------------------------------------------------------- claims
def largest_gap(metrics: Mapping[str, float], one: str, other: str) -> float:
    """Between two columns of the table of collisions."""
    rows = {name.rsplit(".", 1)[0] for name in metrics if name.startswith("collisions.")}
    return max(abs(metrics[f"{row}.{one}"] - metrics[f"{row}.{other}"]) for row in rows)


CLAIMS = [
    Claim(
        "xor-needs-the-cross",
        "benefit",
        "On XOR, a linear model over the cross of four buckets each is right in at least "
        "{at_least} of all cases; the oracle, in 0.9.",
        metric("xor.crossed.accuracy"),
        at_least=0.88,
    ),
    Claim(
        "xor-without-is-a-coin-toss",
        "benefit",
        "Without the cross, raw features and buckets are a coin toss: log loss at least "
        "{at_least}; a coin has 0.69, the oracle 0.33.",
        lambda m: min(m["xor.raw.log_loss"], m["xor.buckets.log_loss"]),
        at_least=0.67,
    ),
    Claim(
        "xor-misaligned-buckets",
        "limit",
        "Five buckets each straddle the boundary: the accuracy is at most {at_most}.",
        metric("xor.crossed_5_buckets.accuracy"),
        at_most=0.8,
    ),
    Claim(
        "circle-needs-no-cross",
        "limit",
        "The circle needs buckets and no cross: the cross adds at most {at_most} to the accuracy.",
        difference("circle.crossed.accuracy", "circle.buckets.accuracy"),
        at_most=0.05,
    ),
    Claim(
        "demand-pairs",
        "benefit",
        "On departures an hour, all crosses of two reach at most {at_most} of the RMSE of the main "
        "effects, in every fold.",
        metric("demand.all_pairs.worst_to_main"),
        at_most=0.8,
    ),
    Claim(
        "demand-as-good-as-trees",
        "parity",
        "With the cross of all three, the linear model's RMSE is {at_least} to {at_most} of that "
        "of boosted trees.",
        ratio("demand.triple.rmse", "demand.xgboost.rmse"),
        at_least=0.99,
        at_most=1.01,
    ),
    Claim(
        "demand-hashed",
        "parity",
        "Hashed into ten times as many bins as there are cells, it does as well: RMSE {at_least} "
        "to {at_most} of it.",
        ratio("demand.triple_hashed_4096.rmse", "demand.triple.rmse"),
        at_least=0.98,
        at_most=1.03,
    ),
    Claim(
        "demand-too-few-bins",
        "limit",
        "Hashed into 64 bins, it loses nearly all that the cross had won: RMSE at least {at_least} "
        "of that of the vocabulary.",
        ratio("demand.triple_hashed_64.rmse", "demand.triple.rmse"),
        at_least=1.2,
    ),
    Claim(
        "late-pairs-cost",
        "limit",
        "On late flights all crosses of two lose in every fold: with the default penalty, the AUC "
        "is at least {at_least} below that of the main effects.",
        lambda m: -m["late.all_pairs.best_gain"],
        at_least=0.002,
    ),
    Claim(
        "late-penalty-repairs",
        "parity",
        "A strong penalty repairs that and wins nothing worth having: mean AUC {at_least} to "
        "{at_most} above the main effects.",
        difference("late.all_pairs_strong_penalty.auc", "late.main_effects.auc"),
        at_least=-0.005,
        at_most=0.012,
    ),
    Claim(
        "collision-law",
        "parity",
        "What hashing leaves of a cross follows the collision law within {at_most}, from a 16th of "
        "as many bins as cells to 16 times as many.",
        lambda m: largest_gap(m, "signal_kept", "theory"),
        at_most=0.05,
    ),
    Claim(
        "signs-do-not-help",
        "parity",
        "Random signs, as in FeatureHasher, change it by at most {at_most}.",
        lambda m: largest_gap(m, "signal_kept", "signal_kept_signed"),
        at_most=0.06,
    ),
    Claim(
        "over-crossing-costs",
        "limit",
        "All pairs of eight categories on a thousand rows, without a penalty: log loss at least "
        "{at_least} above that of the main effects.",
        difference(
            "overcrossing.all_pairs_no_penalty.log_loss", "overcrossing.main_effects_l2.log_loss"
        ),
        at_least=1.5,
    ),
    Claim(
        "l1-repairs",
        "benefit",
        "An L1 penalty finds the pair that matters: log loss at most {at_most} of that of the main "
        "effects.",
        ratio("overcrossing.all_pairs_l1.log_loss", "overcrossing.main_effects_l2.log_loss"),
        at_most=0.92,
    ),
    Claim(
        "l1-beats-l2",
        "benefit",
        "And at most {at_most} of that with an L2 penalty, which spreads over all of them.",
        ratio("overcrossing.all_pairs_l1.log_loss", "overcrossing.all_pairs_l2.log_loss"),
        at_most=0.95,
    ),
    Claim(
        "l1-bears-triples",
        "parity",
        "Twelve times as many columns do no harm to it: log loss {at_least} to {at_most} of that "
        "with pairs.",
        ratio("overcrossing.pairs_and_triples_l1.log_loss", "overcrossing.all_pairs_l1.log_loss"),
        at_least=0.97,
        at_most=1.03,
    ),
    Claim(
        "l1-beats-trees",
        "benefit",
        "And it beats boosted trees, tuned alike: log loss at most {at_most} of theirs.",
        ratio("overcrossing.all_pairs_l1.log_loss", "overcrossing.xgboost.log_loss"),
        at_most=0.97,
    ),
    Claim(
        "additive-cross-costs",
        "limit",
        "Where hour and day do not interact, their cross costs: RMSE at least {at_least} of that "
        "of the main effects.",
        ratio("day_hour.crossed.additive", "day_hour.main_effects.additive"),
        at_least=1.005,
    ),
    Claim(
        "interaction-cross-pays",
        "benefit",
        "Where they do, it pays: RMSE at most {at_most} of that of the main effects.",
        ratio("day_hour.crossed.interacting", "day_hour.main_effects.interacting"),
        at_most=0.97,
    ),
    Claim(
        "trees-need-fewer-rows",
        "limit",
        "Boosted trees find that interaction from a thousand rows as well: the RMSE of the cross "
        "is at least {at_least} of theirs.",
        ratio("day_hour.crossed.interacting", "day_hour.xgboost.interacting"),
        at_least=0.995,
    ),
    Claim(
        "embedding-shares",
        "benefit",
        "Where users and items have two traits, the R² of an embedding of the cross is at least "
        "{at_least} above that of a coefficient a pair.",
        difference("high_cardinality.embedding.rank_2", "high_cardinality.one_hot_cross.rank_2"),
        at_least=0.35,
    ),
    Claim(
        "embedding-loses-when-dense",
        "limit",
        "Where each pair has an effect of its own, it is at least {at_least} below.",
        difference("high_cardinality.one_hot_cross.dense", "high_cardinality.embedding.dense"),
        at_least=0.4,
    ),
    Claim(
        "trees-win-on-a-map",
        "limit",
        "On latitude and longitude boosted trees win: what the best of three grids, chosen on the "
        "test rows, leaves unexplained is at least {at_least} times theirs.",
        lambda m: (
            min(1 - m[f"lat_lon.crossed_{n}.r2"] for n in (10, 20, 50))
            / (1 - m["lat_lon.xgboost.r2"])
        ),
        at_least=1.05,
    ),
]


def run(config: Config) -> Result:
    """Planes and weeks with a known truth, what too many crosses do, and two real tasks."""
    metrics, fitted = planes(config)
    metrics |= day_hour(config) | overcrossing(config) | collisions(config)
    metrics |= high_cardinality(config) | lat_lon(config)
    of_demand, demand_model = demand(config)
    metrics |= of_demand | late(config)
    data = make_xor(config.n_train, random_state=[config.seed, 0])
    return Result(
        metrics,
        figures={
            "regions": lambda: figures.regions(fitted, data),
            "collisions": lambda: figures.collisions(metrics, config.n_cells),
            "coefficients": lambda: figures.coefficients(demand_model),
        },
    )


if __name__ == "__main__":
    from patterns._kit.cli import main

    raise SystemExit(main(["run", "feature_crossing", *sys.argv[1:]]))
