"""One run: its tasks, and what is different from the last one that succeeded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.health.types import Changed, Difference, GraphRunRow, TaskChange
from services.history import History
from services.history.row_index import NEWEST
from services.history.store import RUN_COLUMNS, aware, graph_run, naive
from services.training.history import read_config
from services.training.types import TaskRun

# What differs from run to run by itself.
_OWN = frozenset({"request_id"})
# A task is slower or faster when its length is beyond these of the other one, and by more than noise.
_SLOWER, _FASTER, _NOISE = 1.25, 0.8, 2.0
MOST_CHANGES = 50
_RECENT, _EVER = timedelta(days=30), datetime(1970, 1, 1)  # noqa: DTZ001  as the history keeps them
_NEVER = datetime.min.replace(tzinfo=UTC)
_NAMES = (
    "name", "state", "attempt", "scheduled_at", "started_at", "completed_at", "return_value", "error_code",
    "error_message", "query_id", "query_text",
)  # fmt: skip


class SingleRuns:
    """Reads the history."""

    def __init__(self, history: History) -> None:
        self._history = history

    def find(
        self, spoke: str, environment: str, graph: str, run_id: str, attempt: int | None, now: datetime
    ) -> tuple[GraphRunRow | None, tuple[GraphRunRow, ...]]:
        """A run, its last attempt by default; and all its attempts; looked for among the newest, then among all.

        ``run_id`` may be what the run was requested as: a model version's lineage has that.
        """
        found = self._all_attempts(spoke, environment, graph, "run_id", run_id, now)
        if not found:
            requested = self._all_attempts(spoke, environment, graph, "request_id", run_id, now)
            if requested:
                found = self._all_attempts(spoke, environment, graph, "run_id", requested[-1].run_id, now)
        chosen = next((row for row in reversed(found) if attempt in (None, row.attempt)), None)
        return chosen, found

    def _all_attempts(
        self, spoke: str, environment: str, graph: str, column: str, value: str, now: datetime
    ) -> tuple[GraphRunRow, ...]:
        where = f"spoke = ? AND environment = ? AND graph = ? AND {column} = ?"
        values = [spoke, environment, graph, value]
        found = tuple(self._history.index.some(where, values, "attempt") or ())
        # Its attempts may be weeks apart.
        if not found or len(found) != found[0].attempts:
            found = self._attempts(where, values, now)
        return found

    def _attempts(self, where: str, values: Sequence[str], now: datetime) -> tuple[GraphRunRow, ...]:
        text = f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {where} AND scheduled_at >= ? ORDER BY attempt"
        moment = naive(now)
        assert moment is not None
        found: tuple[GraphRunRow, ...] = ()
        with self._history.read() as db:
            for since in (moment - _RECENT, _EVER):
                found = tuple(map(graph_run, db.execute(text, [*values, since]).fetchall()))
                if found and len(found) == found[0].attempts:
                    break
        return found

    def tasks(self, run: GraphRunRow, attempts: Sequence[GraphRunRow]) -> tuple[TaskRun, ...]:
        """What ran up to an attempt, of each task the latest, in the order in which they began."""
        begin = min(one.scheduled_at for one in attempts) - timedelta(hours=1)
        last = max(one.completed_at or one.started_at or one.scheduled_at for one in attempts)
        # A graph ends within a week, and its tasks are due after it is.
        until = last + timedelta(days=7 if run.completed_at is None else 1)
        latest: dict[str, TaskRun] = {}
        for task in self._rows(run, begin, until):
            known = latest.get(task.name)
            if known is None or _place(known) < _place(task):
                latest[task.name] = task
        return tuple(sorted(latest.values(), key=_begin))

    def _rows(self, run: GraphRunRow, begin: datetime, until: datetime) -> list[TaskRun]:
        """What ran up to an attempt and was due within, in no order."""
        if run.spoke is not None and run.environment is not None:
            place = (run.spoke, run.environment, run.graph)
            found = self._history.tasks.of_runs(place, [run.run_id], begin)
            if found is not None:
                return [
                    TaskRun(**{name: row[name] for name in _NAMES})
                    for row in found
                    if begin <= row["scheduled_at"] <= until
                    and row["attempt"] <= run.attempt
                    and row["state"] != "SCHEDULED"
                ]
        text = (
            f"SELECT {', '.join(_NAMES)} FROM task_runs WHERE spoke = ? AND environment = ? AND graph = ?"
            " AND run_id = ? AND scheduled_at >= ? AND scheduled_at <= ? AND attempt <= ? AND state <> 'SCHEDULED'"
        )
        values = [
            run.spoke, run.environment, run.graph, run.run_id, naive(begin), naive(until), run.attempt
        ]  # fmt: skip
        with self._history.read() as db:
            rows = db.execute(text, values).fetchall()
        return [_task_run(list(row)) for row in rows]

    def last_good(self, run: GraphRunRow) -> GraphRunRow | None:
        """The newest run of the graph before this one that succeeded."""
        where = (
            "spoke = ? AND environment = ? AND graph = ? AND state = 'SUCCEEDED' AND scheduled_at <= ?"
            " AND run_id <> ?"
        )
        values = [run.spoke, run.environment, run.graph, naive(run.scheduled_at), run.run_id]
        found = self._history.index.newest(where, values, 1)
        if found is not None:
            return found[0] if found else None
        with self._history.read() as db:
            row = db.execute(
                f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {where} ORDER BY {NEWEST} LIMIT 1", values
            ).fetchone()
        return None if row is None else graph_run(row)


def difference(
    run: GraphRunRow,
    tasks: Sequence[TaskRun],
    good: GraphRunRow,
    good_tasks: Sequence[TaskRun],
) -> Difference:
    """What of a run is not as it was in the good one; of what still runs nothing is said to be missing."""
    before, now = flat(read_config(good.config)), flat(read_config(run.config))
    changes = [
        Changed(name, before.get(name), now.get(name))
        for name in sorted({*before, *now} - _OWN)
        if before.get(name) != now.get(name)
    ]
    old = {task.name: task for task in good_tasks}
    new = {task.name: task for task in tasks}
    returned = [
        Changed(name, old[name].return_value, task.return_value)
        for name, task in new.items()
        if name in old and task.state == "SUCCEEDED" and old[name].return_value != task.return_value
    ]
    moved = [change for name in {**old, **new} if (change := _task(name, old.get(name), new.get(name), run))]
    moved.sort(key=_weight, reverse=True)
    return Difference(
        good,
        good.graph_version,
        run.graph_version,
        tuple(changes[:MOST_CHANGES]),
        tuple(returned[:MOST_CHANGES]),
        tuple(moved[:MOST_CHANGES]),
    )


def _place(task: TaskRun) -> tuple[int, datetime]:
    return task.attempt, task.scheduled_at or _NEVER


def _begin(task: TaskRun) -> tuple[Any, ...]:
    return task.scheduled_at or _NEVER, task.started_at is None, task.started_at or _NEVER, task.name


def _task_run(cells: list[Any]) -> TaskRun:
    cells[3:6] = map(aware, cells[3:6])
    return TaskRun(*cells)


def _task(name: str, old: TaskRun | None, new: TaskRun | None, run: GraphRunRow) -> TaskChange | None:
    run_old, queue_old = _took(old), _waited(old)
    run_new, queue_new = _took(new), _waited(new)
    ran_before = old is not None and old.state not in ("SKIPPED", "CANCELLED")
    runs_now = new is not None and new.state not in ("SKIPPED", "CANCELLED")
    if ran_before and not runs_now:
        if run.completed_at is None:
            return None
        why = "did not run" if new is None else f"was {new.state}"
        return TaskChange(name, run_old, None, queue_old, None, why)
    if runs_now and not ran_before:
        return TaskChange(
            name,
            None,
            run_new,
            None,
            queue_new,
            "did not run before" if old is None else "was skipped before",
        )
    if _differs(run_old, run_new) or _differs(queue_old, queue_new):
        return TaskChange(name, run_old, run_new, queue_old, queue_new)
    return None


def _differs(before: float | None, now: float | None) -> bool:
    if before is None or now is None or abs(now - before) < _NOISE:
        return False
    return now > before * _SLOWER or now < before * _FASTER


def _weight(change: TaskChange) -> tuple[bool, float]:
    run = abs((change.run_now or 0) - (change.run_before or 0))
    return change.missing is not None, run + abs((change.queue_now or 0) - (change.queue_before or 0))


def _took(task: TaskRun | None) -> float | None:
    if task is None or task.started_at is None or task.completed_at is None:
        return None
    return (task.completed_at - task.started_at).total_seconds()


def _waited(task: TaskRun | None) -> float | None:
    if task is None or task.started_at is None or task.scheduled_at is None:
        return None
    return max((task.started_at - task.scheduled_at).total_seconds(), 0.0)


def flat(config: Mapping[str, Any] | None, prefix: str = "") -> dict[str, str]:
    """Keys with dots into objects, values as JSON."""
    found: dict[str, str] = {}
    for key, value in (config or {}).items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found
