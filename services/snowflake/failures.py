"""The border where the drivers' errors become ours. It names the drivers' types without importing them."""

import itertools
import re
from typing import Any

from services.core.errors import SnowflakeFailed, SpokehubError, Unavailable

# errorcode.py of the connector: could not connect, closed, could not request, timeout, retryable answer.
_CONNECTION_ERRNOS = frozenset({250001, 250002, 250003, 250005, 251011, 251012})
# The session is unknown or has expired: another connection will do.
# https://docs.snowflake.com/en/developer-guide/sql-api/reference
_SESSION_ERRNOS = frozenset({390104, 390111, 390112, 390114})
_NO_WAREHOUSE = 606
_CONNECTION_TYPES = frozenset(
    {
        "ServiceUnavailableError",
        "GatewayTimeoutError",
        "BadGatewayError",
        "RequestTimeoutError",
        "OtherHTTPRetryableError",
        "RequestExceedMaxRetryError",
        "ConnectionError",
        "ConnectTimeout",
        "ReadTimeout",
        "ProtocolError",
        "NewConnectionError",
        "MaxRetryError",
    }
)
_INTERPRETER = "Python Interpreter Error:"
_TRACEBACK = "Traceback "
_KIND = re.compile(r"SQL (?:compilation|execution|access control) error:\Z")
# What Snowpark and the connector write before it: their number, the query's id, the account's number and SQLSTATE.
_CLIENTS = re.compile(r"(?:\(\d{4}\): )?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}: (?:\d{6} \(\w{5}\): )?")
_HANDLER = re.compile(r"\s+in function \S+ with handler \S+\s*\Z")
_DRIVERS = ("snowflake.", "requests.", "urllib3.")


def cause(message: str, longest: int = 500) -> str:
    """What happened, in one line, of the account's whole message: without the traceback of a handler's error, and
    without what a client writes before the account's words.

    A traceback ends with its cause; the embedded account repeats the cause above it.
    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-troubleshooting
    """
    lines = [line.rstrip() for line in _HANDLER.sub("", message).splitlines() if line.strip()]
    if lines[:1] == [_INTERPRETER] and len(lines) > 1:
        lines = lines[1:]
        if not lines[0].startswith(_TRACEBACK):
            ends = (at for at, line in enumerate(lines) if at and line.startswith((_TRACEBACK, "  File ")))
            lines = lines[: next(ends, len(lines))]
    text = [line.strip() for line in lines]
    found = text[-1] if text else ""
    # Such a line says of the next one what kind of error it is; what follows that is a client's advice.
    for line, after in reversed(list(itertools.pairwise(text))):
        if kind := _KIND.search(line):
            found = f"{line[: kind.start()]}{after}"
            break
    found = _CLIENTS.sub("", found)
    return found if len(found) <= longest else found[:longest] + "…"


def lacks_warehouse(error: BaseException) -> bool:
    """Whether the session has no warehouse. One that began before its warehouse was made stays without it."""
    if isinstance(error, SnowflakeFailed):
        return isinstance(error.detail, dict) and error.detail.get("errno") == _NO_WAREHOUSE
    return _of_driver(error) and _errno(error) == _NO_WAREHOUSE


def is_connection_failure(error: BaseException) -> bool:
    """Whether the account could not be reached or hung up: only then is doing it again of any use."""
    if isinstance(error, SpokehubError):
        return error.retryable
    if isinstance(error, ConnectionError):
        return True
    if not _of_driver(error):
        return False
    if type(error).__name__ in _CONNECTION_TYPES:
        return True
    errno = _errno(error)
    if errno == 250001:
        # The same number stands for a refused login, which no repetition mends.
        return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    return errno in _CONNECTION_ERRNOS or errno in _SESSION_ERRNOS


def translate(error: BaseException) -> SpokehubError | None:
    """The driver's error as one of ours; None when it is not a driver's."""
    if is_connection_failure(error):
        return Unavailable(
            f"The account does not answer: {_message(error)}",
            hint="See /readyz, and the log of the account when it is the embedded one.",
            code="account_unavailable",
        )
    if not _of_driver(error) or not (hasattr(error, "sfqid") or hasattr(error, "error_code")):
        return None
    detail = {
        "errno": _errno(error),
        "sqlstate": getattr(error, "sqlstate", None),
        "query_id": getattr(error, "sfqid", None),
    }
    message = _message(error)
    hint = None
    if "specified in the connect string" in message:
        hint = "The role is given once by an administrator: spokehub bootstrap --print --user NAME shows how."
    return SnowflakeFailed(message, hint=hint, detail=detail)


def _of_driver(error: BaseException) -> bool:
    return any((kind.__module__ + ".").startswith(_DRIVERS) for kind in type(error).__mro__)


def _errno(error: BaseException) -> int | None:
    value: Any = getattr(error, "errno", None) or getattr(error, "sql_error_code", None)
    return value if isinstance(value, int) and value > 0 else None


def _message(error: BaseException) -> str:
    text = getattr(error, "raw_message", None) or getattr(error, "raw_msg", None) or str(error)
    return " ".join(str(text).split()) or type(error).__name__
