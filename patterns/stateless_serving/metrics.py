"""Counts and times of a service, in the form that Prometheus reads.

Several worker processes are one service to whoever reads its counts. With the environment variable
``PROMETHEUS_MULTIPROC_DIR`` they add up in files; without it, each answers with its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """What a service counts of itself. None of it can reach an answer."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "requests", "Requests, by route and status", ["route", "status"], **own
        )
        self.seconds = Histogram(
            "request_seconds", "Time to the answer", ["route"], buckets=BUCKETS, **own
        )
        self.rows = Counter("predicted_rows", "Rows that got a prediction", **own)
        self.in_flight = Gauge(
            "requests_in_flight",
            "Requests that are worked on",
            multiprocess_mode="livesum",
            **own,
        )

    def text(self) -> bytes:
        """All counts, in the format of Prometheus."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


class Measured:
    """Counts the requests of an ASGI application.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    routes : tuple of str
        What the counted routes begin with. All other paths are counted together: a client can
        invent any number of paths, and each would be kept for ever.
    """

    def __init__(self, app: Any, metrics: Metrics, routes: tuple[str, ...]) -> None:
        self.app, self.metrics, self.routes = app, metrics, routes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        route = next((route for route in self.routes if path.startswith(route)), "other")
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        self.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, noted)
        finally:
            self.metrics.in_flight.dec()
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)
