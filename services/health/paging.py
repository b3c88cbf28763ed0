"""Pages of runs in an order: each begins behind the last row of the one before, whatever came in between.

A cursor holds that row's place; it is text that only this module reads.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.errors import Invalid
from services.health.types import GraphRunRow, TaskRunRow
from services.history.store import naive

NEWEST = "-started"
# Characters that decide the order of long texts.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Column:
    """What a list can be ordered by: an expression that is never NULL, and the attribute that it is made of."""

    expression: str
    attribute: str
    number: bool = False


SORTS: Mapping[str, Column] = {
    "started": Column("scheduled_at", "scheduled_at"),
    "state": Column("state", "state"),
    "spoke": Column("coalesce(spoke, '')", "spoke"),
    "environment": Column("coalesce(environment, '')", "environment"),
    "graph": Column("graph", "graph"),
    "duration": Column("coalesce(run_seconds, -1)", "run_seconds", number=True),
    "queue": Column("coalesce(queue_seconds, -1)", "queue_seconds", number=True),
    "trigger": Column("coalesce(scheduled_from, '')", "scheduled_from"),
    "attempt": Column("attempt", "attempt", number=True),
    "error": Column(f"left(coalesce(first_error_message, ''), {LONGEST})", "first_error_message"),
    "failed": Column("tasks_failed", "tasks_failed", number=True),
}


@dataclass(frozen=True, slots=True)
class Order:
    """``name`` is one of ``SORTS``, after a minus for the greatest first. Rows alike: newest first, then by ``key``,
    which with the attempt tells any two rows apart.
    """

    name: str
    key: str = "run_id"

    @classmethod
    def of(cls, name: str) -> Order:
        """Invalid 422 for a name that is none."""
        if name.removeprefix("-") not in SORTS:
            raise Invalid(
                f"Runs are not sorted by {name!r}",
                hint=f"Use one of {', '.join(SORTS)}, after a minus for the greatest first.",
                code="bad_sort",
            )
        return cls(name)

    @property
    def column(self) -> Column:
        return SORTS[self.name.removeprefix("-")]

    @property
    def _columns(self) -> list[tuple[str, bool]]:
        """(expression, greatest first), the first decides."""
        down = self.name.startswith("-")
        if self.column is SORTS["started"]:
            return [("scheduled_at", down), ("attempt", down), (self.key, not down)]
        return [(self.column.expression, down), ("scheduled_at", True), ("attempt", True), (self.key, False)]

    @property
    def sql(self) -> str:
        return ", ".join(f"{column} {'DESC' if down else 'ASC'}" for column, down in self._columns)

    def after(self, cursor: str | None) -> tuple[str, list[Any]]:
        """The condition of what follows the cursor; Invalid 422 for one of another list."""
        if cursor is None:
            return "TRUE", []
        values = self._read(cursor)
        columns = self._columns
        parts: list[str] = []
        bound: list[Any] = []
        for place, (column, down) in enumerate(columns):
            same = [f"{before} = ?" for before, _ in columns[:place]]
            beyond = f"{column} {'<' if down else '>'} ?"
            parts.append(f"({' AND '.join([*same, beyond])})")
            bound += values[: place + 1]
        first, down = columns[0]
        # Said once more of the first column alone, so that what lies before it is not read.
        return f"{first} {'<=' if down else '>='} ? AND ({' OR '.join(parts)})", [values[0], *bound]

    def since(self, cursor: str) -> datetime:
        """When the row that a cursor of a list by time stands behind was due."""
        moment: datetime = self._read(cursor)[0]
        return moment

    def cursor(self, row: GraphRunRow | TaskRunRow) -> str:
        """The cursor behind a row."""
        at = naive(row.scheduled_at)
        assert at is not None
        key = row.run_id if isinstance(row, GraphRunRow) else f"{row.run_id}/{row.name}"
        values: list[Any] = [at.isoformat(), row.attempt, key]
        if self.column is not SORTS["started"]:
            value = getattr(row, self.column.attribute)
            if isinstance(value, str):
                value = value[:LONGEST]
            values.insert(0, (-1 if self.column.number else "") if value is None else value)
        place = json.dumps([self.name, *values], ensure_ascii=False)
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> list[Any]:
        """The values of ``_columns``; Invalid 422."""
        timed = self.column is SORTS["started"]
        try:
            name, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            *value, at, attempt, key = values
            moment = datetime.fromisoformat(at)
            kinds = (int, float) if self.column.number else (str,)
            good = (
                name == self.name and len(value) == (0 if timed else 1) and moment.tzinfo is None
                and all(isinstance(one, kinds) and not isinstance(one, bool) for one in value)
                and isinstance(key, str) and isinstance(attempt, int) and abs(attempt) < 2**31
            )  # fmt: skip
            for text in (key, *value):
                if "\x00" in str(text).encode().decode() or (isinstance(text, int) and abs(text) >= 2**63):
                    good = False
        except (ValueError, TypeError, AttributeError, binascii.Error):
            good = False
        if not good:
            raise Invalid(
                "The cursor is not of this list",
                hint="Take next_cursor of the page before, with the same sort.",
                code="bad_cursor",
            )
        return [*value, moment, attempt, key]
