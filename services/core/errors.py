"""The one family of errors that services raise; the web turns each into a problem document."""

from typing import Any


class SpokehubError(Exception):
    """An error a person can act on.

    ``code`` is the stable word for programs, ``status`` the HTTP status it maps to, ``message`` says what
    is wrong and ``hint`` what to do next. ``detail`` holds further facts, JSON-able.
    """

    code = "internal_error"
    status = 500
    title = "Internal error"
    # Whether doing the same again, unchanged, may succeed: only true of lost or refused connections.
    retryable = False

    def __init__(
        self, message: str, *, hint: str | None = None, code: str | None = None, detail: Any = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        if code is not None:
            self.code = code


class Invalid(SpokehubError):
    """What was sent cannot be understood or breaks a rule of its own."""

    code, status, title = "invalid", 422, "Invalid input"


class Unauthenticated(SpokehubError):
    """Nobody is signed in, or the token is not known."""

    code, status, title = "unauthenticated", 401, "Not signed in"


class Forbidden(SpokehubError):
    """The one who asks may not do this."""

    code, status, title = "forbidden", 403, "Not allowed"


class NotFound(SpokehubError):
    """The thing named does not exist."""

    code, status, title = "not_found", 404, "Not found"


class Conflict(SpokehubError):
    """The request is well formed but the present state does not allow it."""

    code, status, title = "conflict", 409, "Conflict with the present state"


class Unavailable(SpokehubError):
    """Something this service depends on does not answer."""

    code, status, title = "unavailable", 503, "Unavailable"
    retryable = True


class SnowflakeFailed(SpokehubError):
    """The account refused a statement. ``detail`` has errno, sqlstate and query_id."""

    code, status, title = "snowflake_error", 502, "The account refused a statement"
