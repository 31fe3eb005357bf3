"""What one row costs over HTTP, beside a validated request that computes nothing."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from xgboost import XGBRegressor

from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    MetricsOfSeeds,
    Result,
    metric,
    ratio,
)
from patterns._kit.figures import BASELINE, PATTERN
from patterns.stateless_serving.evidence.rides import INPUTS, ZONE, fitted, records, rides
from patterns.stateless_serving.evidence.server import CLOSED_LOOP, client, running
from patterns.stateless_serving.pattern import Snapshot
from patterns.stateless_serving.service import create_app
from patterns.transform import OnnxTrees

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from patterns.stateless_serving.evidence import Config

JSON = "application/json"


class Ride(BaseModel):
    """A row, as an engineer types it by hand."""

    model_config = ConfigDict(strict=True, extra="forbid")

    start: str
    station: str
    weather: str
    temperature: float | None
    usual: float | None


class Rides(BaseModel):
    """A request."""

    rows: list[Ride]


def clock(X: pd.DataFrame) -> pd.DataFrame:
    """Hour and weekday on the clocks of London."""
    local = pd.to_datetime(X["start"]).dt.tz_convert(ZONE)
    return pd.DataFrame({"hour": local.dt.hour, "weekday": local.dt.day_of_week})


def pipeline(n: int, n_rounds: int, seed: int) -> Any:
    """The same trees behind the transforms of scikit-learn."""
    rows, minutes, _ = rides(n, 2015, seed)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer(
        (FunctionTransformer(clock), ["start"]),
        (codes, ["station", "weather"]),
        (SimpleImputer(strategy="median"), ["temperature", "usual"]),
    )
    trees = XGBRegressor(n_estimators=n_rounds, max_depth=6, learning_rate=0.1, n_jobs=1)
    return make_pipeline(columns, trees).fit(rows[[spec.name for spec in INPUTS]], minutes)


def rival_app(file: Path) -> FastAPI:
    """A validated request that computes nothing, and the pipeline: loaded once, and each time."""
    app, loaded = FastAPI(), joblib.load(file)

    def answer(predictions: Any) -> dict[str, Any]:
        return {"predictions": predictions, "model_version": "1", "schema_version": "1"}

    @app.post("/nothing")
    async def nothing(given: Rides) -> dict[str, Any]:
        return answer([0.5 for _ in given.rows])

    @app.post("/once")
    async def once(given: Rides) -> dict[str, Any]:
        frame = pd.DataFrame([row.model_dump() for row in given.rows])
        frame = frame.astype({"temperature": float, "usual": float})
        return answer(loaded.predict(frame).tolist())

    @app.post("/each")
    async def each(given: Rides) -> dict[str, Any]:
        frame = pd.DataFrame([row.model_dump() for row in given.rows])
        frame = frame.astype({"temperature": float, "usual": float})
        return answer(joblib.load(file).predict(frame).tolist())

    @app.post("/cpu")
    async def cpu(request: Request) -> Response:
        return Response(repr(time.process_time()))

    return app


class Together:
    """Several applications, told apart by the first part of the path, in one server."""

    def __init__(self, **apps: Any) -> None:
        self.apps = apps

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request to its application."""
        _, name, *rest = scope["path"].split("/")
        await self.apps[name]({**scope, "path": "/" + "/".join(rest)}, receive, send)


METHODS = ("loaded_each_time", "pipeline", "service_xgboost", "service_onnx", "nothing")


def measure(config: Config) -> Result:
    """The best round of each route, in rounds that are made in turn: neighbors only add time."""
    artifact = fitted(config.n_train, config.n_rounds, config.seed)
    row = records(rides(100, 2016, config.seed)[0])[-1]
    body = json.dumps({"rows": [row]})
    paths = ("rival/each", "rival/once", "xgboost/v1/predict", "onnx/v1/predict", "rival/nothing")
    calls = [max(2, config.n_calls // by) for by in (50, 20, 1, 1, 1)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.joblib"
        joblib.dump(pipeline(config.n_train, config.n_rounds, config.seed), file)
        apps = {
            "rival": rival_app(file),
            "xgboost": create_app(Snapshot.of(artifact)),
            "onnx": create_app(Snapshot.of(replace(artifact, engine=OnnxTrees))),
        }
        with running(Together(**apps)) as port:
            targets = [(f"/{path}", JSON, body) for path in (*paths, "rival/cpu")]
            given = {
                "port": port,
                "targets": targets,
                "calls": calls,
                "rounds": config.n_rounds_timed,
            }
            found = np.array(client(CLOSED_LOOP, given))[1:]  # the first one warms up
    best = found.min(axis=0)
    p50, cpu = (best / best[-1]).T
    metrics: dict[str, float] = {}
    for i, name in enumerate(METHODS):
        metrics |= {f"routes.{name}.p50": p50[i], f"routes.{name}.cpu": cpu[i]}
    return Result(metrics)


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Processor time by route, beside a request that computes nothing."""

    def draw() -> Figure:
        import matplotlib.pyplot as plt

        figure, axis = plt.subplots(figsize=(7, 3))
        times = [float(np.mean(metrics[f"routes.{name}.cpu"])) for name in METHODS]
        colors = [BASELINE, BASELINE, BASELINE, PATTERN, "#999999"]
        bars = axis.barh([LABELS[name] for name in METHODS], times, color=colors)
        axis.bar_label(bars, [f"{time:.2g}" for time in times], padding=3)
        axis.set_xscale("log")
        axis.set(xlim=(0.5, 300))
        axis.invert_yaxis()
        axis.set_xlabel("processor time of one request, relative to one that computes nothing")
        return figure

    return {
        "routes": Drawing(
            draw,
            caption="One row through a pipeline of scikit-learn takes far longer than HTTP itself, "
            "however often the file is loaded. The artifact with ONNX trees takes about as long "
            "as HTTP. The axis is logarithmic.",
            alt="Bars of the processor time of five routes on a logarithmic axis.",
        )
    }


LABELS = {
    "loaded_each_time": "pipeline, loaded each time",
    "pipeline": "pipeline, loaded once",
    "service_xgboost": "service, XGBoost",
    "service_onnx": "service, ONNX trees",
    "nothing": "validated, computes nothing",
}
EXPERIMENT = Experiment(
    question="What does one row cost over HTTP?",
    data="synthetic",
    measure=measure,
    roles={
        "loaded_each_time": "baseline",
        "pipeline": "baseline",
        "service_xgboost": "baseline",
        "service_onnx": "pattern",
    },
    claims=[
        Claim(
            "one-row-with-onnx",
            "benefit",
            "For one row, the service with ONNX trees takes at most {at_most} of the processor "
            "time of the same service with XGBoost.",
            ratio("routes.service_onnx.cpu", "routes.service_xgboost.cpu"),
            at_most=0.75,
            baseline="routes.service_xgboost.cpu",
        ),
        Claim(
            "one-row-beside-a-pipeline",
            "mechanism",
            "For one row, the service with XGBoost takes at most {at_most} of the processor time "
            "of the same trees in a pipeline of scikit-learn that is loaded once.",
            ratio("routes.service_xgboost.cpu", "routes.pipeline.cpu"),
            at_most=0.2,
        ),
        Claim(
            "one-row-beside-nothing",
            "mechanism",
            "The service with ONNX trees takes at most {at_most} times the processor time of a "
            "validated request that computes nothing.",
            metric("routes.service_onnx.cpu"),
            at_most=2.5,
        ),
        Claim(
            "loading-each-time",
            "mechanism",
            "A pipeline that is loaded for each request takes at least {at_least} times the "
            "processor time of one that is loaded once.",
            ratio("routes.loaded_each_time.cpu", "routes.pipeline.cpu"),
            at_least=1.15,
        ),
        Claim(
            "loading-once-is-not-enough",
            "limit",
            "A pipeline that is loaded once still takes at least {at_least} times the processor "
            "time of a request that computes nothing.",
            metric("routes.pipeline.cpu"),
            at_least=25,
        ),
        Claim(
            "a-faster-framework-saves-little",
            "limit",
            "Where a pipeline is the model, all of HTTP and its framework is at most {at_most:.0%} "
            "of a request's processor time.",
            lambda m: 1 / m["routes.pipeline.cpu"],
            at_most=0.04,
        ),
    ],
    figures=figures,
)
