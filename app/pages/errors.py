"""Errors as pages: the same code, message and hint that the REST API answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse

from app import htmx
from app.pages import frame as frames
from app.pages.ages import unread
from app.pages.render import common, templates
from services.knowledge.types import NotYetKnown

TITLES = {
    400: "The request could not be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not now",
    422: "That is not valid",
    500: "Something went wrong",
    502: "The account refused",
    503: "Not available",
}

# Where a person does what the hint says of the REST API.
WAYS = {"no_pending_day": ("/simulation", "Open the simulation")}


def wants_html(request: Request) -> bool:
    """Whether a person's browser asks: never below /api, and only when it accepts HTML."""
    if request.url.path.startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "") or htmx.wanted_block(request) is not None


def error_page(
    request: Request,
    status: int,
    code: str,
    message: str,
    hint: str | None = None,
    title: str | None = None,
    missing: Sequence[Mapping[str, str]] = (),
) -> HTMLResponse:
    """The error as a page, with the rights that are ``missing``. It asks the services for nothing: they may be
    what failed.
    """
    if code == NotYetKnown.code:
        return _unread(request, status)
    html = (
        templates()
        .get_template("pages/error.html")
        .render(
            **common(request),
            frame=frames.bare(request),
            status=status,
            code=code,
            title=title or TITLES.get(status, "Error"),
            message=message,
            hint=hint,
            missing=missing,
            back=_back(request),
            way=WAYS.get(code),
        )
    )
    response = HTMLResponse(html, status)
    response.headers["Cache-Control"] = "no-store"
    htmx.vary(response)
    return response


def _unread(request: Request, status: int) -> HTMLResponse:
    """What is shown while nothing is known: it says when it will be, and opens by itself then."""
    context = {**common(request), "frame": frames.build(request), "unread": unread(request)}
    response = HTMLResponse(templates().get_template("pages/unread.html").render(context), status)
    response.headers["Cache-Control"] = "no-store"
    htmx.vary(response)
    return response


def _back(request: Request) -> str:
    """The page a form was sent from, when it is one of ours."""
    referer = request.headers.get("referer", "")
    origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if request.method != "GET" and referer.startswith(origin + "/"):
        return referer[len(origin) :]
    return "/"
