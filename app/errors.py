"""Errors as answers: problem documents (RFC 9457) for programs, pages for browsers. The one place of both."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException

from app import methods
from app.addresses import here
from services.core.errors import SpokehubError
from services.core.logging import logger
from services.core.texts import refusal
from services.knowledge.types import NotYetKnown
from services.snowflake.preflight import RightsMissing

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("too_large", "The request is too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
}
# When to ask again what something else had to answer.
_RETRY_SECONDS = "5"

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as it is told. ``extra`` are further members of the document."""

    status: int
    code: str
    title: str
    detail: str
    hint: str | None = None
    extra: dict[str, Any] | None = None

    def document(self, instance: str) -> dict[str, Any]:
        """The members of RFC 9457, with ``code`` and ``hint``."""
        return {
            "type": f"urn:spokehub:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "hint": self.hint,
            "instance": instance,
            **(self.extra or {}),
        }


def of_service(error: SpokehubError) -> Problem:
    """What a service raised."""
    extra = {} if error.detail is None else {"facts": to_jsonable_python(error.detail, fallback=str)}
    if isinstance(error, RightsMissing):
        extra["missing"] = error.missing
    return Problem(error.status, error.code, error.title, error.message, error.hint, extra)


def of_validation(error: RequestValidationError) -> Problem:
    """What the schemas refused: 400 for a body that is not JSON, 422 for all else."""
    faults = error.errors()
    broken = next((fault for fault in faults if fault["type"] == "json_invalid"), None)
    if broken is not None:
        reason = broken.get("ctx", {}).get("error", "unexpected end")
        return Problem(
            400, "not_json", "The body is not JSON", f"The body is not JSON: {reason}", "Send a JSON object."
        )
    told = [{"field": _field(fault["loc"]), "message": refusal(fault)} for fault in faults]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in told)
    return Problem(422, "invalid", "Invalid input", detail, "Correct the named fields.", {"errors": told})


def of_http(error: HTTPException) -> Problem:
    """What the framework refused by itself."""
    code, title = _TITLES.get(error.status_code, ("http_error", "The request was refused"))
    hint = "The addresses are listed at /docs." if error.status_code in (404, 405) else None
    return Problem(error.status_code, code, title, str(error.detail), hint)


def unforeseen() -> Problem:
    """A fault of the service: nothing of it goes out."""
    return Problem(
        500,
        "internal_error",
        "Internal error",
        "The service met an error it did not foresee",
        "The log of the service has the whole story.",
    )


def answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem as a document, or as a page when a browser asks for one."""
    if problem.status == 503:
        headers = {"Retry-After": _RETRY_SECONDS, **(headers or {})}
    page = _page(request, problem)
    if page is not None:
        page.headers.update(headers or {})
        return page
    return JSONResponse(problem.document(here(request)), problem.status, headers, media_type=MEDIA_TYPE)


def _page(request: Request, problem: Problem) -> Response | None:
    from app.pages.errors import error_page, wants_html

    if not wants_html(request):
        return None
    try:
        missing = (problem.extra or {}).get("missing", ())
        return error_page(
            request, problem.status, problem.code, problem.detail, problem.hint, problem.title, missing
        )
    except Exception:
        # The page may be what is broken; the document still says what happened.
        log.exception("error_page.broke", path=here(request))
        return None


def install(app: FastAPI) -> None:
    """Let the application answer every error this way."""

    def service(request: Request, error: Exception) -> Response:
        assert isinstance(error, SpokehubError)
        if error.status >= 500 and not isinstance(error, NotYetKnown):
            log.warning("request.failed", path=here(request), code=error.code, message=error.message)
        return answer(request, of_service(error))

    def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, of_validation(error))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = methods.allowed(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        return answer(request, of_http(error), headers)

    def not_json(request: Request, error: Exception) -> Response:
        return answer(request, Problem(400, "not_json", "The body is not JSON", str(error)))

    app.add_exception_handler(SpokehubError, service)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(json.JSONDecodeError, not_json)


def _field(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    return ".".join(
        parts[1:] if len(parts) > 1 and parts[0] in ("body", "query", "path", "header") else parts
    )
