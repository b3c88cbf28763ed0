"""Which methods an address has: what 405 and OPTIONS say."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.routing import Match

_ASKED = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed(request: Request) -> str:
    """The value of ``Allow`` for this address. HEAD is answered wherever GET is.

    https://www.rfc-editor.org/rfc/rfc9110#name-allow
    """
    app: FastAPI = request.app
    if request.scope.get("root_path", "") != request.scope.get("app_root_path", ""):
        # Below a mount are files.
        found = ["GET"]
    else:
        found = [method for method in _ASKED if _answers(app, request, method)]
    return ", ".join([*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"])


def _answers(app: FastAPI, request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
