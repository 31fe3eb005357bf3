"""A coefficient for each pair of user and item, or a vector for each user and each item."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from xgboost import XGBRegressor

from datasets import make_high_cardinality
from patterns._kit.evidence import Claim, Experiment, Result, difference
from patterns.feature_crossing.embedding import embedding_model, factorize_cross
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.expected import FloatArray
from patterns.feature_crossing.evidence.models import crossed, main_effects, trees

COLUMNS = ["user", "item"]


def measure(config: Config) -> Result:
    """R² of all combinations, where ratings have rank two and where they have none."""
    metrics = {}
    users, items = np.divmod(np.arange(config.n_users**2), config.n_users)
    grid = pd.DataFrame({"user": users, "item": items})
    for score, rank in {"rank_2": 2, "dense": None}.items():
        train = make_high_cardinality(
            config.n_ratings,
            n_levels=config.n_users,
            rank=rank,
            truth=config.seed,
            random_state=[config.seed, 0],
        )
        truth, center = train.oracle_mean(grid), train.y.mean()
        X, y = train.X, (train.y - center).to_numpy()
        seen = np.zeros(len(grid), dtype=bool)
        seen[X["user"] * config.n_users + X["item"]] = True
        effects = make_pipeline(main_effects(COLUMNS), Ridge(0.25, solver="sparse_cg"))
        cross = make_pipeline(crossed(COLUMNS, [COLUMNS]), Ridge(0.25, solver="sparse_cg"))
        native = trees(config, max_leaves=31, max_depth=0, grow_policy="lossguide")
        grown = XGBRegressor(enable_categorical=True, **native)
        of_user, of_item = factorize_cross(
            X["user"].to_numpy(),
            X["item"].to_numpy(),
            y,
            (config.n_users,) * 2,
            config.dimension,
            random_state=config.seed,
        )
        named = pd.CategoricalDtype(list(range(config.n_users)))
        predictions = {
            "main_effects": effects.fit(X, y).predict(grid),
            "one_hot_cross": cross.fit(X, y).predict(grid),
            "xgboost_native": grown.fit(X.astype(named), y).predict(grid.astype(named)),
            "embedding": np.sum(of_user[users] * of_item[items], axis=1),
        }
        if config.with_keras and rank:
            predictions["embedding_keras"] = keras_embedding(X, y, grid, config)
        predictions["oracle"] = truth - center
        for name, prediction in predictions.items():
            metrics[f"high_cardinality.{name}.{score}"] = r2_score(truth - center, prediction)
            if rank:
                metrics[f"high_cardinality.{name}.{score}_unseen"] = r2_score(
                    (truth - center)[~seen], prediction[~seen]
                )
    return Result(metrics)


def keras_embedding(
    X: pd.DataFrame, y: FloatArray, grid: pd.DataFrame, config: Config
) -> FloatArray:
    """The same embeddings, by stochastic gradient descent."""
    import keras  # seconds, which a run without it need not wait for

    keras.utils.set_random_seed(config.seed)
    model = embedding_model((config.n_users,) * 2, config.dimension)
    model.fit([X["user"].to_numpy(), X["item"].to_numpy()], y, 2048, 12, verbose=0)
    return np.asarray(model([grid["user"].to_numpy(), grid["item"].to_numpy()]))[:, 0]


CLAIMS = [
    Claim(
        "embedding-shares",
        "benefit",
        "Where users and items have two traits, the R² of an embedding of their cross is at least "
        "{at_least} above that of boosted trees with native categories.",
        difference("high_cardinality.embedding.rank_2", "high_cardinality.xgboost_native.rank_2"),
        at_least=0.02,
        baseline="high_cardinality.xgboost_native.rank_2",
    ),
    Claim(
        "embedding-beats-coefficients",
        "mechanism",
        "There, the R² of an embedding is at least {at_least} above that of one coefficient for "
        "each pair.",
        difference("high_cardinality.embedding.rank_2", "high_cardinality.one_hot_cross.rank_2"),
        at_least=0.35,
    ),
    Claim(
        "embedding-loses-when-dense",
        "limit",
        "Where each pair has an effect of its own, the R² of an embedding is at least {at_least} "
        "below that of one coefficient for each pair.",
        difference("high_cardinality.one_hot_cross.dense", "high_cardinality.embedding.dense"),
        at_least=0.4,
    ),
]

EXPERIMENT = Experiment(
    question="When should a cross of many categories be embedded?",
    data="synthetic",
    measure=measure,
    roles={
        "main_effects": "baseline",
        "one_hot_cross": "baseline",
        "xgboost_native": "baseline",
        "embedding": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
