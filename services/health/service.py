"""Health of runs: what routes and pages ask. The history alone answers; a graph's shape is what is known of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from services.core.clock import Clock, utc_now
from services.core.errors import NotFound, SpokehubError
from services.db.engine import Database
from services.health.asked import RunFilter
from services.health.comparing import SingleRuns, difference
from services.health.courses import STRIP, Courses, last_tasks
from services.health.paging import NEWEST, Order
from services.health.repository import Runs
from services.health.types import (
    FAILED_STATES,
    MOST_EXPORTED,
    DayOfRuns,
    GraphHealth,
    GraphRunRow,
    GraphStatistics,
    Grid,
    RunHealth,
    RunMark,
    RunPage,
    Schedule,
    SpokeHealth,
    TaskPage,
)
from services.health.views import SavedViews
from services.history import History
from services.history.reading import RunReader
from services.operations import Operations
from services.training.history import read_config
from services.training.service import Training
from services.training.types import Attempt, Graph, GraphRun, Task, TaskRun

MOST_DAYS = 90
GRID_RUNS = 30
RECENT_RUNS = 120
_KEPT = timedelta(seconds=10)


class Charged(Protocol):
    """What a run cost."""

    @property
    def credits(self) -> Decimal: ...


class CostOfRun(Protocol):
    """One run with all its attempts, which began on a day or after it; None while no view has told of a cost of it:
    see services.costs.
    """

    def __call__(
        self, spoke: str, environment: str, graph: str, run_id: str, since: date = ..., /
    ) -> Charged | None: ...


class Health:
    """See types.py."""

    def __init__(
        self,
        history: History,
        database: Database,
        training: Training,
        operations: Operations,
        cost_of_run: CostOfRun,
        clock: Clock = utc_now,
    ) -> None:
        self.views = SavedViews(database, clock)
        self._history = history
        self._glanced: tuple[int, datetime, tuple[SpokeHealth, ...]] | None = None
        self._reader = RunReader(history)
        self._runs = Runs(history)
        self._courses = Courses(history)
        self._single = SingleRuns(history)
        self._training = training
        self._operations = operations
        self._cost_of_run = cost_of_run
        self._clock = clock

    def runs(
        self, asked: RunFilter | None = None, sort: str = NEWEST, limit: int = 50, cursor: str | None = None
    ) -> RunPage:
        """Attempts at runs that fit, in the order of ``sort``."""
        order = Order.of(sort)
        asked = asked or RunFilter()
        plain = _plain(asked) if sort == NEWEST and cursor is None else None
        if plain is not None:
            found = self._reader.newest(**plain, limit=limit + 1)
        else:
            found = tuple(self._runs.runs(asked, order, limit + 1, cursor, self._clock()))
        more = order.cursor(found[limit - 1]) if len(found) > limit else None
        return RunPage(found[:limit], more)

    def tasks(self, asked: RunFilter | None = None, limit: int = 50, cursor: str | None = None) -> TaskPage:
        """Task runs that fit, newest first."""
        order = Order(NEWEST, "run_id || '/' || name")
        found = self._runs.tasks(asked or RunFilter(), order, limit + 1, cursor, self._clock())
        more = order.cursor(found[limit - 1]) if len(found) > limit else None
        return TaskPage(tuple(found[:limit]), more)

    def export(self, asked: RunFilter, sort: str = NEWEST) -> Iterator[GraphRunRow]:
        """All that fit, in the order of ``sort``, at most ``MOST_EXPORTED``; read as it is taken."""
        return self._runs.export(asked, Order.of(sort), MOST_EXPORTED)

    def daily(self, asked: RunFilter) -> tuple[DayOfRuns, ...]:
        """The days of the filter's time, at most the last ``MOST_DAYS`` of it; a month without one."""
        now = self._clock()
        since, until = _days(asked, now)
        found = {day.day: day for day in self._runs.daily(asked, since, until)}
        span = range((until - since).days + 1)
        return tuple(found.get(day) or DayOfRuns(day) for day in (since + timedelta(days=by) for by in span))

    def statistics(
        self, spoke: str | None = None, environment: str | None = None, graph: str | None = None
    ) -> tuple[GraphStatistics, ...]:
        """Of each graph that ran within five weeks, by spoke, environment and name."""
        found = self._courses.statistics(self._clock()).values()
        wanted = (spoke, environment, graph)
        chosen = [
            one
            for one in found
            if all(
                want in (None, has)
                for want, has in zip(wanted, (one.spoke, one.environment, one.graph), strict=True)
            )
        ]
        return tuple(sorted(chosen, key=lambda one: (one.spoke or "", one.environment or "", one.graph)))

    def typical(self) -> dict[tuple[str | None, str | None, str], float]:
        """What a run of each graph takes as a rule, in seconds, by spoke, environment and graph."""
        found = self._courses.statistics(self._clock())
        return {key: one.typical for key, one in found.items() if one.typical is not None}

    def as_of(self) -> datetime | None:
        """When the account last told of runs; None while it never did."""
        return self._runs.as_of()

    def glance(self) -> tuple[SpokeHealth, ...]:
        """Each spoke and environment that ran within a month, by name; four queries, whatever there is.

        Kept for a few seconds while nothing is written.
        """
        now = self._clock()
        kept, commits = self._glanced, self._history.commits
        if kept is not None and kept[0] == commits and now - kept[1] < _KEPT:
            return kept[2]
        found = self._glance(now)
        self._glanced = (commits, now, found)
        return found

    def _glance(self, now: datetime) -> tuple[SpokeHealth, ...]:
        strips = self._courses.strips(now)
        success = self._courses.success(now)
        due = self._courses.next_runs(now)
        by_place: dict[tuple[str, str], list[GraphStatistics]] = {}
        for one in self._courses.statistics(now).values():
            if one.spoke is not None and one.environment is not None:
                by_place.setdefault((one.spoke, one.environment), []).append(one)
        return tuple(
            _glance(
                place,
                runs[-STRIP:],
                success.get(place, (None, None)),
                by_place.get(place, []),
                due.get(place),
            )
            for place, runs in sorted(strips.items())
        )

    def graph(
        self,
        spoke: str,
        environment: str,
        graph: str,
        *,
        runs: int = GRID_RUNS,
        first: int = 0,
        failed_first: bool = False,
    ) -> GraphHealth:
        """One graph; NotFound 404 when nobody knows it and it never ran."""
        known = self.shape(spoke, environment, graph)
        name = known.name if known else graph
        recent = self._courses.recent(spoke, environment, name, RECENT_RUNS)
        if known is None and not recent:
            raise _no_graph(spoke, environment, graph)
        shown = tuple(reversed(recent[:runs]))
        grid = self._courses.grid(spoke, environment, name, shown, first, failed_first) if shown else Grid()
        last = self._single.tasks(recent[0], _attempts(recent[0], recent)) if recent else ()
        return GraphHealth(
            spoke,
            environment,
            name,
            grid,
            tuple(recent),
            self._courses.statistics(self._clock()).get((spoke, environment, name)),
            self._scheduled(recent, known),
            known.tasks if known else tuple(_unknown_shape(last)),
            last_tasks(last),
            bool(known and known.declared),
            known is not None,
            known.trains if known else None,
            known.predicts if known else None,
            known.comment if known else "",
            known.config if known else None,
        )

    def run(
        self, spoke: str, environment: str, graph: str, run_id: str, attempt: int | None = None
    ) -> RunHealth:
        """One attempt at a run, the last one by default; NotFound 404."""
        row, attempts = self._single.find(spoke, environment, graph, run_id, attempt, self._clock())
        if row is None:
            # What began a moment ago may be known to who follows it, and not yet to the history.
            return _told(spoke, environment, self._training.run(spoke, environment, graph, run_id, attempt))
        tasks = self._single.tasks(row, attempts)
        good = self._single.last_good(row)
        different = None
        if good is not None:
            different = difference(row, tasks, good, self._single.tasks(good, [good]))
        began = min((one.scheduled_at for one in attempts), default=row.scheduled_at).date()
        cost = self._cost_of_run(spoke, environment, row.graph, row.run_id, began)
        operation = None
        if row.request_id:
            operation = self._operations.queries.find(row.request_id.partition("/")[0])
        return RunHealth(
            row,
            read_config(row.config),
            tuple(_mark(one) for one in attempts),
            tasks,
            None if cost is None else float(cost.credits),
            different,
            self._courses.statistics(self._clock()).get((spoke, environment, graph)),
            operation.id if operation else None,
            operation.title if operation else None,
        )

    def _scheduled(self, recent: list[GraphRunRow], known: Graph | None) -> Schedule | None:
        """What is known now, else what the history kept."""
        if known is not None:
            return Schedule(known.state, known.schedule, known.next_run_at)
        if not recent:
            return None
        return self._courses.schedule(recent[0].database_name, recent[0].schema_name, recent[0].graph)

    def shape(self, spoke: str, environment: str, graph: str) -> Graph | None:
        """The graph as it is known to be deployed, or None: its runs are told of all the same."""
        try:
            return self._training.graph(
                spoke, environment, self._training.name_of(spoke, environment, graph), runs=0
            )
        except SpokehubError:
            return None


def _glance(
    place: tuple[str, str],
    runs: list[RunMark],
    success: tuple[float | None, float | None],
    graphs: list[GraphStatistics],
    due: datetime | None,
) -> SpokeHealth:
    measured = [one for one in graphs if one.run_p50 is not None]
    # The strip knows what ended a moment ago, the statistics of graphs that ran before it.
    last = {one.graph: one.last_state for one in graphs}
    last |= {run.graph: run.state for run in runs if run.seconds is not None}
    return SpokeHealth(
        *place,
        tuple(runs),
        *success,
        max(measured, key=lambda one: (one.ratio or 0.0, one.run_p50 or 0.0), default=None),
        due,
        runs[-1].started_at if runs else None,
        sum(state in FAILED_STATES for state in last.values()),
    )


def _days(asked: RunFilter, now: datetime) -> tuple[date, date]:
    times = [value for value in asked.of("time") if isinstance(value, tuple)]
    begins = [value[0] for value in times if isinstance(value[0], datetime)]
    ends = [value[1] for value in times if isinstance(value[1], datetime)]
    until = now.date()
    if times and len(ends) == len(times):
        until = min((max(ends) - timedelta(microseconds=1)).date(), until)
    until = max(until, date.min + timedelta(days=MOST_DAYS))
    since = until - timedelta(days=29)
    if times:
        since = min(begins).date() if len(begins) == len(times) else until - timedelta(days=MOST_DAYS - 1)
    return max(since, until - timedelta(days=MOST_DAYS - 1)), until


def _plain(asked: RunFilter) -> dict[str, str] | None:
    """A filter that the newest runs in memory answer: one spoke, environment and graph at most; else None."""
    simple = all(
        term.name in ("spoke", "environment", "graph") and not term.negated and len(term.values) == 1
        for term in asked.terms
    )
    return {term.name: term.values[0] for term in asked.terms} if simple else None


def _told(spoke: str, environment: str, run: GraphRun) -> RunHealth:
    """A run that the history does not know."""
    begin = run.started_at or run.scheduled_at
    config = dict(run.config) if run.config else None
    row = GraphRunRow(
        spoke, environment, "", "", run.graph, run.root_id, None, run.run_id, run.attempt, max(len(run.attempts), 1),
        run.state, run.scheduled_from, run.scheduled_at, run.started_at, run.completed_at,
        (begin - run.scheduled_at).total_seconds() if run.started_at else None, run.seconds, len(run.tasks),
        sum(task.state.startswith("FAILED") for task in run.tasks), run.first_error_task, run.first_error_code,
        run.first_error_message, None, json.dumps(config) if config else None, (config or {}).get("request_id"),
        "live", begin,
    )  # fmt: skip
    return RunHealth(row, config, run.attempts, run.tasks, None, None, None)


def _mark(run: GraphRunRow) -> Attempt:
    return Attempt(
        run.attempt, run.state, run.scheduled_at, run.started_at, run.completed_at, run.scheduled_from
    )


def _attempts(run: GraphRunRow, rows: list[GraphRunRow]) -> list[GraphRunRow]:
    return [row for row in rows if row.run_id == run.run_id]


def _unknown_shape(tasks: tuple[TaskRun, ...]) -> Iterator[Task]:
    """The tasks that ran last, of a graph whose arrows nobody knows."""
    for task in tasks:
        yield Task(task.name, "root" if "$" not in task.name else "task")


def _no_graph(spoke: str, environment: str, graph: str) -> NotFound:
    return NotFound(
        f"{spoke} has no graph {graph} in {environment}, and none of this name ever ran",
        hint="The runs of all graphs are listed at /runs.",
        code="unknown_graph",
    )
