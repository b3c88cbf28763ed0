"""A route of the REST API: a function of the session, the request and its JSON body."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_account.errors import SnowflakeError, invalid_value
from embedded_account.rest.errors import answer, problem
from embedded_account.rest.session import session_for
from embedded_account.session import Session

Handler = Callable[[Session, Request, Any], Any]
# Stands for a slash within a name while the address is parted: NUL is in no name.
_SLASH = "\x00"


class Segments:
    """Before routing: the path as it was sent, in parts, so that ``"a%2Fb"`` is one name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") if scope["type"] == "http" else None
        if raw is not None and raw.startswith(b"/api/v2/") and b"%2f" in raw.lower():
            parts = raw.partition(b"?")[0].decode("ascii", "replace").split("/")
            scope["path"] = "/".join(unquote(part).replace("/", _SLASH) for part in parts)
        await self.app(scope, receive, send)


def route(path: str, method: str, handler: Handler) -> Route:
    """A route whose handler may block, and may raise SnowflakeError."""

    async def endpoint(request: Request) -> Response:
        request.scope["path_params"] = {
            name: value.replace(_SLASH, "/") for name, value in request.path_params.items()
        }
        body = await request.body()
        try:
            if request.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            parsed = json.loads(body) if body else None
        except (ValueError, OSError, EOFError) as error:
            return problem(f"The request's body is not valid JSON: {error}", "390101", 400)
        return await run_in_threadpool(_answer, handler, request, parsed)

    return Route(path, endpoint, methods=[method])


def _answer(handler: Handler, request: Request, body: Any) -> Response:
    try:
        with session_for(request) as session:
            return JSONResponse(handler(session, request, body))
    except SnowflakeError as error:
        return answer(error)


def as_object(body: Any) -> dict[str, Any]:
    """A JSON object; SnowflakeError for anything else."""
    if not isinstance(body, dict):
        raise invalid_value("The request's body is not a JSON object.")
    return body
