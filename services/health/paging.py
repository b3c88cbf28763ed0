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
_TIES = "scheduled_at DESC, run_id DESC, attempt DESC"


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
    "error": Column("coalesce(first_error_message, '')", "first_error_message"),
    "failed": Column("tasks_failed", "tasks_failed", number=True),
}


@dataclass(frozen=True, slots=True)
class Order:
    """``name`` is one of ``SORTS``, after a minus for the greatest first."""

    name: str

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
    def by_time(self) -> bool:
        return self.column is SORTS["started"]

    @property
    def column(self) -> Column:
        return SORTS[self.name.removeprefix("-")]

    @property
    def sql(self) -> str:
        direction = "DESC" if self.name.startswith("-") else "ASC"
        if self.by_time:
            return f"scheduled_at {direction}, run_id {direction}, attempt {direction}"
        return f"{self.column.expression} {direction}, {_TIES}"

    def after(self, cursor: str | None) -> tuple[str, list[Any]]:
        """The condition of what follows the cursor; Invalid 422 for one of another list."""
        if cursor is None:
            return "TRUE", []
        value, at, run_id, attempt = self._read(cursor)
        sign = "<" if self.name.startswith("-") else ">"
        if self.by_time:
            return (
                f"scheduled_at {sign}= ? AND (scheduled_at, run_id, attempt) {sign} (?, ?, ?)",
                [at, at, run_id, attempt],
            )
        column = self.column.expression
        return (
            f"({column} {sign} ? OR ({column} = ? AND (scheduled_at, run_id, attempt) < (?, ?, ?)))",
            [value, value, at, run_id, attempt],
        )

    def cursor(self, row: GraphRunRow | TaskRunRow) -> str:
        """The cursor behind a row."""
        value = getattr(row, self.column.attribute)
        if value is None:
            value = -1 if self.column.number else ""
        if isinstance(value, datetime):
            value = ""
        at = naive(row.scheduled_at)
        assert at is not None
        place = [self.name, value, at.isoformat(), row.run_id, row.attempt]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> tuple[Any, datetime, str, int]:
        try:
            name, value, at, run_id, attempt = json.loads(
                base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            )
            kinds = (int, float) if self.column.number else (str,)
            moment = datetime.fromisoformat(at)
            good = (
                name == self.name and isinstance(value, kinds) and isinstance(run_id, str)
                and isinstance(attempt, int) and abs(attempt) < 2**31 and moment.tzinfo is None
                and "\x00" not in run_id and "\x00" not in str(value)
            )  # fmt: skip
            run_id.encode()
            str(value).encode()
        except (ValueError, TypeError, AttributeError, binascii.Error):
            good = False
        if not good:
            raise Invalid(
                "The cursor is not of this list",
                hint="Take next_cursor of the page before, with the same sort.",
                code="bad_cursor",
            )
        return value, moment, run_id, attempt
