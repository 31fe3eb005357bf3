"""What one client may take from a service: the size and the time of a body, a place in the line.

All are ASGI classes around an application. One function that is decorated as HTTP middleware of
Starlette or FastAPI more than doubles the time of a request that does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def refuse(send: Send, status: int, why: str, **headers: str) -> None:
    """Answer with an error, as JSON."""
    body = json.dumps({"error": why}).encode()
    named = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    lines = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


class BodyLimit:
    """Reads the whole body before the application begins, within a size and a time.

    A body that arrives slowly then holds no place among the requests that are worked on. What
    precedes the body, the lines of the request, is the server's or the proxy's to limit.

    Parameters
    ----------
    app : ASGI application
    max_bytes : int
        A longer body is refused with 413, as soon as its length is known.
    seconds : float
        A body that is not there by then is refused with 408, and its connection is closed.
    """

    def __init__(self, app: App, max_bytes: int, seconds: float) -> None:
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        parts: list[bytes] = []
        size = int(declared) if declared.isdigit() else 0
        try:
            async with asyncio.timeout(self.seconds):
                more = size <= self.max_bytes
                size = 0 if more else size
                while more and size <= self.max_bytes:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    more = message.get("more_body", False)
        except TimeoutError:
            why = f"the body was not there within {self.seconds:g} seconds"
            await refuse(send, 408, why, connection="close")
            return
        if size > self.max_bytes:
            why = f"the body is longer than {self.max_bytes} bytes"
            await refuse(send, 413, why, connection="close")
            return
        body = b"".join(parts)
        given = False

        async def read() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, read, send)


class InFlightLimit:
    """Refuses work with 503 and Retry-After when enough is in flight, and says so at once.

    An unbounded queue makes every request late, so late that the clients have left when their
    answer comes. A bounded one answers what it accepts as fast as an idle service, nearly.

    Parameters
    ----------
    app : ASGI application
    limit : int
        Requests that are worked on or wait for it. The last of them waits as long as all others
        take, so a deadline divided by the time of one request is a start.
    paths : tuple of str
        What the paths of work begin with. Others, such as those of health, are always let through.
    retry_after : int
        Seconds after which a client may try again.
    """

    def __init__(self, app: App, limit: int, paths: tuple[str, ...], retry_after: int = 1) -> None:
        self.app, self.limit, self.paths = app, limit, paths
        self.retry_after = str(retry_after)
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self.paths):
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.limit:
            why = f"{self.limit} requests are in flight; try again later"
            await refuse(send, 503, why, **{"retry-after": self.retry_after})
            return
        self.in_flight += 1
        try:
            # Requests that arrived together are all counted before the first of them computes.
            # Without this, work that never waits would run one by one, and none be refused.
            await asyncio.sleep(0)
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1


class CatchErrors:
    """Answers 500 where the application raises, and logs why.

    The server would close the connection after an exception. A client that had sent its next
    request over it would lose that one too.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            logging.getLogger(__name__).exception("%s %s", scope["method"], scope["path"])
            await refuse(send, 500, "the service failed; its log says why")
