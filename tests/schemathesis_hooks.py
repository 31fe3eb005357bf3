"""What an OpenAPI document cannot say, told to schemathesis: tests/test_serving_processes.py."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import schemathesis
from hypothesis import strategies as st


def stream(rows: list[dict[str, Any]]) -> bytes:
    """Rows in Arrow's stream format."""
    table = pa.Table.from_pylist(
        rows, pa.schema([(n, pa.float64() if n in NUMBERS else pa.string()) for n in NAMES])
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def tensors(rows: list[dict[str, Any]]) -> bytes:
    """Rows as the tensors of a request of the Open Inference Protocol, without binary ones."""
    inputs = [
        {
            "name": name,
            "datatype": "FP64" if name in NUMBERS else "BYTES",
            "shape": [len(rows)],
            "data": [row[name] for row in rows],
        }
        for name in NAMES
    ]
    return json.dumps({"inputs": inputs}).encode()


NUMBERS = ("temperature", "usual")
NAMES = ("start", "station", "weather", *NUMBERS)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "start": st.just("2015-07-01T12:30:00Z"),
            "station": st.text(alphabet="abc ü", max_size=5),
            "weather": st.sampled_from(["sun", "rain", "hail"]),
            "temperature": st.none() | st.floats(-30, 50),
            "usual": st.none() | st.floats(-30, 50),
        }
    ),
    min_size=1,
    max_size=5,
)
schemathesis.openapi.media_type("application/vnd.apache.arrow.stream", ROWS.map(stream))
schemathesis.openapi.media_type("application/octet-stream", ROWS.map(tensors))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Columns of one request have one length, and a shape tells the length of its data."""
    body = case.body
    if not isinstance(body, dict):
        return
    columns = body.get("columns")
    if isinstance(columns, dict) and all(isinstance(c, list) and c for c in columns.values()):
        n = min(map(len, columns.values()), default=0)
        case.body = {**body, "columns": {name: column[:n] for name, column in columns.items()}}
    tensors = body.get("inputs")
    if isinstance(tensors, list) and all(map(is_tensor, tensors)):
        n = min((len(tensor["data"]) for tensor in tensors), default=0)
        case.body = {**body, "inputs": [cut(tensor, n) for tensor in tensors]}


def is_tensor(given: Any) -> bool:
    """Whether it has data and a shape that starts with a number that could be its length."""
    if not isinstance(given, dict):
        return False
    data, shape = given.get("data"), given.get("shape")
    has_both = isinstance(data, list) and data and isinstance(shape, list) and shape
    return bool(has_both) and type(shape[0]) in (int, float) and shape[0] >= 1


def cut(tensor: dict[str, Any], n: int) -> dict[str, Any]:
    """A tensor with some of its values."""
    return {**tensor, "data": tensor["data"][:n], "shape": [n, *tensor["shape"][1:]]}
