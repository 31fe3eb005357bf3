"""What the artifact costs beside the bare model: time for one row and for many, and size."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from xgboost import XGBRegressor

from datasets import make_bike_rentals
from patterns._kit.evidence import Claim, Experiment, Result, metric, ratio
from patterns.transform.evidence import Config
from patterns.transform.evidence.rides import RIDES, ZONE, definition
from patterns.transform.pattern import ServingArtifact

FloatArray = NDArray[np.float64]
PARAMS = {"objective": "reg:squarederror", "max_depth": 6, "eta": 0.1, "nthread": 1, "seed": 0}
N_ROUNDS = 200
N_TIMED = 5  # rounds of calls that are timed


# ---------------------------------------------------------------------------------- methods
def clock(frame: pd.DataFrame) -> pd.DataFrame:
    """Hour and weekday of a column of texts, as a step of a pipeline."""
    local = pd.to_datetime(frame["start"]).dt.tz_convert(ZONE)
    return pd.DataFrame({"hour": local.dt.hour, "weekday": local.dt.day_of_week})


def pipeline() -> Any:
    """The same features and model, as scikit-learn keeps them together."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer(
        (FunctionTransformer(clock), ["start"]),
        (codes, ["station", "weather"]),
        (SimpleImputer(strategy="median"), ["temperature"]),
    )
    return make_pipeline(columns, XGBRegressor(n_estimators=N_ROUNDS, **translated()))


def translated() -> dict[str, Any]:
    """The parameters under the names of scikit-learn."""
    names = {"eta": "learning_rate", "nthread": "n_jobs", "seed": "random_state"}
    return {names.get(name, name): value for name, value in PARAMS.items()}


# ---------------------------------------------------------------------------------- measurement
def beside(
    call: Callable[[int], object], other: Callable[[int], object], n: int
) -> tuple[FloatArray, FloatArray]:
    """Processor times of two calls with 0, 1, 2, ..., made in turn; those of ``other`` second.

    Of this thread: what else the machine does is not counted, as far as it leaves the caches alone.
    """
    spent = np.empty((2, n))
    for i in range(n):
        for k, function in enumerate((call, other)):
            began = time.thread_time_ns()
            function(i)
            spent[k, i] = time.thread_time_ns() - began
    return spent[0], spent[1]


def measure(config: Config) -> Result:
    """Times relative to those of the bare model, predictions, and size."""
    seed = config.seed
    train = make_bike_rentals(config.n_rides // 2, random_state=[seed, 0], **RIDES)
    test = make_bike_rentals(config.n_rides, random_state=[seed, 1], **RIDES)
    fitted = ServingArtifact.fit(definition(), train.X, train.y, PARAMS, N_ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rides.zip"
        fitted.save(path)
        artifact = ServingArtifact.load(path)
    scikit = pipeline().fit(train.X, train.y)

    many = artifact.predict(test.X)
    features = artifact.transform.transform(test.X)
    table = pa.Table.from_pandas(test.X, preserve_index=False)
    rows: list[Any] = test.X.head(config.n_calls).to_dict("records")
    one = np.array([artifact.predict_one(row) for row in rows])
    size = {name: len(content) for name, content in artifact._members.items()}

    def bare(i: int) -> object:
        return artifact.booster.inplace_predict(features[i : i + 1], validate_features=False)

    calls: dict[str, Callable[[int], object]] = {
        "scikit_pipeline": lambda i: scikit.predict(pd.DataFrame([rows[i]])),
        "columns_of_one": lambda i: artifact.predict(pd.DataFrame([rows[i]])),
        "artifact": lambda i: artifact.predict_one(rows[i]),
        "bare_model": bare,
    }
    batches: dict[str, Callable[[int], object]] = {
        "scikit_pipeline": lambda i: scikit.predict(test.X),
        "columns_of_one": lambda i: artifact.predict(test.X),  # which becomes a table first
        "artifact": lambda i: artifact.predict(table),
        "bare_model": lambda i: artifact.booster.inplace_predict(features),
    }
    metrics: dict[str, float] = {}
    for name in calls:
        n_rounds = 1 if name == "scikit_pipeline" else N_TIMED
        rounds = [beside(calls[name], bare, config.n_calls) for _ in range(n_rounds)]
        middle = [np.median(own) / np.median(other) for own, other in rounds]
        slow = [np.quantile(own, 0.99) / np.quantile(other, 0.99) for own, other in rounds]
        # The least of several times is what a batch takes when nothing else is in the caches.
        own_batch, bare_batch = beside(batches[name], batches["bare_model"], 3 * n_rounds)
        metrics |= {
            f"cost.{name}.one_row": float(np.median(middle)),
            f"cost.{name}.one_row_p99": float(np.median(slow)),
            f"cost.{name}.many_rows": own_batch.min() / bare_batch.min(),
        }
    metrics |= {
        "file.artifact.kilobytes": sum(size.values()) / 1000,
        "file.bare_model.kilobytes": size["trees.ubj"] / 1000,
        "predictions.reloaded.differ": float(np.mean(many != fitted.predict(test.X))),
        "predictions.one_by_one.differ": float(np.mean(one != many[: len(one)])),
        "predictions.scikit_pipeline.differ": float(np.mean(many != scikit.predict(test.X))),
    }
    return Result(metrics)


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "one-row-beside-columns",
        "benefit",
        "One row takes at most {at_most} times the processor time that it takes as a table of "
        "one row.",
        ratio("cost.artifact.one_row", "cost.columns_of_one.one_row"),
        at_most=0.5,
        baseline="cost.columns_of_one.one_row",
    ),
    Claim(
        "scikit-one-row",
        "mechanism",
        "A scikit-learn pipeline keeps transform and model together as well, and takes at least "
        "{at_least} times as long as the artifact for one row.",
        ratio("cost.scikit_pipeline.one_row", "cost.artifact.one_row"),
        at_least=5.0,
    ),
    Claim(
        "latency-of-one-row",
        "limit",
        "The artifact adds to the time of the bare model: one row takes {at_least} to {at_most} "
        "times as long, in the median.",
        metric("cost.artifact.one_row"),
        at_least=1.02,
        at_most=1.5,
    ),
    Claim(
        "latency-of-slow-calls",
        "parity",
        "The slowest hundredth of the one-row calls take at most {at_most} times as long as those "
        "of the bare model.",
        metric("cost.artifact.one_row_p99"),
        at_most=1.5,
    ),
    Claim(
        "many-rows",
        "parity",
        "Ten thousand raw rows of an Arrow table take at most {at_most} times as long as their "
        "features take in the bare model.",
        metric("cost.artifact.many_rows"),
        at_most=1.3,
    ),
    Claim(
        "size",
        "limit",
        "The artifact is {at_least} to {at_most} times as large as the trees in it.",
        ratio("file.artifact.kilobytes", "file.bare_model.kilobytes"),
        at_least=1.001,
        at_most=1.05,
    ),
    Claim(
        "to-the-last-bit",
        "parity",
        "Saved and loaded, or asked row by row, a share of {at_most} of the predictions differs "
        "in any bit.",
        lambda m: max(m["predictions.reloaded.differ"], m["predictions.one_by_one.differ"]),
        at_most=0.0,
    ),
]

EXPERIMENT = Experiment(
    question="What does the artifact cost beside the bare model?",
    data="synthetic",
    measure=measure,
    roles={
        "scikit_pipeline": "baseline",
        "columns_of_one": "baseline",
        "artifact": "pattern",
        "bare_model": "best possible",
    },
    claims=CLAIMS,
)
