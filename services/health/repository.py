"""Lists of runs as the history has them.

What the files of rows beside the history can tell is asked of them.
A list by time is looked for in the newest part first: most lists fill a page from it, and the history is sorted by
time. So a page costs at most ``len(_REACHES) + 1`` queries, mostly one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from services.health.asked import RunFilter, Value
from services.health.conditions import INDEXED, INDEXED_TASKS, OF_RUNS, OF_TASKS, Condition, where
from services.health.paging import NEWEST, Order
from services.health.types import FAILED_STATES, DayOfRuns, GraphRunRow, TaskRunRow
from services.history import History, ages, task_index
from services.history.answers import KeptAnswers
from services.history.store import RUN_COLUMNS, aware, graph_run, naive

_REACHES = (timedelta(days=3), timedelta(days=45))
_TASK_COLUMNS = (
    "spoke, environment, graph, name, run_id, attempt, state, scheduled_from, scheduled_at, started_at,"
    " completed_at, query_id, return_value, error_code, error_message, fingerprint"
)
# Roll-ups know these of a run.
_ROLLED = frozenset({"spoke", "environment", "graph"})
_STATES = """
    count(*) FILTER (state = 'SUCCEEDED'), count(*) FILTER (starts_with(state, 'FAILED')),
    count(*) FILTER (state = 'CANCELLED'), count(*) FILTER (state = 'SKIPPED'),
    count(*) FILTER (state IN ('EXECUTING', 'SCHEDULED'))
"""


class Runs:
    """Reads ``graph_runs``, ``task_runs`` and their roll-ups."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._answers = KeptAnswers(history)
        self._age = ages.Age(history, ages.RUNS)

    def runs(
        self, asked: RunFilter, order: Order, limit: int, cursor: str | None, now: datetime
    ) -> list[GraphRunRow]:
        """At most ``limit`` rows behind the cursor."""
        if order.name == NEWEST and all(term.name in INDEXED for term in asked.terms):
            found = self._indexed(asked, order, limit, cursor)
            if found is not None:
                return found
        rows = self._page("graph_runs", RUN_COLUMNS, OF_RUNS, asked, order, limit, cursor, now)
        return [graph_run(row) for row in rows]

    def _indexed(
        self, asked: RunFilter, order: Order, limit: int, cursor: str | None
    ) -> list[GraphRunRow] | None:
        """The newest from the row index, what is older than all it has from the history; None without an index."""
        condition, values = where(asked, OF_RUNS)
        after, place = order.after(cursor)
        text, bound = f"{condition} AND {after}", [*values, *place]
        floor = self._history.index.floor
        found = self._history.index.some(text, bound, order.sql, limit)
        if found is None or floor is None or len(found) == limit:
            return found
        # It may have been made anew since, with a lower floor.
        found = [row for row in found if row.scheduled_at > floor]
        older = (
            f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {text} AND scheduled_at <= ? ORDER BY {order.sql}"
        )
        with self._history.read() as db:
            rows = db.execute(f"{older} LIMIT {limit - len(found)}", [*bound, naive(floor)]).fetchall()
        return [*found, *map(graph_run, rows)]

    def tasks(
        self, asked: RunFilter, order: Order, limit: int, cursor: str | None, now: datetime
    ) -> list[TaskRunRow]:
        """The same of task runs; ``order`` is by time."""
        rows = self._indexed_tasks(asked, order, limit, cursor)
        if rows is not None:
            return [TaskRunRow(*row) for row in rows]
        found = self._page("task_runs", _TASK_COLUMNS, OF_TASKS, asked, order, limit, cursor, now)
        return [TaskRunRow(*_aware(row)) for row in found]

    def _indexed_tasks(
        self, asked: RunFilter, order: Order, limit: int, cursor: str | None
    ) -> list[tuple[Any, ...]] | None:
        """From the index of task runs; None when it cannot tell."""
        if any(term.name not in INDEXED_TASKS for term in asked.terms):
            return None
        states = _states(asked)
        if states is not None and task_index.SUCCEEDED not in states:
            condition, values = where(asked, OF_TASKS)
            after, place = order.after(cursor)
            text, bound = f"{condition} AND {after}", [*values, *place]
            return self._history.tasks.unsuccessful(text, bound, order.sql, limit)
        places = [term for term in asked.terms if term.name != "state"]
        found = {term.name: term.values[0] for term in places}
        plain = all(not term.negated and len(term.values) == 1 for term in places) and not any(
            term.negated for term in asked.terms
        )
        if cursor is not None or not plain or len(found) < len(places) or not found.keys() <= _ROLLED:
            return None
        return self._history.tasks.newest(found, states, limit)

    def _page(
        self,
        table: str,
        columns: str,
        known: Mapping[str, Callable[[Value], Condition]],
        asked: RunFilter,
        order: Order,
        limit: int,
        cursor: str | None,
        now: datetime,
    ) -> list[tuple[Any, ...]]:
        condition, values = where(asked, known)
        after, place = order.after(cursor)
        select = f"SELECT {columns} FROM {table} WHERE {condition} AND {after}"
        tail = f" ORDER BY {order.sql} LIMIT {limit}"
        bound = [*values, *place]
        with self._history.read() as db:
            if order.name == NEWEST and not asked.of("time"):
                # What a cursor continues begins where the page before ended.
                newest = naive(now) if cursor is None else order.since(cursor)
                assert newest is not None
                for reach in _REACHES:
                    if newest - datetime.min < reach:  # noqa: DTZ901  as the history keeps them
                        break
                    since = newest - reach
                    rows = db.execute(f"{select} AND scheduled_at >= ?{tail}", [*bound, since]).fetchall()
                    if len(rows) >= limit:
                        return rows
            return db.execute(select + tail, bound).fetchall()

    def export(self, asked: RunFilter, order: Order, most: int) -> Iterator[GraphRunRow]:
        """The rows of a filter, read in parts as they are taken."""
        condition, values = where(asked, OF_RUNS)
        with self._history.cursor() as own:
            own.execute(
                f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {condition} ORDER BY {order.sql} LIMIT {most}",
                values,
            )
            while rows := own.fetchmany(1000):
                yield from map(graph_run, rows)

    def daily(self, asked: RunFilter, since: date, until: date) -> list[DayOfRuns]:
        """By day, oldest first, days without runs left out; from the roll-ups when these can tell."""
        condition, values = where(asked, OF_RUNS)
        if all(term.name in _ROLLED for term in asked.terms):
            text = (
                "SELECT day, sum(succeeded), sum(failed), sum(cancelled), sum(skipped),"
                " sum(runs - succeeded - failed - cancelled - skipped) FROM runs_daily"
                f" WHERE day >= ? AND day <= ? AND {condition} GROUP BY day ORDER BY day"
            )
            bound: list[Any] = [since, until, *values]
        else:
            text = (
                f"SELECT scheduled_at::DATE AS day, {_STATES} FROM graph_runs"
                f" WHERE scheduled_at >= ? AND scheduled_at < ? AND {condition} GROUP BY day ORDER BY day"
            )
            bound = [
                datetime.combine(since, datetime.min.time()),
                datetime.combine(until + timedelta(days=1), datetime.min.time()),
                *values,
            ]
        return [DayOfRuns(row[0], *map(int, row[1:])) for row in self._answers.tuples(text, bound)]

    def as_of(self) -> datetime | None:
        """When the account last told of runs."""
        return self._age()


def _states(asked: RunFilter) -> frozenset[str] | None:
    """The states that fit, where a filter names them."""
    found: frozenset[str] | None = None
    for term in asked.terms:
        if term.name == "state" and not term.negated:
            values = frozenset(term.values) | (
                frozenset(FAILED_STATES) if "FAILED" in term.values else frozenset()
            )
            found = values if found is None else found & values
    return found


def _aware(row: tuple[Any, ...]) -> list[Any]:
    return [aware(value) if isinstance(value, datetime) else value for value in row]
