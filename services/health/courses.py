"""How graphs run over time: statistics, the grid of runs and tasks, and each spoke at a glance.

The statistics of all graphs are made in one pass and kept for ``_KEPT`` seconds: medians of weeks change slowly.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.health.types import GraphRunRow, GraphStatistics, Grid, GridTask, RunMark, Schedule
from services.history import History
from services.history.answers import KeptAnswers
from services.history.store import RUN_COLUMNS, aware, graph_run, naive
from services.training.types import TaskRun

STRIP = 30
_KEPT = 30.0
# Cells of a grid: what a page can hold.
MOST_CELLS = 2_400
_SPAN, _BEFORE = timedelta(days=7), timedelta(days=28)

_STATISTICS = """
    SELECT spoke, environment, graph,
        count(*) FILTER (recent AND scheduled_at >= $week), count(*) FILTER (recent),
        sum(good) FILTER (scheduled_at >= $week) / nullif(count(good) FILTER (scheduled_at >= $week), 0),
        sum(good) FILTER (recent) / nullif(count(good) FILTER (recent), 0),
        quantile_cont(took, [0.5, 0.95]) FILTER (scheduled_at >= $week),
        quantile_cont(queued, [0.5, 0.95]) FILTER (scheduled_at >= $week),
        quantile_cont(took, [0.5, 0.95]) FILTER (scheduled_at < $week),
        max(scheduled_at), arg_max(state, (scheduled_at, attempt))
    FROM (
        SELECT spoke, environment, graph, scheduled_at, attempt, state, scheduled_at >= $month AS recent,
            CASE WHEN state = 'SUCCEEDED' THEN run_seconds END AS took,
            CASE WHEN state = 'SUCCEEDED' THEN queue_seconds END AS queued,
            CASE WHEN state = 'SUCCEEDED' THEN 1.0 WHEN starts_with(state, 'FAILED') THEN 0.0 END AS good
        FROM graph_runs WHERE scheduled_at >= $since
    ) GROUP BY ALL
"""
# The places first, by columns that are short; then only these rows.
_STRIP = f"""
    SELECT spoke, environment, graph, run_id, attempt, state, coalesce(started_at, scheduled_at), run_seconds
    FROM graph_runs WHERE scheduled_at >= $since AND rowid IN (
        SELECT unnest(newest) FROM (
            SELECT max_by(rowid, scheduled_at, {STRIP}) AS newest FROM graph_runs
            WHERE scheduled_at >= $since AND spoke IS NOT NULL GROUP BY spoke, environment
        )
    ) ORDER BY scheduled_at, attempt
"""
_NEXT = """
    SELECT p.spoke, p.environment, min(s.next_run_at) FROM graph_schedules s
    JOIN (SELECT DISTINCT spoke, environment, database_name, schema_name FROM runs_daily WHERE day >= ?) p
        USING (database_name, schema_name)
    WHERE s.next_run_at IS NOT NULL AND lower(coalesce(s.state, 'started')) = 'started' GROUP BY ALL
"""
_CELLS = ("name", "run_id", "attempt", "state", "scheduled_at", "started_at", "completed_at")
_GRID = f"""
    SELECT {", ".join(_CELLS)} FROM task_runs
    WHERE spoke = ? AND environment = ? AND graph = ? AND scheduled_at >= ? AND scheduled_at <= ?
        AND state <> 'SCHEDULED'
"""


class Courses:
    """Reads the history. Each function's number of queries is the same whatever there is."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._answers = KeptAnswers(history)
        self._kept: tuple[float, dict[tuple[str | None, str | None, str], GraphStatistics]] | None = None
        self._lock = threading.Lock()

    def statistics(self, now: datetime) -> dict[tuple[str | None, str | None, str], GraphStatistics]:
        """Of each graph that ran within five weeks, by spoke, environment and graph."""
        with self._lock:
            kept = self._kept
            if kept is not None and time.monotonic() - kept[0] < _KEPT:
                return kept[1]
            found = {(one.spoke, one.environment, one.graph): one for one in self._statistics(now)}
            self._kept = (time.monotonic(), found)
            return found

    def forget(self) -> None:
        """Make the statistics anew when they are asked for next."""
        with self._lock:
            self._kept = None

    def _statistics(self, now: datetime) -> list[GraphStatistics]:
        moment = _ago(now, timedelta())
        values = {
            "week": moment - _SPAN,
            "month": moment - timedelta(days=30),
            "since": moment - _SPAN - _BEFORE,
        }
        with self._history.read() as db:
            return [_statistics(row) for row in db.execute(_STATISTICS, values).fetchall()]

    def strips(self, now: datetime) -> dict[tuple[str, str], list[RunMark]]:
        """The last runs of each spoke and environment, oldest first."""
        found: dict[tuple[str, str], list[RunMark]] = {}
        with self._history.read() as db:
            for row in db.execute(_STRIP, {"since": _ago(now, timedelta(days=30))}).fetchall():
                mark = RunMark(row[2], row[3], row[4], row[5], row[6].replace(tzinfo=UTC), row[7])
                found.setdefault((row[0], row[1]), []).append(mark)
        return found

    def success(self, now: datetime) -> dict[tuple[str, str], tuple[float | None, float | None]]:
        """Success within 7 and 30 days by spoke and environment, from the roll-ups."""
        text = (
            "SELECT spoke, environment, sum(succeeded) FILTER (day >= ?), sum(failed) FILTER (day >= ?),"
            " sum(succeeded), sum(failed) FROM runs_daily WHERE day >= ? AND spoke IS NOT NULL GROUP BY ALL"
        )
        week, month = _ago(now, _SPAN).date(), _ago(now, timedelta(days=30)).date()
        with self._history.read() as db:
            rows = db.execute(text, [week, week, month]).fetchall()
        return {(row[0], row[1]): (_share(row[2], row[3]), _share(row[4], row[5])) for row in rows}

    def next_runs(self, now: datetime) -> dict[tuple[str, str], datetime]:
        """The next scheduled run of each spoke and environment, as the account told last."""
        with self._history.read() as db:
            rows = db.execute(_NEXT, [_ago(now, timedelta(days=90)).date()]).fetchall()
        return {(row[0], row[1]): moment for row in rows if (moment := aware(row[2])) is not None}

    def recent(self, spoke: str, environment: str, graph: str, limit: int) -> list[GraphRunRow]:
        """A graph's newest attempts, newest first."""
        where, values = "spoke = ? AND environment = ? AND graph = ?", [spoke, environment, graph]
        order = "scheduled_at DESC, run_id DESC, attempt DESC"
        found = self._history.index.newest(where, values, limit, order)
        if found is not None:
            return found
        text = f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {where} ORDER BY {order} LIMIT {limit}"
        with self._history.read() as db:
            return [graph_run(row) for row in db.execute(text, values).fetchall()]

    def grid(
        self,
        spoke: str,
        environment: str,
        graph: str,
        runs: Sequence[GraphRunRow],
        first: int = 0,
        failed: bool = False,
    ) -> Grid:
        """Runs, oldest first, against tasks from ``first`` on; ``failed``: tasks that failed come first."""
        if not runs:
            return Grid()
        most = max(MOST_CELLS // len(runs), 1)
        rows = self._cells((spoke, environment, graph), runs)
        places = {(run.run_id, run.attempt): place for place, run in enumerate(runs)}
        failures: Counter[str] = Counter(row[0] for row in rows if row[3].startswith("FAILED"))
        behind = _behind(rows)
        # The ones that failed first when not all can be shown, else in the order in which they begin.
        names = sorted(behind, key=lambda name: (-failures[name] if failed else 0, behind[name], name))
        cells: dict[str, list[tuple[str, float | None] | None]] = {
            name: [None] * len(runs) for name in names[first : first + most]
        }
        for name, run_id, attempt, state, _, started, completed in rows:
            place = places.get((run_id, attempt))
            if place is not None and name in cells:
                took = None if started is None or completed is None else _seconds(started, completed)
                cells[name][place] = (state, took)
        tasks = tuple(GridTask(name, tuple(line), failures[name]) for name, line in cells.items())
        return Grid(tuple(runs), tasks, len(names) if cells else 0, first)

    def _cells(self, place: tuple[str, str, str], runs: Sequence[GraphRunRow]) -> list[tuple[Any, ...]]:
        """(name, run_id, attempt, state, scheduled_at, started_at, completed_at) of what ran of these runs."""
        ids = {run.run_id for run in runs}
        begin = min(run.scheduled_at for run in runs) - timedelta(hours=1)
        end = max(run.completed_at or run.started_at or run.scheduled_at for run in runs) + timedelta(days=1)
        found = self._history.tasks.of_runs(place, list(ids), begin)
        if found is not None:
            return [
                tuple(row[name] for name in _CELLS)
                for row in found
                if begin <= row["scheduled_at"] <= end and row["state"] != "SCHEDULED"
            ]
        with self._history.read() as db:
            rows = db.execute(_GRID, [*place, naive(begin), naive(end)]).fetchall()
        return [row for row in rows if row[1] in ids]

    def schedule(self, database: str, schema: str, graph: str) -> Schedule | None:
        """What the account told last of the graph's root task."""
        text = (
            "SELECT state, schedule, next_run_at, seen_at FROM graph_schedules"
            " WHERE database_name = ? AND schema_name = ? AND graph = ? ORDER BY seen_at DESC LIMIT 1"
        )
        rows = self._answers.tuples(text, [database, schema, graph])
        if not rows:
            return None
        row = rows[0]
        return Schedule(row[0], row[1], aware(row[2]), aware(row[3]))


def _statistics(row: tuple[Any, ...]) -> GraphStatistics:
    cells: list[Any] = list(row[:7])
    for pair in row[7:10]:
        cells += pair or (None, None)
    return GraphStatistics(*cells, *[aware(row[10]), row[11]])


def last_tasks(tasks: Sequence[TaskRun]) -> dict[str, TaskRun]:
    """The task runs of an attempt by name, the latest attempt's of each."""
    found: dict[str, TaskRun] = {}
    for task in tasks:
        if task.name not in found or found[task.name].attempt <= task.attempt:
            found[task.name] = task
    return found


def _behind(rows: Sequence[tuple[Any, ...]]) -> dict[str, float]:
    """How long after its run was due each task began, on the average, in seconds."""
    due: dict[tuple[str, int], datetime] = {}
    for _, run_id, attempt, _, scheduled, _, _ in rows:
        known = due.get((run_id, attempt))
        if known is None or scheduled < known:
            due[run_id, attempt] = scheduled
    sums: dict[str, list[float]] = {}
    for name, run_id, attempt, _, scheduled, started, _ in rows:
        sums.setdefault(name, []).append(((started or scheduled) - due[run_id, attempt]).total_seconds())
    return {name: sum(found) / len(found) for name, found in sums.items()}


def _seconds(started: datetime, completed: datetime) -> float:
    return round((completed - started).total_seconds(), 3)


def _ago(now: datetime, span: timedelta) -> datetime:
    moment = naive(now)
    assert moment is not None
    return moment - span


def _share(good: float | None, bad: float | None) -> float | None:
    total = (good or 0) + (bad or 0)
    return float(good or 0) / float(total) if total else None
