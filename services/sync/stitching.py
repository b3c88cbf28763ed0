"""Puts together what the account tells at once and what it tells late, without a gap and without a double.

A run is known by (GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER, NAME). INFORMATION_SCHEMA tells it at once, for seven days, as
it is now; ACCOUNT_USAGE tells it late, for a year, as it ended. Each reading goes back over the border of the last one:
the functions to the oldest run that is not over, the views by twice their latency. What came later than that is found
by comparing numbers by day, which also finds what a correction changed in number or credits.

All that is read of a window is written before its mark, or in one transaction with it: what a process that dies in
between has written is written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from services.core.clock import Clock
from services.core.errors import SnowflakeFailed
from services.sync import columns
from services.sync.columns import Place, Row
from services.sync.marks import Mark, Reading
from services.sync.reader import Account
from services.sync.repository import Readings
from services.sync.sources import (
    DAY,
    GRAPHS,
    HOUR,
    LIVE_OVERLAP,
    LIVE_REFRESHES,
    LIVE_RUNS,
    LIVE_WINDOW,
    REFRESHES,
    TASKS,
    USAGE,
    UsageView,
)
from services.sync.windows import Windows, differing, midnight, whole

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[float | None, str], None]
# The data of a refresh may be of some time before it.
_REFRESH_OVERLAP = 6 * HOUR


class Recorded(Protocol):
    """What writing runs changed."""

    @property
    def new(self) -> int: ...


class Runs(Protocol):
    """Writes runs: see services.history.runs."""

    def record(
        self,
        place: Place,
        tasks: Iterable[Row] | pa.Table,
        graphs: Iterable[Row] = (),
        *,
        source: Literal["live", "usage"],
        seen_at: datetime,
    ) -> Recorded: ...


class Stitching:
    """Reads sources of one account into the history."""

    def __init__(
        self,
        readings: Readings,
        runs: Runs,
        place: Place,
        databases: Sequence[str],
        clock: Clock,
        views: Sequence[UsageView] = USAGE,
    ) -> None:
        self._readings = readings
        self._runs = runs
        self._place = place
        self._databases = tuple(databases)
        self._clock = clock
        # Graph runs are read beside the tasks that they are made of.
        self._views = tuple(view for view in views if view is not GRAPHS)

    def live(self, account: Account, where: tuple[str, str] | None = None) -> list[Reading]:
        """Runs and refreshes as they are now, of all databases or of one schema."""
        now = account.now()
        databases = self._databases if where is None else (where[0],)
        schema = None if where is None else where[1]
        found = [
            self._measured(
                f"{LIVE_RUNS}:{database}",
                account,
                lambda one=database: self._live_runs(account, one, schema, now),  # type: ignore[misc]
            )
            for database in databases
        ]
        found.append(
            self._measured(LIVE_REFRESHES, account, lambda: self._live_refreshes(account, now, where is None))
        )
        return _with_clock(found)

    def usage(self, account: Account, days: int, check: bool, progress: Progress) -> list[Reading]:
        """What the views tell since they were last asked, at first of as many ``days``.

        With ``check`` also what they tell later than they should.
        """
        now = account.now()
        found = []
        for at, view in enumerate(self._views):
            told: list[Reading] = []
            progress(at / len(self._views), view.title)
            found.append(
                self._measured(
                    view.name,
                    account,
                    lambda one=view, more=told: self._view(account, one, now, days, check, more),  # type: ignore[misc]
                )
            )
            found[-1] = _without(found[-1], told)
            found += told
        return _with_clock(found)

    def _measured(self, source: str, account: Account, work: Callable[[], tuple[int, int]]) -> Reading:
        """What one source brought and cost; what the account refuses is of this source alone."""
        begin, before = time.perf_counter(), account.statements
        rows, new, error = 0, 0, None
        try:
            rows, new = work()
        except SnowflakeFailed as refused:
            error = refused.message
        seconds = time.perf_counter() - begin
        return Reading(source, rows, new, account.statements - before, seconds, True, error)

    def _live_runs(
        self, account: Account, database: str, schema: str | None, now: datetime
    ) -> tuple[int, int]:
        name, seen_at = f"{LIVE_RUNS}:{database}", self._clock()
        graphs = account.graphs(database, schema)
        mark = self._readings.marks().get(name)
        start = now - LIVE_WINDOW
        if mark is not None:
            # A retry may be told at the time of the run that it repeats.
            told = [row["SCHEDULED_TIME"] for row in graphs if row["GRAPH_RUN_GROUP_ID"] is not None]
            opened = self._readings.oldest_open(TASKS.table, database, start)
            least = min([min(mark.read_to, now) - LIVE_OVERLAP, *told, *([opened] if opened else [])])
            start = max(start, least)
        tasks, complete = whole(
            lambda begin, end: account.task_history(database, schema, begin, end), start, now
        )
        recorded = self._runs.record(self._place, tasks, graphs, source="live", seen_at=seen_at)
        if not complete:
            raise _too_many("TASK_HISTORY")
        if schema is None:
            self._readings.advance(Mark(name, now, seen_at, start))
        return len(tasks), recorded.new

    def _live_refreshes(self, account: Account, now: datetime, advance: bool) -> tuple[int, int]:
        mark, seen_at = self._readings.marks().get(LIVE_REFRESHES), self._clock()
        start = now - LIVE_WINDOW
        if mark is not None:
            opened = [
                self._readings.oldest_open(REFRESHES.table, database, start) for database in self._databases
            ]
            least = min([min(mark.read_to, now) - _REFRESH_OVERLAP, *(one for one in opened if one)])
            start = max(start, least)
        place = self._databases[0]
        rows, complete = whole(lambda begin, end: account.refreshes(place, begin, end), start, now)
        if not complete:
            raise _too_many("DYNAMIC_TABLE_REFRESH_HISTORY")
        ours = [row for row in rows if row["DATABASE_NAME"] in self._databases]
        told = columns.of_refreshes(ours, self._place, "live", seen_at)
        new = self._readings.refreshes(told, Mark(LIVE_REFRESHES, now, seen_at, start) if advance else None)
        return len(ours), new

    def _view(
        self, account: Account, view: UsageView, now: datetime, days: int, check: bool, more: list[Reading]
    ) -> tuple[int, int]:
        """Read one view; its rows, and how many of them are new. ``more`` gets what was read beside it."""
        mark, seen_at = self._readings.marks().get(view.name), self._clock()
        windows = Windows(
            now,
            view.overlap,
            days,
            None if mark is None else mark.read_to,
            None if mark is None else mark.since,
        )
        rows = new = 0
        checked_at = None if mark is None else mark.checked_at
        since = now
        while (window := windows.next()) is not None:
            done = Mark(view.name, window.read_to, seen_at, window.since, checked_at)
            brought, added = self._window(account, view, window.start, window.end, done, more)
            windows.done(window, brought)
            rows, new, since = rows + brought, new + added, window.since
        if check and view.checked:
            brought, added = self._late(account, view, max(since, now - timedelta(days=days)), now)
            rows, new = rows + brought, new + added
            kept = self._readings.marks()[view.name]
            self._readings.advance(Mark(view.name, kept.read_to, kept.as_of, kept.since, seen_at))
        return rows, new

    def _late(self, account: Account, view: UsageView, since: datetime, now: datetime) -> tuple[int, int]:
        """Read again the days of which the view tells other than what is kept."""
        start = midnight(since.date()) + DAY
        if start >= now:
            return 0, 0
        told = account.usage_by_day(view, self._databases, start, now)
        rows = new = 0
        for begin, end in differing(told, self._readings.days(view, start, now)):
            brought, added = self._window(account, view, begin, end, None, [])
            rows, new = rows + brought, new + added
        return rows, new

    def _window(
        self,
        account: Account,
        view: UsageView,
        start: datetime,
        end: datetime | None,
        mark: Mark | None,
        more: list[Reading],
    ) -> tuple[int, int]:
        """Read and write one window; its rows, and how many of them are new."""
        seen_at = self._clock()
        if view is TASKS:
            tables = account.usage_tables(view, self._databases, start, end)
            graphs = self._graphs(account, start, end, more)
            rows = new = 0
            # Each part of itself: what a run is follows from all of its tasks that are there.
            for part in tables:
                recorded = self._runs.record(self._place, part, graphs, source="usage", seen_at=seen_at)
                rows, new, graphs = rows + len(part), new + recorded.new, []
            if graphs:
                self._runs.record(self._place, [], graphs, source="usage", seen_at=seen_at)
            if mark is not None:
                self._readings.advance(mark)
                if not any(one.source == GRAPHS.name and one.error for one in more):
                    self._readings.advance(replace(mark, source=GRAPHS.name))
            return rows, new
        told = account.usage(view, self._databases, start, end)
        if view is REFRESHES:
            read = [row for part in told for row in part]
            refreshes = columns.of_refreshes(read, self._place, "usage", seen_at)
            return len(read), self._readings.refreshes(refreshes, mark)
        parts = [columns.of_view(view, part, self._place, seen_at) for part in told]
        table = _together(parts) if parts else columns.of_view(view, [], self._place, seen_at)
        return table.num_rows, self._readings.mirror(view, table, start, end, mark)

    def _graphs(
        self, account: Account, start: datetime, end: datetime | None, more: list[Reading]
    ) -> list[Row]:
        """The graph runs that go with a window of task runs; without the right to see them the tasks do alone."""
        refused = next((one for one in more if one.source == GRAPHS.name and one.error), None)
        if refused is not None:
            return []
        found: list[Row] = []

        def read() -> tuple[int, int]:
            for part in account.usage(GRAPHS, self._databases, start, end):
                found.extend(part)
            return len(found), 0

        reading = self._measured(GRAPHS.name, account, read)
        before = next((one for one in more if one.source == GRAPHS.name), None)
        if before is not None:
            more.remove(before)
            reading = replace(
                reading,
                rows=before.rows + reading.rows,
                statements=before.statements + reading.statements,
                seconds=before.seconds + reading.seconds,
            )
        more.append(reading)
        return found


def _with_clock(readings: list[Reading]) -> list[Reading]:
    """The first of them also asked what time it is."""
    return [replace(one, statements=one.statements + (at == 0)) for at, one in enumerate(readings)]


def _without(reading: Reading, others: Iterable[Reading]) -> Reading:
    """What a reading cost without those that were made beside it."""
    statements_, seconds = reading.statements, reading.seconds
    for other in others:
        statements_, seconds = statements_ - other.statements, seconds - other.seconds
    return replace(reading, statements=statements_, seconds=max(seconds, 0.0))


def _too_many(function: str) -> SnowflakeFailed:
    return SnowflakeFailed(f"{function} has more rows of one moment than it tells", code="too_many_rows")


def _together(parts: Sequence[Any]) -> Any:
    import pyarrow as pa

    return pa.concat_tables(parts)
