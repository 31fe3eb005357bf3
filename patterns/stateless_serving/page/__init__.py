"""The page for people: a form of the schema, the answer, the request to copy, and the drift.

Three static files and no build step. The browser may ask this service only: a policy in the answer
says so, and so no value that a person types can leave for another host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def page() -> APIRouter:
    """Routes of the page and of what it loads."""
    router = APIRouter()
    for path, (name, kind) in FILES.items():
        content = files(__name__).joinpath(name).read_bytes()
        response = Response(content, headers={**HEADERS, "content-type": kind})
        router.add_route(path, _giving(response), include_in_schema=False)
    return router


def _giving(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def give(request: Request) -> Response:
        return response

    return give
