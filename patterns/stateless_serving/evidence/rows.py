"""What many rows in one request cost, by the form in which they come."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.stateless_serving.evidence.rides import INPUTS, fitted, records, rides
from patterns.stateless_serving.pattern import Serving, Snapshot
from patterns.stateless_serving.wire import arrow_answer, arrow_table, json_rows, json_text

if TYPE_CHECKING:
    from patterns.stateless_serving.evidence import Config

N_TIMED = 4  # rounds, the best of which counts


class Ride(TypedDict):
    """A row for pydantic, in the form that it reads fastest."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    start: str
    station: str
    weather: str
    temperature: float | None
    usual: float | None


RIDES = TypeAdapter(list[Ride])


def measure(config: Config) -> Result:
    """Processor time from the bytes of a request to the bytes of its answer."""
    artifact = fitted(config.n_train, config.n_rounds, config.seed)
    serving = Serving(Snapshot.of(artifact))
    table = rides(config.n_large, 2016, config.seed)[0]
    names = [spec.name for spec in INPUTS]

    def as_json(body: bytes) -> bytes:
        return json_text(serving.answer(json_rows(body)).predictions.tolist())

    def as_arrow(body: bytes) -> bytes:
        return arrow_answer(serving.answer(arrow_table(body, config.n_large)), None)

    def as_pydantic(body: bytes) -> bytes:
        rows = RIDES.validate_json(body)
        if len(rows) == 1:
            return json_text([artifact.predict_one(rows[0])])
        return json_text(artifact.predict(pd.DataFrame(rows)).tolist())

    answered: dict[str, Callable[[bytes], bytes]] = {
        "pydantic_rows": as_pydantic,
        "json_rows": as_json,
        "json_columns": as_json,
        "arrow": as_arrow,
    }
    spent: dict[tuple[str, int], float] = {}
    size = {}
    for n, n_calls in ((1, 50), (config.n_large, 1)):
        rows = records(table[:n])
        columns = {name: [row[name] for row in rows] for name in names}
        sink = pa.BufferOutputStream()
        arrow = pa.table(columns, schema=_arrow_schema())
        with pa.ipc.new_stream(sink, arrow.schema) as stream:
            stream.write_table(arrow)
        bodies = {
            "pydantic_rows": json.dumps(rows).encode(),
            "json_rows": json.dumps({"rows": rows}).encode(),
            "json_columns": json.dumps({"columns": columns}).encode(),
            "arrow": bytes(sink.getvalue()),
        }
        for name, answer in [*answered.items()] * N_TIMED:
            started = time.process_time()
            for _ in range(n_calls):
                answer(bodies[name])
            taken = (time.process_time() - started) / n_calls
            spent[name, n] = min(taken, spent.get((name, n), taken))
        size = {name: len(body) for name, body in bodies.items()}
    metrics: dict[str, float] = {}
    for name in answered:
        metrics |= {
            f"rows.{name}.one": spent[name, 1] / spent["json_rows", 1],
            f"rows.{name}.large": spent[name, config.n_large] / spent["json_rows", config.n_large],
            f"rows.{name}.bytes": size[name] / size["json_rows"],
        }
    return Result(metrics)


def _arrow_schema() -> pa.Schema:
    types: dict[str, Any] = {"number": pa.float64()}
    return pa.schema([(spec.name, types.get(spec.type, pa.string())) for spec in INPUTS])


EXPERIMENT = Experiment(
    question="In which form should many rows come?",
    data="synthetic",
    measure=measure,
    roles={
        "pydantic_rows": "baseline",
        "json_rows": "baseline",
        "json_columns": "pattern",
        "arrow": "pattern",
    },
    claims=[
        Claim(
            "many-rows-as-arrow",
            "benefit",
            "A large request as Arrow takes at most {at_most} of the processor time of rows as "
            "JSON that pydantic reads.",
            ratio("rows.arrow.large", "rows.pydantic_rows.large"),
            at_most=0.75,
            baseline="rows.pydantic_rows.large",
        ),
        Claim(
            "one-row-as-arrow",
            "limit",
            "One row as Arrow takes at least {at_least} times the processor time of one as JSON.",
            ratio("rows.arrow.one", "rows.json_rows.one"),
            at_least=1.8,
        ),
        Claim(
            "columns-as-json-save-little",
            "limit",
            "Columns as JSON still take at least {at_least} of the processor time of rows that "
            "pydantic reads.",
            ratio("rows.json_columns.large", "rows.pydantic_rows.large"),
            at_least=0.55,
        ),
        Claim(
            "our-rows-beside-pydantic",
            "limit",
            "Rows as JSON, which this service reads strictly in Python, take at least {at_least} "
            "of the processor time of the same that pydantic reads.",
            ratio("rows.json_rows.large", "rows.pydantic_rows.large"),
            at_least=0.9,
        ),
    ],
)
