"""Rows as JSON text and back, each value of the type that it had.

What JSON has no word for is an object with one member that names its type. Text is ASCII, so that every database
keeps it, NUL included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.core.errors import SpokehubError
from services.knowledge.types import Refusal
from services.snowflake.answers import Rows


class NotEncodable(SpokehubError):
    """A value of a type that no answer of the account's has."""

    code = "not_encodable"


_DECODE: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "duration": lambda parts: timedelta(*parts),
    "decimal": Decimal,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "float": float,
    "map": lambda pairs: dict(pairs),
}


def encode(content: Rows | Refusal) -> str:
    """``content`` as text; NotEncodable for a value of an unknown type."""
    if isinstance(content, Refusal):
        told: Any = {"refused": [content.message, content.hint, content.detail]}
    else:
        columns = list(content[0]) if content else []
        told = {"columns": columns, "rows": [[_plain(value) for value in row.values()] for row in content]}
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> Rows | Refusal:
    """What ``encode`` was given. Times have the offset that they had, as a fixed one."""
    told = json.loads(text, object_hook=_typed)
    if "refused" in told:
        return Refusal(*told["refused"])
    columns = told["columns"]
    return [dict(zip(columns, row, strict=True)) for row in told["rows"]]


def _plain(value: Any) -> Any:
    # bool is an int, and datetime a date: the kind is looked at, not the family.
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind in (datetime, date, time):
        return {kind.__name__: value.isoformat()}
    if kind is timedelta:
        return {"duration": [value.days, value.seconds, value.microseconds]}
    if kind is Decimal:
        return {"decimal": str(value)}
    if kind in (bytes, bytearray):
        return {kind.__name__: value.hex()}
    if kind in (list, tuple):
        return [_plain(one) for one in value]
    if kind is dict:
        return {"map": [[_plain(name), _plain(one)] for name, one in value.items()]}
    raise NotEncodable(f"An answer has a value of the type {kind.__name__}, which cannot be kept")


def _typed(told: dict[str, Any]) -> Any:
    if len(told) == 1:
        ((kind, value),) = told.items()
        if kind in _DECODE:
            return _DECODE[kind](value)
    return told
