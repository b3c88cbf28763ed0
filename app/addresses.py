"""Addresses with names in them: any name that Snowflake allows, there and back.

A name may hold a slash, a percent sign or only dots, quoted identifiers being letters of any kind:
https://docs.snowflake.com/en/sql-reference/identifiers-syntax. Percent-encoding alone does not bring these
through: servers decode ``%2F`` before they look for the route, proxies refuse or decode it, browsers resolve
``%2E%2E``. So ``path`` writes such letters as ``=2F``, which nothing on the way touches, and all others
percent-encoded. Both are understood: ``Names`` reads the address as it was sent.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.core.texts import storable

# The longest name of an object.
MAX_NAME = 255

_TOUCHED = re.compile(r"[/\\=%;\x00-\x1f\x7f]|\A\.+\Z")
# What would end a part of a decoded path, or be read as something else when it is sent to the client again.
_APART = re.compile(r"[/\\=%?#\x00-\x1f]")
_ESCAPED = re.compile(r"=([0-9A-Fa-f]{2})")


def segment(name: str) -> str:
    """``name`` as one part of an address."""
    return quote(_TOUCHED.sub(_escape, name), safe="=")


def path(template: str, /, *parts: str, **query: str | int | tuple[str, ...] | None) -> str:
    """A local address: each ``{}`` of the template filled with a name.

    None is left out of the query; of a tuple each value stands for itself.
    """
    address = template.format(*(segment(str(part)) for part in parts))
    asked = [
        f"{key}={quote(str(one), safe='')}"
        for key, value in query.items()
        if value is not None
        for one in (value if isinstance(value, tuple) else (value,))
    ]
    return f"{address}?{'&'.join(asked)}" if asked else address


def here(connection: HTTPConnection) -> str:
    """The path of this request as it was sent, without its query."""
    raw = connection.scope.get("raw_path")
    return quote(connection.scope["path"]) if raw is None else raw.decode("ascii", "replace")


class Names:
    """Before routing: a decoded path in which no letter of a name parts it. ``Name`` is the way back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") if scope["type"] == "http" else None
        if raw is not None and (b"=" in raw or b"%" in raw):
            parts = raw.decode("ascii", "replace").split("/")
            scope["path"] = "/".join(_APART.sub(_escape, _read(part)) for part in parts)
        await self.app(scope, receive, send)


def _read(part: str) -> str:
    return unquote(_ESCAPED.sub(r"%\1", part))


def _escape(found: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in found.group().encode())


def _restore(value: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)


Name = Annotated[str, Path(max_length=MAX_NAME), BeforeValidator(_restore), AfterValidator(storable)]
"""A name in the path of a route, letter for letter as it is in the account."""
