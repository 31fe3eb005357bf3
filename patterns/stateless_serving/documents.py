"""What the service says of itself: its OpenAPI document, and a page of it for people.

The schema of the artifact is the source of both, so they cannot differ from what is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

LARGEST = 3.4028234663852886e38  # of single precision, in which most models compute
DAY = (
    r"((19[789]\d|20\d\d)-(((0[13578]|1[02])-(0[1-9]|[12]\d|3[01]))|((0[469]|11)-(0[1-9]|[12]\d|30))"
    r"|(02-(0[1-9]|1\d|2[0-8])))|(19(72|76|8[048]|9[26])|20([02468][048]|[13579][26]))-02-29)"
)
TIME = rf"^{DAY}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,6}})?(Z|[+-](0\d|1[0-3]):[0-5]\d)$"


def field_schema(rules: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of one field."""
    found: dict[str, Any]
    if rules["type"] == "number":
        low, high = rules.get("minimum"), rules.get("maximum")
        found = {"type": "number", "minimum": -LARGEST if low is None else low}
        found["maximum"] = LARGEST if high is None else high
    elif rules["type"] == "time":
        about = "An instant in ISO 8601 with its zone, in the years 1970 to 2099."
        found = {"type": "string", "pattern": TIME, "description": about}
        found["examples"] = ["2013-07-01T12:30:00Z"]
    else:
        found = {"type": "string"}
    if not rules.get("nullable"):
        return found | ({"enum": rules["categories"]} if rules.get("categories") else {})
    if rules.get("categories"):
        found["enum"] = [*rules["categories"], None]
    return {**found, "type": [found["type"], "null"]}


def strict(properties: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of an object with these properties, all of them and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(items: Any, most: int | None = None) -> dict[str, Any]:
    """JSON Schema of a list."""
    bounds = {} if most is None else {"minItems": 1, "maxItems": most}
    return {"type": "array", "items": items, **bounds}


def request_body(
    schema: Mapping[str, Any], max_rows: int, *, columns: bool, binary: str | None = None
) -> dict[str, Any]:
    """What a request may hold, for OpenAPI."""
    fields = {name: field_schema(rules) for name, rules in schema.items()}
    forms = [strict({"rows": listed(strict(fields), max_rows)})]
    if columns:
        lists = {name: listed(field, max_rows) for name, field in fields.items()}
        about = "All lists have the same length."
        forms.append(strict({"columns": {**strict(lists), "description": about}}))
    content: dict[str, Any] = {
        "application/json": {"schema": {"oneOf": forms} if columns else forms[0]}
    }
    if binary:
        content[binary] = {"schema": {"type": "string", "format": "binary"}}
    return {"required": True, "content": content}


VERSIONS = {"model_version": {"type": "string"}, "schema_version": {"type": "string"}}
NUMBER_OR_NULL = {"type": ["number", "null"]}
PROBLEM = {
    "problem": {"type": "string"},
    "row": {"type": ["integer", "null"]},
    "field": {"type": ["string", "null"]},
    "value": {"type": ["string", "null"]},
}


def response(about: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A response, for OpenAPI; without a schema, an error."""
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    return {
        "description": about,
        "content": {"application/json": {"schema": error if schema is None else schema}},
    }


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with, for OpenAPI."""
    refused = {"error": {"type": "string"}, "problems": listed(strict(PROBLEM))}
    counted = {**refused, "n_problems": {"type": "integer"}, **VERSIONS}
    known = {
        400: response("The body cannot be read."),
        404: response("There is no such thing."),
        405: response("The path has other methods."),
        408: response("The body did not arrive in time."),
        413: response("The body is too long."),
        415: response("The body has a type, or a compression, that is not read."),
        422: response("Rows do not fit the schema: where, and why.", strict(counted)),
        500: response("The service failed."),
        503: response("Too much is in flight, or the service is not ready; try again later."),
    }
    return {status: known[status] for status in statuses}


def documents_page(openapi: Mapping[str, Any], schema: Mapping[str, Any], example: Any) -> str:
    """A page of the routes and fields, which asks no other host for anything."""
    rows = []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            about = operation.get("description") or operation.get("summary", "")
            rows.append((f"{method.upper()} {path}", about))
    fields = []
    for name, rules in schema.items():
        rest = {k: v for k, v in rules.items() if k != "type" and v not in (None, False)}
        fields.append((name, rules["type"], ", ".join(f"{k}: {v}" for k, v in rest.items())))
    request = json.dumps({"rows": [example]})
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>API</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
        "padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
        "pre{overflow:auto;padding:1rem;border:1px solid #888}</style>"
        f"<h1>{escape(openapi['info']['title'])}</h1>"
        "<p>The whole document is <a href='openapi.json'>openapi.json</a>.</p>"
        f"<h2>Routes</h2>{_table(('route', 'what it does'), rows)}"
        f"<h2>Fields of a row</h2>{_table(('field', 'type', 'rules'), fields)}"
        "<h2>A request</h2><pre>curl -H 'content-type: application/json' \\\n"
        f"  --data '{escape(request)}' \\\n  http://127.0.0.1:8080/v1/predict</pre></html>"
    )


def _table(head: Any, rows: Any) -> str:
    lines = ["".join(f"<th scope='col'>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
