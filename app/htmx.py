"""The only place that knows the headers HTMX sends and reads."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response


def wanted_block(request: Request) -> str | None:
    """The id of the element that HTMX will swap, which names the block to render; None asks for a whole page.

    HTMX 4 sends the target as ``tag#id``; a restore from history wants the page.
    """
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-History-Restore-Request") == "true":
        return None
    _, _, element_id = headers.get("HX-Target", "").partition("#")
    return element_id or None


def vary(response: Response) -> None:
    """One address answers with a page or a part of it, so caches must tell the two apart."""
    response.headers["Vary"] = "HX-Request, HX-Target"
