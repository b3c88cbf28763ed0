"""Pages of rows in an order: each begins after the last row of the one before, so none is skipped or shown twice.

A cursor holds that row's values in the columns of the order; it is text that only this module reads.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class By:
    """A column of the order; never NULL. ``type`` is what a bound text is cast to."""

    column: str
    type: str = "VARCHAR"
    descending: bool = False

    @property
    def direction(self) -> str:
        return f"{self.column} {'DESC' if self.descending else 'ASC'}"


@dataclass(frozen=True)
class Order:
    """Columns that together tell any two rows apart. ``name`` keeps cursors of other orders out."""

    name: str
    columns: Sequence[By]

    @property
    def by(self) -> str:
        return ", ".join(column.direction for column in self.columns)

    def after(self, cursor: str | None) -> tuple[str, tuple[str, ...]]:
        """The condition for what follows the cursor, with its values; Invalid 422 for one of another list."""
        if cursor is None:
            return "TRUE", ()
        last = self._read(cursor)
        either: list[str] = []
        values: list[str] = []
        for place, column in enumerate(self.columns):
            same = [f"{before.column} = %s::{before.type}" for before in self.columns[:place]]
            beyond = f"{column.column} {'<' if column.descending else '>'} %s::{column.type}"
            either.append(f"({' AND '.join([*same, beyond])})")
            values += last[: place + 1]
        return f"({' OR '.join(either)})", tuple(values)

    def cursor(self, row: Mapping[str, Any]) -> str:
        """The cursor behind a row."""
        values = [_text(row[column.column]) for column in self.columns]
        return base64.urlsafe_b64encode(json.dumps([self.name, *values]).encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> list[str]:
        try:
            read = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, binascii.Error):
            read = None
        good = isinstance(read, list) and all(isinstance(value, str) for value in read)
        if not good or len(read) != len(self.columns) + 1 or read[0] != self.name:
            raise Invalid(
                "The cursor is not of this list",
                hint="Take next_cursor of the page before, with the same sort.",
                code="bad_cursor",
            )
        values: list[str] = read[1:]
        for value, column in zip(values, self.columns, strict=True):
            _check(value, column.type)
        return values


def _text(value: str | float | date) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _check(value: str, kind: str) -> None:
    """Invalid 422 for what the account could not cast."""
    try:
        if kind == "FLOAT":
            float(value)
            good = value.isascii() and "_" not in value and value == value.strip()
        elif kind == "DATE":
            good = date.fromisoformat(value).isoformat() == value
        elif kind == "TIMESTAMP_NTZ":
            moment = datetime.fromisoformat(value)
            good = moment.tzinfo is None and moment.isoformat() == value
        else:
            value.encode()
            good = "\x00" not in value
        if not good:
            raise ValueError
    except ValueError:
        raise Invalid("The cursor is not of this list", code="bad_cursor") from None
