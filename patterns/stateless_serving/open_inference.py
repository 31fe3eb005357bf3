"""The Open Inference Protocol, version 2: what clients of other servers speak.

KServe, Triton, MLServer and others speak it. A client of theirs can ask this service, and this
service can later be replaced by one of them. It is the part that clients of predictions use:
health, metadata and inference over HTTP. Shared memory, model repositories, statistics and gRPC are
not offered.

Each column is one tensor of shape [n] or [n, 1], FP64 for numbers and BYTES for categories and
times. The answer is one tensor, ``prediction``, FP64 of shape [n]. Tensors may be binary in both
directions. The usual client sends binary tensors, and asks for them, unless it is told otherwise.

The protocol has no missing values. Here NaN in a binary tensor and null in JSON are missing values.
In a column that may be missing, so is an empty text; in another column it is an empty text.

Source: https://github.com/kserve/open-inference-protocol and the extension for binary tensors of
https://github.com/triton-inference-server/server/tree/main/docs/protocol.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from patterns.stateless_serving import documents
from patterns.stateless_serving.pattern import (
    Answer,
    BodyError,
    Problem,
    RequestError,
    Schema,
    parse,
    shown,
)
from patterns.stateless_serving.wire import JSON, json_text

if TYPE_CHECKING:
    from patterns.stateless_serving.service import Service

NAME = "model"  # a service has one
OUTPUT = "prediction"
BINARY = "application/octet-stream"
HEADER = "Inference-Header-Content-Length"  # bytes of JSON; the binary tensors follow
EXTENSIONS = ("binary_tensor_data",)
LONGEST_ID = 128  # of a request; it comes back with the answer
UNKNOWN = {"shared_memory_region", "classification"}  # parameters that would change the answer
Name = Annotated[str, Path(json_schema_extra={"const": NAME})]
TENSOR = {"name": str, "datatype": str, "shape": list, "parameters": dict, "data": list}


def open_inference(service: Service) -> APIRouter:
    """Routes of the protocol for the model of a service, whose name is `NAME`.

    Parameters
    ----------
    service : Service
    """
    router = APIRouter()
    schema, limits = service.serving.snapshot.schema, service.limits

    def check(model: str, version: str | None) -> None:
        now = service.serving.snapshot.version
        if model != NAME:
            raise HTTPException(404, f"there is no model {shown(model)}, only {NAME!r}")
        if version not in (None, now):
            raise HTTPException(404, f"there is no version {shown(version)} now, only {now!r}")

    def work(version: str | None, n_json: str | None, body: bytes) -> Response:
        content, binary = _split(body, n_json)
        try:
            columns, wants_binary = _columns(content, binary, schema), _wants_binary(content)
            # For one row a model needs no table.
            is_one = all(len(column) == 1 for column in columns.values())
            row = {name: column[0] for name, column in columns.items() if is_one}
            answer, _ = service.answer([row] if is_one else columns)
        except RequestError as error:  # a client shows nothing but this text
            raise HTTPException(422, str(error)) from None
        if version not in (None, answer.model_version):  # a swap came between
            raise HTTPException(404, f"the version {shown(version)} has just been replaced")
        return _response(content.get("id"), answer, wants_binary)

    async def inferred(request: Request, model: str, version: str | None) -> Response:
        check(model, version)
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind not in (JSON, BINARY):  # the usual client sends none
            raise HTTPException(415, f"the content type must be {JSON} or {BINARY}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(415, "the body must not be compressed")
        body, n_json = await request.body(), request.headers.get(HEADER)
        answer: Response = await service.run(len(body), work, version, n_json, body)
        return answer

    def described(model: str, version: str | None) -> Response:
        check(model, version)
        snapshot = service.serving.snapshot
        content = {
            "name": NAME,
            "versions": [snapshot.version],
            "platform": "python",
            "inputs": [
                {"name": name, "datatype": _datatype(rules), "shape": [-1]}
                for name, rules in snapshot.schema.items()
            ],
            "outputs": [{"name": OUTPUT, "datatype": "FP64", "shape": [-1]}],
            "parameters": {"schema_version": snapshot.schema_version},
        }
        return Response(json_text(content), media_type=JSON)

    def is_ready(model: str, version: str | None) -> Response:
        check(model, version)
        content = {"name": NAME, "ready": service.ready}
        return Response(json_text(content), 200 if service.ready else 503, media_type=JSON)

    # The version is a part of the path, so a service has each route with it and without it.
    named, versioned = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    response: dict[str, Any] = {"response_class": Response}
    answered = documents.response("Predictions, as a tensor.", _answer_schema())
    answered["content"][BINARY] = {"schema": {"type": "string", "format": "binary"}}
    infers: dict[str, Any] = {
        "responses": {
            200: answered,
            **documents.errors(400, 404, 408, 413, 415, 500, 503),
            422: documents.response("Rows do not fit the schema: where, and why."),
        },
        "openapi_extra": {"requestBody": _request_schema(schema, limits.max_rows)},
        **response,
    }
    tells: dict[str, Any] = {
        "responses": {
            200: documents.response("The model.", {"type": "object"}),
            **documents.errors(404, 503),
        },
        **response,
    }

    @router.post(f"{named}/infer", **infers)
    async def infer(request: Request, model: Name) -> Response:
        """Predictions of one tensor for each column."""
        return await inferred(request, model, None)

    @router.post(f"{versioned}/infer", **infers)
    async def infer_version(request: Request, model: Name, version: str) -> Response:
        """Predictions of this version of the model, or 404."""
        return await inferred(request, model, version)

    @router.get(named, **tells)
    async def metadata(model: Name) -> Response:
        """The tensors that the model takes and gives."""
        return described(model, None)

    @router.get(versioned, **tells)
    async def metadata_version(model: Name, version: str) -> Response:
        """The tensors that this version of the model takes and gives, or 404."""
        return described(model, version)

    @router.get(f"{named}/ready", **tells)
    async def model_ready(model: Name) -> Response:
        """Whether the model takes requests."""
        return is_ready(model, None)

    @router.get(f"{versioned}/ready", **tells)
    async def model_ready_version(model: Name, version: str) -> Response:
        """Whether this version of the model takes requests, or 404."""
        return is_ready(model, version)

    @router.get("/v2", **tells)
    async def server() -> Response:
        """Which server this is."""
        content = {"name": "stateless_serving", "version": "1", "extensions": EXTENSIONS}
        return Response(json_text(content), media_type=JSON)

    @router.get("/v2/health/live", **tells)
    async def live() -> Response:
        """Whether the process answers."""
        return Response(json_text({"live": True}), media_type=JSON)

    @router.get("/v2/health/ready", **tells)
    async def ready() -> Response:
        """Whether the service takes requests."""
        status = 200 if service.ready else 503
        return Response(json_text({"ready": service.ready}), status, media_type=JSON)

    return router


# --- a request -----------------------------------------------------------------------------------


def _split(body: bytes, n_json: str | None) -> tuple[dict[str, Any], memoryview]:
    """The JSON of a request, and the binary tensors that follow it."""
    n = len(body)
    if n_json is not None:
        if not re.fullmatch(r"[0-9]{1,12}", n_json) or int(n_json) > n:
            raise BodyError(f"{HEADER} must be at most {n}, the bytes sent, got {shown(n_json)}")
        n = int(n_json)
    content = parse(body[:n])
    if not isinstance(content, dict) or not isinstance(content.get("inputs"), list):
        raise BodyError('the body must be an object with the list "inputs"')
    _check_keys(
        content, "the body", {"id": str, "parameters": dict, "inputs": list, "outputs": list}
    )
    if len(content.get("id", "")) > LONGEST_ID:
        raise BodyError(f"the id must have at most {LONGEST_ID} letters")
    return content, memoryview(body)[n:]


def _check_keys(given: Any, what: str, types: Mapping[str, type], *required: str) -> None:
    if not isinstance(given, dict):
        raise BodyError(f"{what} must be an object, got {shown(given)}")
    for key in required:
        if key not in given:
            raise BodyError(f"{what} must have {key!r}")
    for key, value in given.items():
        if key not in types:
            raise BodyError(f"{what} has the key {shown(key)}; known are {', '.join(types)}")
        if not isinstance(value, types[key]):
            raise BodyError(f"{what}: {key!r} must be of another type, got {shown(value)}")
    for name in UNKNOWN & given.get("parameters", {}).keys():
        raise BodyError(f"{what} asks for {name!r}, which is not offered")


def _wants_binary(content: Mapping[str, Any]) -> bool:
    """Whether the answer shall be a binary tensor: of the output, or else of the request."""
    wanted = content.get("parameters", {}).get("binary_data_output", False)
    for output in content.get("outputs", []):
        _check_keys(output, "an output", {"name": str, "parameters": dict}, "name")
        if output["name"] != OUTPUT:
            problem = f"is no output; there is one, {OUTPUT}"
            raise RequestError([Problem(problem, field=shown(output["name"]))])
        wanted = output.get("parameters", {}).get("binary_data", wanted)
    if not isinstance(wanted, bool):
        raise BodyError(f"binary_data must be true or false, got {shown(wanted)}")
    return wanted


def _columns(content: Mapping[str, Any], binary: memoryview, schema: Schema) -> dict[str, Any]:
    """The tensors of a request as columns, in the order of the schema."""
    found: dict[str, list[Any]] = {}
    for tensor in content["inputs"]:
        _check_keys(tensor, "a tensor", TENSOR, "name", "datatype", "shape")
        name = tensor["name"]
        if name not in schema or name in found:
            problem = "is there twice" if name in found else "is no field of the schema"
            raise RequestError([Problem(problem, field=shown(name))])
        found[name], binary = _values(tensor, binary, schema[name])
    if len(binary):
        raise BodyError(f"{len(binary)} bytes follow the last binary tensor")
    if absent := [Problem("is not there", field=name) for name in schema if name not in found]:
        raise RequestError(absent)
    first, *others = found
    for name in others:
        if (n := len(found[name])) != (wanted := len(found[first])):
            problem = f"must have {wanted} values, as {first} has"
            raise RequestError([Problem(problem, field=name, value=str(n))])
    return {name: found[name] for name in schema}


def _values(
    tensor: Mapping[str, Any], binary: memoryview, rules: Mapping[str, Any]
) -> tuple[list[Any], memoryview]:
    """The values of a tensor, and the binary tensors after it."""
    name, shape, datatype = tensor["name"], tensor["shape"], _datatype(rules)

    def wrong(problem: str, row: int | None = None, value: Any = None) -> RequestError:
        return RequestError([Problem(problem, row, name, None if value is None else shown(value))])

    if tensor["datatype"] != datatype:
        raise wrong(f"must have the datatype {datatype}", value=tensor["datatype"])
    # To JSON, 2.0 is the same integer as 2.
    whole = [type(n) is int or (type(n) is float and n.is_integer()) for n in shape]
    if not all(whole) or len(shape) not in (1, 2) or shape[0] < 0 or shape[1:] not in ([], [1]):
        raise wrong("must have the shape [n] or [n, 1]", value=str(shape))
    n, size = int(shape[0]), tensor.get("parameters", {}).get("binary_data_size")
    values: list[Any]
    if size is None:
        values = tensor.get("data", [])
        if len(shape) == 2 and all(isinstance(v, list) and len(v) == 1 for v in values):
            values = [value for (value,) in values]
    elif "data" in tensor or type(size) is not int or not 0 <= size <= len(binary):
        raise wrong(f"must have data, or a binary_data_size of 0 to {len(binary)}", value=size)
    else:
        content, binary = bytes(binary[:size]), binary[size:]
        if datatype == "FP64":
            if size != 8 * n:
                raise wrong(f"must have 8 bytes for each of {n} numbers", value=size)
            numbers = np.frombuffer(content, "<f8").tolist()
            return [None if number != number else number for number in numbers], binary
        try:
            values = list(_texts(content))
        except (UnicodeDecodeError, struct.error):
            raise wrong("must hold texts in UTF-8, each after its length") from None
    if len(values) != n:
        raise wrong(f"must have {n} values, as its shape says", value=len(values))
    if datatype == "BYTES" and rules.get("nullable"):
        values = [None if value == "" else value for value in values]
    return values, binary


def _texts(content: bytes) -> Iterator[str]:
    """The texts of a binary tensor: each has its length before it, in four bytes."""
    at = 0
    while at < len(content):
        (n,) = struct.unpack_from("<I", content, at)
        (text,) = struct.unpack_from(f"{n}s", content, at + 4)
        yield text.decode()
        at += 4 + n


# --- an answer -----------------------------------------------------------------------------------


def _response(request_id: str | None, answer: Answer, binary: bool) -> Response:
    output = {"name": OUTPUT, "datatype": "FP64", "shape": list(answer.predictions.shape)}
    content = {
        "model_name": NAME,
        "model_version": answer.model_version,
        "parameters": {"schema_version": answer.schema_version},
        **({} if request_id is None else {"id": request_id}),
    }
    if not binary:
        text = json_text({**content, "outputs": [{**output, "data": answer.predictions.tolist()}]})
        return Response(text, media_type=JSON)
    raw = answer.predictions.astype("<f8").tobytes()
    size = {"parameters": {"binary_data_size": len(raw)}}
    text = json_text({**content, "outputs": [{**output, **size}]})
    return Response(text + raw, headers={HEADER: str(len(text))}, media_type=BINARY)


# --- the document --------------------------------------------------------------------------------


def _datatype(rules: Mapping[str, Any]) -> str:
    return "FP64" if rules["type"] == "number" else "BYTES"


def _request_schema(schema: Schema, max_rows: int) -> dict[str, Any]:
    """A request without binary tensors, for OpenAPI."""
    tensors = []
    for name, rules in schema.items():
        tensor = {
            "name": {"const": name},
            "datatype": {"const": _datatype(rules)},
            "shape": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "prefixItems": [
                    {"type": "integer", "minimum": 1, "maximum": max_rows},
                    {"const": 1},
                ],
                "description": "[n] or [n, 1]; n is the length of the data.",
            },
            "data": documents.listed(documents.field_schema(rules), max_rows),
        }
        tensors.append(documents.strict(tensor))
    length = {"minItems": len(tensors), "maxItems": len(tensors)}
    about = "One tensor for each column. They may come in another order, too."
    inputs = {"type": "array", **length, "prefixItems": tensors, "description": about}
    fields = {
        "id": {"type": "string", "maxLength": LONGEST_ID},
        "inputs": inputs,
        "outputs": documents.listed(
            {
                "type": "object",
                "properties": {
                    "name": {"const": OUTPUT},
                    "parameters": _parameters("binary_data"),
                },
                "required": ["name"],
                "additionalProperties": False,
            }
        ),
        "parameters": _parameters("binary_data_output"),
    }
    request = {**documents.strict(fields), "required": ["inputs"]}
    content = {JSON: {"schema": request}}
    content[BINARY] = {"schema": {"type": "string", "format": "binary"}}
    return {"required": True, "content": content}


def _parameters(known: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {known: {"type": "boolean"}},
        "propertyNames": {"not": {"enum": sorted(UNKNOWN)}},
    }


def _answer_schema() -> dict[str, Any]:
    output = {
        "name": {"const": OUTPUT},
        "datatype": {"const": "FP64"},
        "shape": documents.listed({"type": "integer"}),
        "data": documents.listed({"type": "number"}),
    }
    return {
        "type": "object",
        "properties": {
            "model_name": {"const": NAME},
            "model_version": {"type": "string"},
            "outputs": documents.listed(documents.strict(output)),
        },
        "required": ["model_name", "model_version", "outputs"],
    }
