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
    """A column of the order; never NULL. ``type``: VARCHAR, DOUBLE, DATE or TIMESTAMP."""

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

    def after(self, cursor: str | None) -> tuple[str, tuple[Any, ...]]:
        """The condition for what follows the cursor, with its values; Invalid 422 for one of another list."""
        if cursor is None:
            return "TRUE", ()
        last = self.last(cursor)
        first = self.columns[0]
        # What holds of every row that follows is said first: so what lies before it is not read.
        bound = f"{first.column} {'<=' if first.descending else '>='} ?"
        either: list[str] = []
        values: list[Any] = [last[0]]
        for place, column in enumerate(self.columns):
            same = [f"{before.column} = ?" for before in self.columns[:place]]
            beyond = f"{column.column} {'<' if column.descending else '>'} ?"
            either.append(f"({' AND '.join([*same, beyond])})")
            values += last[: place + 1]
        return f"({bound} AND ({' OR '.join(either)}))", tuple(values)

    def cursor(self, row: Mapping[str, Any]) -> str:
        """The cursor behind a row."""
        values = [_text(row[column.column]) for column in self.columns]
        return base64.urlsafe_b64encode(json.dumps([self.name, *values]).encode()).decode().rstrip("=")

    def last(self, cursor: str) -> list[Any]:
        """The values of the row that the cursor is behind; Invalid 422 for a cursor of another list."""
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
        return [_value(text, column.type) for text, column in zip(read[1:], self.columns, strict=True)]


def _text(value: str | float | date) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _value(text: str, kind: str) -> str | float | date:
    """What a text of a cursor says; Invalid 422 for what no cursor holds."""
    value: str | float | date
    try:
        if kind == "DOUBLE":
            value = float(text)
            good = text.isascii() and "_" not in text and text == text.strip()
        elif kind == "DATE":
            value = date.fromisoformat(text)
            good = value.isoformat() == text
        elif kind == "TIMESTAMP":
            value = moment = datetime.fromisoformat(text)
            good = moment.tzinfo is None and moment.isoformat() == text
        else:
            value = text
            text.encode()
            good = "\x00" not in text
        if not good:
            raise ValueError
    except ValueError:
        raise Invalid("The cursor is not of this list", code="bad_cursor") from None
    return value
