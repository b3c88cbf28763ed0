"""A small application around the pages, with the error handling and the headers that the real one has."""

from __future__ import annotations

import copy
import warnings
from functools import cache
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import State
from starlette.exceptions import HTTPException

from app.addresses import Names
from app.pages import routers
from app.pages.errors import error_page
from app.pages.render import STATIC
from services.core.errors import SpokehubError
from services.knowledge.types import Look

with warnings.catch_warnings():
    # It would rather have another HTTP client, which nothing else here needs.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

__all__ = ["TestClient", "application"]

POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


def application(services: Any, role: str = "administrator") -> FastAPI:
    """The pages over these services, for somebody with this role."""
    # Only what it looks at is its own: routes are slow to make, and the tests want hundreds.
    app = copy.copy(_pages())
    app.state = State({"domains": services, "role": role})
    return app


@cache
def _pages() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_middleware(Names)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in routers:
        app.include_router(router)

    @app.middleware("http")
    async def headers(request: Request, call_next: Any) -> Response:
        role, services = request.app.state.role, request.app.state.domains
        request.state.user = SimpleNamespace(name=role, role=role)
        request.state.actor = role
        request.state.look = (
            Look(services.seen, parts={"hub", "spoke:pudo:DEV"}) if hasattr(services, "seen") else Look()
        )
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.exception_handler(SpokehubError)
    def refused(request: Request, error: SpokehubError) -> Response:
        missing = getattr(error, "missing", ())
        return error_page(request, error.status, error.code, error.message, error.hint, missing=missing)

    @app.exception_handler(HTTPException)
    def missing(request: Request, error: HTTPException) -> Response:
        return error_page(request, error.status_code, "not_found", f"There is no page {request.url.path}.")

    app.middleware_stack = app.build_middleware_stack()
    return app
