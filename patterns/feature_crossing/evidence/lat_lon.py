"""Prices on a map: crossed buckets of latitude and longitude, and what does better."""

from __future__ import annotations

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline, make_union
from xgboost import XGBRegressor

from datasets import make_lat_lon
from patterns._kit.evidence import Claim, Experiment, Metrics, Result
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.evidence.models import buckets, crossed_buckets, trees

GRIDS = (10, 20, 50)


def measure(config: Config) -> Result:
    """R² of every method, against the true mean of the price."""
    train = make_lat_lon(config.n_map, truth=config.seed, random_state=[config.seed, 0])
    X_test = make_lat_lon(config.n_test, truth=config.seed, random_state=[config.seed, 1]).X
    truth, ridge = train.oracle_mean(X_test), RidgeCV(np.logspace(-2, 2, 9))
    neighbors = KNeighborsRegressor(weights="distance")
    smooth = Nystroem(gamma=50, n_components=300, random_state=config.seed)
    methods = {
        "buckets_20": make_pipeline(buckets(20), ridge),
        "xgboost": XGBRegressor(max_depth=4, **trees(config)),
        "neighbors": GridSearchCV(neighbors, {"n_neighbors": [5, 10, 20, 40]}),
        "radial_basis": make_pipeline(smooth, ridge),
        **{
            f"crossed_{n}": make_pipeline(
                make_union(buckets(n), crossed_buckets(n)), Ridge(1.0, solver="sparse_cg")
            )
            for n in GRIDS
        },
    }
    metrics = {
        f"lat_lon.{name}.r2": r2_score(truth, model.fit(train.X, train.y).predict(X_test))
        for name, model in methods.items()
    }
    return Result({**metrics, "lat_lon.oracle.r2": 1.0})


def unexplained(metrics: Metrics, *methods: str) -> float:
    """What the best of some methods leaves unexplained."""
    return min(1 - metrics[f"lat_lon.{method}.r2"] for method in methods)


CLAIMS = [
    Claim(
        "trees-win-on-a-map",
        "limit",
        "On latitude and longitude boosted trees win: what the best of three grids, chosen on the "
        "test rows, leaves unexplained is at least {at_least} times what they leave.",
        lambda m: unexplained(m, *(f"crossed_{n}" for n in GRIDS)) / unexplained(m, "xgboost"),
        at_least=1.05,
    ),
    Claim(
        "smooth-methods-win-on-a-map",
        "limit",
        "Nearest neighbors and a smooth basis do better still: trees leave at least {at_least} "
        "times as much unexplained as the worse of these two.",
        lambda m: (
            unexplained(m, "xgboost")
            / max(unexplained(m, "neighbors"), unexplained(m, "radial_basis"))
        ),
        at_least=1.2,
    ),
]

EXPERIMENT = Experiment(
    question="Is a grid of latitude and longitude a good cross?",
    data="synthetic",
    measure=measure,
    roles={
        "buckets_20": "baseline",
        "xgboost": "baseline",
        "neighbors": "baseline",
        "radial_basis": "baseline",
        "crossed_20": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
