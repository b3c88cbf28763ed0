"""Snowflake's REST API: tasks as snowflake.core speaks of them, and what ``snow object create`` makes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from embedded_account.rest import monitoring, objects, tasks
from embedded_account.rest.errors import problem
from embedded_account.rest.routing import Segments


async def _refused(request: Request) -> Response:
    """Whatever else Snowflake's REST API has is refused by name."""
    route = f"{request.method} {request.url.path}"
    # ``snow object create`` asks so whether a kind of object can be made at all.
    probed = request.method == "GET" and request.url.path.endswith("/")
    return problem(
        f"The embedded account does not answer {route}: of Snowflake's REST API it has tasks, and databases, "
        "schemas, warehouses, roles and tables in part. Use SQL, or see docs/embedded_account.md.",
        "000002",
        404 if probed else 501,
    )


routes: list[Route] = [
    *tasks.routes,
    *objects.routes,
    *monitoring.routes,
    Route("/api/v2/{path:path}", _refused, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
]

__all__ = ["Segments", "routes"]
