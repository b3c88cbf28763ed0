"""Snowflake's REST API, as far as snowflake.core uses it for tasks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from embedded_account.rest import tasks
from embedded_account.rest.errors import problem


async def _refused(request: Request) -> Response:
    """Whatever else Snowflake's REST API has is refused by name."""
    route = f"{request.method} {request.url.path}"
    return problem(
        f"The embedded account does not answer {route}: of Snowflake's REST API it has the task routes only. "
        "Use SQL, or see docs/embedded_account.md.",
        "000002",
        501,
    )


routes: list[Route] = [
    *tasks.routes,
    Route("/api/v2/{path:path}", _refused, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
]
