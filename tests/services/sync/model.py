"""An account that is no more than a true list of task runs, and the two views in which it shows them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from services.sync.sources import GRAPHS, TASKS, UsageView

Row = dict[str, Any]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DATABASE, SCHEMA, GRAPH = "HUB", "ALPHA_DEV", "G"


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


class Killed(BaseException):
    """The process died."""


@dataclass(frozen=True)
class Ran:
    """One task run of the truth; minutes since the beginning. ``late`` is when the usage view shows it after its end.

    ``corrected`` is when, after its end, the usage view begins to tell another state and value; None for never.
    """

    group: str
    attempt: int
    name: str
    scheduled: float
    queued: float
    ran: float
    state: str
    late: float
    corrected: float | None = None
    repeated: bool = False

    @property
    def started(self) -> float:
        return self.scheduled + self.queued

    @property
    def completed(self) -> float:
        return self.started + self.ran

    @property
    def key(self) -> tuple[str, int, str]:
        return self.group, self.attempt, self.name

    def ended(self, when: float) -> tuple[str, str]:
        """State and value as told at a moment after its end."""
        if self.corrected is not None and when >= self.completed + self.corrected:
            return ("SUCCEEDED" if self.state != "SUCCEEDED" else "FAILED"), "corrected"
        return self.state, "first"

    def row(self, when: float, late: bool) -> Row:
        """As either view shows it at a moment."""
        state, value = self.ended(when) if late else (self.state, "first")
        skipped = self.state == "SKIPPED"
        if not late and when < self.completed:
            state = "EXECUTING" if when >= self.started else "SCHEDULED"
            value = ""
        begun, over = when >= self.started and not skipped, when >= self.completed
        return {
            "NAME": self.name, "DATABASE_NAME": DATABASE, "SCHEMA_NAME": SCHEMA, "STATE": state,
            "QUERY_ID": f"q-{self.key}" if begun else None, "QUERY_TEXT": "SELECT 1", "CONDITION_TEXT": None,
            "RETURN_VALUE": value or None, "ERROR_CODE": None, "ERROR_MESSAGE": None,
            "SCHEDULED_TIME": at(self.scheduled), "QUERY_START_TIME": at(self.started) if begun else None,
            "COMPLETED_TIME": at(self.completed) if over else None, "ROOT_TASK_ID": "root", "GRAPH_VERSION": 1,
            "RUN_ID": int(self.scheduled), "SCHEDULED_FROM": "EXECUTE TASK" if self.attempt == 1 else "MANUAL RETRY",
            "ATTEMPT_NUMBER": self.attempt, "CONFIG": None,
            # What is not due yet has none.
            "GRAPH_RUN_GROUP_ID": self.group if when >= self.scheduled else None,
        }  # fmt: skip

    def graph_row(self, when: float, late: bool) -> Row:
        row = self.row(when, late)
        return {
            "ROOT_TASK_NAME": self.name, "FIRST_ERROR_TASK_NAME": None, "FIRST_ERROR_CODE": None,
            "FIRST_ERROR_MESSAGE": None, "NEXT_SCHEDULED_TIME": None,
            **{key: row[key] for key in row if key not in ("NAME", "QUERY_ID", "QUERY_TEXT", "CONDITION_TEXT",
                                                          "RETURN_VALUE", "ERROR_CODE", "ERROR_MESSAGE")},
        }  # fmt: skip


@dataclass
class Model:
    """An account at a moment. ``most`` is how many rows a function tells at once, ``step`` may end the process."""

    truth: Sequence[Ran]
    most: int = 10_000
    when: float = 0.0
    statements: int = 0
    step: Callable[[], None] = lambda: None
    chance: random.Random = field(default_factory=random.Random)

    def now(self) -> datetime:
        return at(self.when)

    def graphs(self, database: str, schema: str | None) -> list[Row]:
        self._asked()
        return [
            one.graph_row(self.when, False)
            for one in self.truth
            if one.name == GRAPH
            and one.state != "SKIPPED"
            and one.scheduled <= self.when
            and (self.when < one.completed or one.completed >= self.when - 60)
        ]

    def task_history(
        self, database: str, schema: str | None, start: datetime, end: datetime | None
    ) -> list[Row]:
        self._asked()
        assert start >= at(self.when - 7 * 24 * 60), "the function refuses what is older"
        shown = [row for row in self.live() if start <= row["SCHEDULED_TIME"] <= (end or at(1e9))]
        shown.sort(key=lambda row: row["SCHEDULED_TIME"], reverse=True)
        return shown[: self.most]

    def live(self) -> list[Row]:
        """All that TASK_HISTORY would show now."""
        week, ahead = self.when - 7 * 24 * 60, self.when + 8 * 24 * 60
        return [one.row(self.when, False) for one in self.truth if week <= one.scheduled <= ahead]

    def refreshes(self, database: str, start: datetime, end: datetime | None) -> list[Row]:
        self._asked()
        return []

    def late(self) -> list[Ran]:
        """All that ACCOUNT_USAGE.TASK_HISTORY would show now."""
        return [one for one in self.truth if one.completed + one.late <= self.when]

    def usage(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[list[Row]]:
        self._asked()
        until = end or at(1e9)
        found: list[Row] = []
        for one in self.late():
            if not start <= at(one.completed) < until:
                continue
            if view is TASKS:
                found += [one.row(self.when, True)] * (2 if one.repeated else 1)
            elif view is GRAPHS and one.name == GRAPH and one.state != "SKIPPED":
                found.append(one.graph_row(self.when, True))
        self.chance.shuffle(found)
        for first in range(0, len(found), 12):
            yield found[first : first + 12]

    def usage_tables(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[pa.Table | list[Row]]:
        """As tables and as rows, by chance."""
        for part in self.usage(view, databases, start, end):
            yield pa.Table.from_pylist(part) if self.chance.random() < 0.5 else part

    def usage_by_day(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime
    ) -> dict[date, tuple[int, float]]:
        self._asked()
        counts: dict[date, int] = {}
        for one in self.late() if view is TASKS else ():
            if start <= at(one.completed) < end:
                day = at(one.completed).date()
                counts[day] = counts.get(day, 0) + 1
        return {day: (count, 0.0) for day, count in counts.items()}

    def _asked(self) -> None:
        self.statements += 1
        self.step()
