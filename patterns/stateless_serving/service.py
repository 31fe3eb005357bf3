"""The service: HTTP around the function, and what strangers may send to it.

`create_app` is for callers. `create_admin_app` swaps the model and belongs on another port. All
answers come from `predict`. What a service keeps of requests, counts and the last rows, is for
people to look at and cannot reach an answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from patterns.stateless_serving import documents
from patterns.stateless_serving.limits import BodyLimit, CatchErrors, InFlightLimit
from patterns.stateless_serving.metrics import Measured, Metrics
from patterns.stateless_serving.open_inference import open_inference
from patterns.stateless_serving.page import page
from patterns.stateless_serving.pattern import (
    Answer,
    BodyError,
    Problem,
    RequestError,
    Rows,
    Serving,
    Snapshot,
    SwapError,
    columns_of,
    predict,
)
from patterns.stateless_serving.wire import (
    ARROW,
    JSON,
    arrow_answer,
    arrow_table,
    json_rows,
    json_text,
)

Handler = Callable[[], Awaitable[Response]]
WORK = ("/v1/", "/v2/models/")  # paths that compute; those of health never wait for them
COUNTED = ("/v1/predict", "/v1/explain", "/v2/", "/health/", "/metrics", "/model", "/drift")


@dataclass(frozen=True)
class Limits:
    """What one request, and all together, may take."""

    max_rows: int = 10_000  # of one request
    max_explained: int = 100  # rows of one request for explanations
    max_bytes: int = 16_000_000  # of a body
    body_seconds: float = 10.0  # for a body to arrive
    max_in_flight: int = 32  # requests that are worked on or wait for it
    inline_bytes: int = 20_000  # a larger body is worked on in a thread, so that health answers
    threads: int = 2  # of these
    window: int = 2_000  # rows that are kept to see drift

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= (0 if name == "inline_bytes" else 1e-3):
                raise ValueError(f"{name} must be positive, got {value!r}")


class Service:
    """What the routes share: the snapshot that answers, limits, counts and the last rows.

    Parameters
    ----------
    snapshot : Snapshot
    limits : Limits
    """

    def __init__(self, snapshot: Snapshot, limits: Limits) -> None:
        self.serving = Serving(snapshot)
        self.limits = limits
        self.metrics = Metrics()
        self.ready = True
        self.window: deque[tuple[Any, ...]] = deque(maxlen=limits.window)
        self._threads = CapacityLimiter(limits.threads)

    async def run(self, n_bytes: int, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do the work of a request of some size: here and now, or in a thread if it is large."""
        if n_bytes <= self.limits.inline_bytes:
            return work(*arguments)
        return await to_thread.run_sync(work, *arguments, limiter=self._threads)

    def answer(self, rows: Rows) -> tuple[Answer, list[float | None] | None]:
        """Predictions with their versions; and the age of each, where there is a store.

        Raises
        ------
        RequestError
            For rows that do not fit, and for none or too many.
        """
        self.check_number(rows, self.limits.max_rows)
        snapshot = self.serving.snapshot
        if snapshot.lookup is None or not isinstance(rows, list):
            # If a swap comes first, the answer is wholly of the new snapshot.
            found, ages = self.serving.answer(rows), None
        else:
            found, ages = from_store(snapshot, rows)
        self.metrics.rows.inc(len(found.predictions))
        self.window.extend(_last(rows, list(snapshot.schema), self.limits.window))
        return found, ages

    def check_number(self, rows: Rows, most: int) -> None:
        """Refuse no rows at all, and too many."""
        if isinstance(rows, pa.Table):
            n = rows.num_rows
        elif isinstance(rows, Mapping):
            n = max((len(c) for c in rows.values() if isinstance(c, list)), default=1)
        else:
            n = len(rows)
        if not 1 <= n <= most:
            raise RequestError([Problem(f"must have 1 to {most} rows, got {n}")])


def from_store(snapshot: Snapshot, rows: list[Any]) -> tuple[Answer, list[float | None]]:
    """Answers that were computed in advance, with their ages; the model gives the others.

    An answer of another model's is none: one response never mixes two models.
    """
    columns_of(rows, snapshot.schema)
    assert snapshot.lookup is not None
    stored = [
        answer if answer and answer["model_version"] == snapshot.version else None
        for answer in snapshot.lookup(rows)
    ]
    others = [i for i, answer in enumerate(stored) if answer is None]
    try:
        computed = iter(predict(snapshot, [rows[i] for i in others]).tolist() if others else [])
    except RequestError as error:
        problems = [p if p.row is None else replace(p, row=others[p.row]) for p in error.problems]
        raise RequestError(problems, error.total) from None
    predictions = [next(computed) if a is None else float(a["prediction"]) for a in stored]
    ages = [None if a is None else float(a["age_seconds"]) for a in stored]
    answer = Answer(np.array(predictions), snapshot.version, snapshot.schema_version)
    return answer, ages


def _last(rows: Rows, names: list[str], n: int) -> Any:
    """The last rows of a request as tuples, in the order of the schema."""
    if isinstance(rows, list):
        return [tuple(row[name] for name in names) for row in rows[-n:]]
    if isinstance(rows, pa.Table):
        rows = {name: rows[name].slice(max(0, rows.num_rows - n)).to_pylist() for name in names}
    return zip(*(rows[name][-n:] for name in names), strict=True)


class Direct(APIRoute):
    """A route whose function takes the request and gives the response, documented like any other.

    It reads the body itself, strictly, so there is nothing that FastAPI could take out of it, and
    to look for it would cost time on every request.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The function as it is."""
        return self.endpoint


# --- the public port -----------------------------------------------------------------------------


def create_app(
    snapshot: Snapshot,
    explain: Callable[[list[Any]], Any] | None = None,
    lookup: Callable[[list[Any]], Any] | None = None,
    limits: Limits = Limits(),
) -> FastAPI:
    """The service of one snapshot; ``app.state.service`` shares it with `create_admin_app`.

    Parameters
    ----------
    snapshot : Snapshot
    explain, lookup : functions of a list of rows, optional
        They take the place of those of the snapshot; see there. Without ``explain`` there is no
        route for it.
    limits : Limits

    Raises
    ------
    SwapError
        When the snapshot does not answer an example.
    TypeError
        For anything but a snapshot.
    """
    if not isinstance(snapshot, Snapshot):
        raise TypeError(f"give a Snapshot, such as Snapshot.of(artifact), not {type(snapshot)}")
    snapshot = replace(
        snapshot, explain=explain or snapshot.explain, lookup=lookup or snapshot.lookup
    )
    service = Service(snapshot, limits)
    app = FastAPI(
        title="Stateless serving function",
        version=snapshot.version[:12],
        docs_url=None,  # the page of FastAPI loads its code from another host
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    # Hot routes first: each route that is tried before costs a little. Another protocol, or a page
    # for people, is one more router that is made from the service.
    app.include_router(_predictions(service))
    app.include_router(open_inference(service))
    app.include_router(_about(service))
    app.include_router(page())
    app.add_api_route("/docs", lambda: _documents(app), include_in_schema=False)
    # The last to be added is the first to see a request.
    app.add_middleware(InFlightLimit, limit=limits.max_in_flight, paths=WORK)
    app.add_middleware(BodyLimit, max_bytes=limits.max_bytes, seconds=limits.body_seconds)
    app.add_middleware(CatchErrors)
    app.add_middleware(Measured, metrics=service.metrics, routes=COUNTED)
    app.add_exception_handler(BodyError, lambda _, error: failed(400, str(error)))
    app.add_exception_handler(RequestError, lambda _, error: _refused(service, error))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def failed(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error, as JSON: ``{"error": why}``."""
    return Response(json_text({"error": why}), status, headers, JSON)


def content_type(request: Request, *accepted: str) -> str:
    """The content type of a request without its parameters.

    Raises
    ------
    HTTPException
        415, when it is none of those that are accepted, or when the body is compressed.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in accepted:
        raise HTTPException(415, f"the content type must be {' or '.join(accepted)}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "the body must not be compressed")
    return found


def _predictions(service: Service) -> APIRouter:
    router = APIRouter(route_class=Direct)
    schema, limits = service.serving.snapshot.schema, service.limits

    def work(kind: str, body: bytes) -> Response:
        rows = arrow_table(body, limits.max_rows) if kind == ARROW else json_rows(body)
        answer, ages = service.answer(rows)
        if kind == ARROW:
            return Response(arrow_answer(answer, ages), media_type=ARROW)
        content = {"predictions": answer.predictions.tolist(), **_versions(answer)}
        return Response(
            json_text(content if ages is None else {**content, "age_seconds": ages}),
            media_type=JSON,
        )

    def work_and_explain(body: bytes) -> Response:
        rows = json_rows(body)
        if not isinstance(rows, list):
            raise RequestError([Problem('must be an object with the one key "rows"')])
        service.check_number(rows, limits.max_explained)
        snapshot = service.serving.snapshot  # prediction and explanation are of one model
        predictions = predict(snapshot, rows)
        assert snapshot.explain is not None
        content = {
            "predictions": predictions.tolist(),
            "explanations": list(snapshot.explain(rows)),
            "model_version": snapshot.version,
            "schema_version": snapshot.schema_version,
        }
        return Response(json_text(content), media_type=JSON)

    predictions = {"predictions": documents.listed({"type": "number"})}
    ages = {"age_seconds": documents.listed(documents.NUMBER_OR_NULL)}
    found = documents.strict({**predictions, **documents.VERSIONS})
    stored = documents.strict({**predictions, **documents.VERSIONS, **ages})
    has_store = service.serving.snapshot.lookup is not None
    answered = documents.response("Predictions, in order.", stored if has_store else found)
    answered["content"][ARROW] = {"schema": {"type": "string", "format": "binary"}}
    refusals = documents.errors(400, 408, 413, 415, 422, 500, 503)
    body = documents.request_body(schema, limits.max_rows, columns=True, binary=ARROW)

    @router.post(
        "/v1/predict",
        responses={200: answered, **refusals},
        openapi_extra={"requestBody": body},
        response_class=Response,
    )
    async def prediction(request: Request) -> Response:
        """Predictions of rows, of columns, or of a table in Arrow's stream format."""
        kind = content_type(request, JSON, ARROW)
        content = await request.body()
        answer: Response = await service.run(len(content), work, kind, content)
        return answer

    if service.serving.snapshot.explain is None:
        return router
    explained = documents.strict(
        {**predictions, "explanations": documents.listed({}), **documents.VERSIONS}
    )
    body = documents.request_body(schema, limits.max_explained, columns=False)

    @router.post(
        "/v1/explain",
        responses={200: documents.response("Explanations, in order.", explained), **refusals},
        openapi_extra={"requestBody": body},
        response_class=Response,
    )
    async def explanation(request: Request) -> Response:
        """Predictions of rows, each with its explanation."""
        content_type(request, JSON)
        content = await request.body()
        large = limits.inline_bytes + 1  # an explanation asks the model many times
        answer: Response = await service.run(large, work_and_explain, content)
        return answer

    return router


def _about(service: Service) -> APIRouter:
    """What the service says of itself."""
    router = APIRouter()
    any_object = {"type": "object"}

    def get(path: str, about: str, *statuses: int) -> Callable[[Handler], Handler]:
        responses = {200: documents.response(about, any_object), **documents.errors(*statuses)}
        return router.get(path, responses=responses, response_class=Response, description=about)

    @get("/health/live", "The process answers.")
    async def live() -> Response:
        return Response(json_text({"status": "live"}), media_type=JSON)

    @get("/health/ready", "The service takes requests; 503 while it drains.", 503)
    async def ready() -> Response:
        if not service.ready:
            return failed(503, "the service is draining")
        return Response(json_text({"status": "ready"}), media_type=JSON)

    @get("/model", "Which model answers, where it comes from, and what it takes.")
    async def model() -> Response:
        return Response(json_text(_described(service.serving.snapshot)), media_type=JSON)

    @get("/drift", "How the last rows differ from those of training.", 404)
    async def drift() -> Response:
        snapshot = service.serving.snapshot
        if snapshot.drift is None:
            return failed(404, "this model has no statistics of its training rows")
        rows = list(service.window)
        columns = dict(zip(snapshot.schema, map(list, zip(*rows, strict=True)), strict=False))
        found = await to_thread.run_sync(snapshot.drift, columns) if rows else []
        content = {"n_rows": len(rows), "columns": found, **_versions(snapshot)}
        return Response(json_text(content), media_type=JSON)

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
    )
    async def metrics() -> Response:
        """Counts and times, for Prometheus."""
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return router


def _versions(found: Answer | Snapshot) -> dict[str, str]:
    version = found.version if isinstance(found, Snapshot) else found.model_version
    return {"model_version": version, "schema_version": found.schema_version}


def _described(snapshot: Snapshot) -> dict[str, Any]:
    offers = [name for name in ("explain", "lookup", "drift") if getattr(snapshot, name)]
    return {
        **_versions(snapshot),
        "schema": dict(snapshot.schema),
        "offers": offers,
        "example": dict(snapshot.example),
        "provenance": dict(snapshot.provenance),
    }


def _documents(app: FastAPI) -> HTMLResponse:
    snapshot = app.state.service.serving.snapshot
    page = documents.documents_page(app.openapi(), snapshot.schema, dict(snapshot.example))
    return HTMLResponse(page)


def _refused(service: Service, error: Any) -> Response:
    content = {
        "error": "rows do not fit the schema",
        "problems": [asdict(problem) for problem in error.problems],
        "n_problems": error.total,
        **_versions(service.serving.snapshot),
    }
    return Response(json_text(content), 422, media_type=JSON)


async def _http_error(request: Request, error: Any) -> Response:
    return failed(error.status_code, str(error.detail), error.headers)


async def _invalid(request: Request, error: Any) -> Response:
    """What FastAPI itself refuses, without the echo of the body that is its default."""
    where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:20])
    return failed(422, ascii(where)[1:-1])


# --- another port --------------------------------------------------------------------------------


class Swap(BaseModel):
    """Which artifact shall answer from now on."""

    model_config = ConfigDict(strict=True, extra="forbid")

    artifact: str


def create_admin_app(app: FastAPI, load: Callable[[str], Snapshot]) -> FastAPI:
    """The application that swaps the model of another one. Keep its port off the network.

    Parameters
    ----------
    app : FastAPI
        Of `create_app`, in the same process.
    load : function of a path
        Reads a snapshot. A ValueError or an OSError is answered with 400.
    """
    service: Service = app.state.service
    admin = FastAPI(title="Administration", docs_url=None, redoc_url=None)
    admin.add_middleware(CatchErrors)
    admin.add_exception_handler(RequestValidationError, _invalid)
    admin.add_exception_handler(HTTPException, _http_error)

    @admin.post("/swap")
    async def swap(wanted: Swap) -> Response:
        """Let another artifact answer; the requests that have begun keep the old one."""
        try:
            snapshot = await to_thread.run_sync(load, wanted.artifact)
        except (ValueError, OSError) as error:
            return failed(400, str(error))
        try:
            await to_thread.run_sync(service.serving.swap, snapshot)
        except SwapError as error:
            return failed(409, str(error))
        return Response(json_text(_versions(snapshot)), media_type=JSON)

    @admin.post("/drain")
    async def drain() -> Response:
        """Say "not ready" from now on, so that a load balancer sends requests elsewhere."""
        service.ready = False
        return Response(json_text({"status": "draining"}), media_type=JSON)

    @admin.get("/model")
    async def model() -> Response:
        """Which model answers."""
        return Response(json_text(_described(service.serving.snapshot)), media_type=JSON)

    return admin
