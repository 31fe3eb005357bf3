"""Rows and answers as bytes: JSON, and Arrow's stream for many rows."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from patterns.stateless_serving.pattern import (
    Answer,
    BodyError,
    Problem,
    RequestError,
    Rows,
    parse,
    shown,
)

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"


def json_rows(body: bytes) -> Rows:
    """Rows of a JSON body: a list of rows, or a mapping of name to column.

    Raises
    ------
    BodyError
        When it is no JSON.
    RequestError
        When it is neither ``{"rows": [...]}`` nor ``{"columns": {...}}``.
    """
    content = parse(body)
    if not isinstance(content, dict) or content.keys() not in ({"rows"}, {"columns"}):
        keys = f"the keys {shown(', '.join(content))}" if isinstance(content, dict) else None
        wanted = 'must be an object with the one key "rows" or "columns"'
        raise RequestError([Problem(wanted, value=keys or shown(content))])
    ((key, rows),) = content.items()
    if not isinstance(rows, list if key == "rows" else dict):
        form = "a list of objects" if key == "rows" else "an object of lists"
        raise RequestError([Problem(f"must be {form}", field=key, value=shown(rows))])
    for name, column in rows.items() if isinstance(rows, dict) else ():
        if not isinstance(column, list):
            problem = Problem("must be a list of values", field=shown(name), value=shown(column))
            raise RequestError([problem])
    return rows


def arrow_table(body: bytes, max_rows: int) -> pa.Table:
    """Table of a body in Arrow's stream format, every buffer checked.

    Raises
    ------
    BodyError
        For bytes of another format, more rows than allowed, and compressed buffers: a small body
        could fill the memory.
    """
    batches = []
    n_rows = 0
    try:
        for message in pa.ipc.MessageReader.open_stream(body):
            if _is_compressed(bytes(message.metadata)):
                raise BodyError("the body has compressed buffers; send them as they are")
        with pa.ipc.open_stream(body) as stream:
            schema = stream.schema
            for batch in stream:
                batch.validate(full=True)  # offsets may point anywhere
                n_rows += batch.num_rows
                if n_rows > max_rows:  # some columns need no bytes for their rows
                    raise BodyError(f"the body has more than {max_rows} rows")
                batches.append(batch)
        return pa.Table.from_batches(batches, schema)
    except (pa.ArrowException, struct.error, OSError, ValueError) as error:
        if isinstance(error, BodyError):
            raise
        raise BodyError("the body is no stream of Arrow, or a damaged one") from None


def _is_compressed(metadata: bytes) -> bool:
    """Whether the record batch of a message, a table of FlatBuffers, has a ``compression``."""

    def follow(table: int, slot: int) -> int | None:
        vtable = table - struct.unpack_from("<i", metadata, table)[0]
        if 4 + 2 * slot >= struct.unpack_from("<H", metadata, vtable)[0]:
            return None
        offset = struct.unpack_from("<H", metadata, vtable + 4 + 2 * slot)[0]
        return table + offset if offset else None

    def table(at: int) -> int:
        return int(at + struct.unpack_from("<I", metadata, at)[0])

    message = table(0)
    kind, header = follow(message, 1), follow(message, 2)
    if kind is None or header is None:
        return False
    batch = table(header)
    if metadata[kind] == 2:  # a dictionary: its values are a record batch too
        data = follow(batch, 1)
        if data is None:
            return False
        batch = table(data)
    return metadata[kind] in (2, 3) and follow(batch, 3) is not None


def json_text(content: Any) -> bytes:
    """Content as JSON; NaN is an error of the model and not of the request."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def arrow_answer(answer: Answer, ages: Sequence[float | None] | None) -> bytes:
    """Predictions as a column, with the versions in the metadata of the schema."""
    columns = {"prediction": pa.array(answer.predictions, pa.float64())}
    if ages is not None:
        columns["age_seconds"] = pa.array(ages, pa.float64())
    versions = {"model_version": answer.model_version, "schema_version": answer.schema_version}
    table = pa.table(columns).replace_schema_metadata(versions)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())
