"""Task graphs and their runs as the account tells of them: SHOW TASKS and INFORMATION_SCHEMA.

https://docs.snowflake.com/en/user-guide/tasks-graphs. TASK_HISTORY reaches back seven days. A run is known
by GRAPH_RUN_GROUP_ID; each retry of it has its own ATTEMPT_NUMBER and runs what had not succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.core.errors import SnowflakeFailed
from services.snowflake.identifiers import QualifiedName, like_prefix, quote
from services.snowflake.recent import Answers
from services.snowflake.scope import Scope
from services.training.types import GraphRun, Task, TaskKind, TaskRun

Row = dict[str, Any]
_MISSING = frozenset({2003, 2043})
FINAL = frozenset({"SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"})
# What comes later says more of a task than what came before.
_HISTORY = (
    "NAME, STATE, RETURN_VALUE, ERROR_CODE, ERROR_MESSAGE, CONFIG, GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER,"
    " SCHEDULED_FROM, SCHEDULED_TIME, QUERY_START_TIME, COMPLETED_TIME, QUERY_ID, QUERY_TEXT"
)
_GRAPHS = (
    "ROOT_TASK_NAME, STATE, SCHEDULED_FROM, FIRST_ERROR_TASK_NAME, FIRST_ERROR_CODE, FIRST_ERROR_MESSAGE,"
    " SCHEDULED_TIME, QUERY_START_TIME, COMPLETED_TIME, CONFIG, GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER"
)
_MOST = 10_000


class TaskGraphs:
    """Reads the graphs of a scope. ``query`` is that of a connection source."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def tasks(self, scope: Scope, graph: str | None = None) -> list[Row]:
        """The SHOW rows of all tasks, or of one graph's; none while the schema does not exist."""
        like = f" LIKE {like_prefix(graph)}" if graph else ""
        try:
            rows = self._source.query(f"SHOW TASKS{like} IN SCHEMA {scope.schema}")
        except SnowflakeFailed as error:
            if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                return []
            raise
        return [row for row in rows if graph is None or graph_of(row["name"]) == graph]

    def history(self, scope: Scope, graph: str | None = None) -> list[Row]:
        """The task runs of the last seven days, in the order in which they were due."""
        values: list[Any] = [scope.hub.database, scope.schema.name]
        where = ""
        if graph is not None:
            where, values = " AND (NAME = %s OR STARTSWITH(NAME, %s))", [*values, graph, f"{graph}$"]
        return self._source.query(
            f"SELECT {_HISTORY} FROM TABLE({self._function(scope, 'TASK_HISTORY')}(RESULT_LIMIT => {_MOST}))"
            f" WHERE DATABASE_NAME = %s AND SCHEMA_NAME = %s{where} AND GRAPH_RUN_GROUP_ID IS NOT NULL"
            " AND STATE <> 'SCHEDULED' ORDER BY SCHEDULED_TIME, QUERY_START_TIME",
            tuple(values),
        )

    def graph_runs(self, scope: Scope) -> list[Row]:
        """The runs that go on or are due, and those that ended within the last hour."""
        found: list[Row] = []
        for name in ("COMPLETE_TASK_GRAPHS", "CURRENT_TASK_GRAPHS"):
            found += self._source.query(
                f"SELECT {_GRAPHS} FROM TABLE({self._function(scope, name)}(RESULT_LIMIT => {_MOST}))"
                " WHERE DATABASE_NAME = %s AND SCHEMA_NAME = %s",
                (scope.hub.database, scope.schema.name),
            )
        return found

    def _function(self, scope: Scope, name: str) -> str:
        return f"{quote(scope.hub.database)}.INFORMATION_SCHEMA.{name}"


def graph_of(task: str) -> str:
    """The graph that a task belongs to: its own name up to the first dollar sign, as the client names them."""
    return task.partition("$")[0]


def tasks_in_order(rows: list[Row]) -> tuple[Task, ...]:
    """The tasks of one graph, each after its predecessors, the finalizer last."""
    tasks = {row["name"]: _task(row, rows) for row in rows}
    ordered: list[Task] = []
    left = dict(sorted(tasks.items(), key=lambda item: (item[1].kind == "finalizer", item[0])))
    while left:
        placed = {task.name for task in ordered}
        name = next(
            (name for name, task in left.items() if not (set(task.predecessors) & set(tasks)) - placed),
            next(iter(left)),
        )
        ordered.append(left.pop(name))
    return tuple(ordered)


def _task(row: Row, rows: list[Row]) -> Task:
    relations = json.loads(row.get("task_relations") or "{}")
    kind: TaskKind = "task"
    predecessors = tuple(QualifiedName.parse(one).name for one in json.loads(row["predecessors"] or "[]"))
    if relations.get("FinalizedRootTask"):
        kind = "finalizer"
    elif not predecessors:
        kind = "root"
    mentions = f"'{row['name']}'"
    return Task(
        name=row["name"],
        kind=kind,
        predecessors=predecessors,
        condition=row.get("condition") or None,
        is_branch=any(mentions in (other.get("condition") or "") for other in rows),
        state=row["state"],
        schedule=row.get("schedule") or None,
        compute=row.get("warehouse") or None,
        comment=row.get("comment") or "",
        definition=row.get("definition") or "",
    )


def runs_of(history: list[Row], graphs: list[Row]) -> list[GraphRun]:
    """The runs, each attempt one, newest first. ``graphs`` tells of those that are recent or under way."""
    known = {(str(row["GRAPH_RUN_GROUP_ID"]), int(row["ATTEMPT_NUMBER"])): row for row in graphs}
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in history:
        key = (graph_of(row["NAME"]), str(row["GRAPH_RUN_GROUP_ID"]))
        grouped.setdefault(key, []).append(row)
    for row in graphs:
        # Begun, with no task yet.
        if row["STATE"] == "EXECUTING":
            grouped.setdefault((row["ROOT_TASK_NAME"], str(row["GRAPH_RUN_GROUP_ID"])), [])
    found = []
    for (graph, run_id), rows in grouped.items():
        attempts = {int(row["ATTEMPT_NUMBER"] or 1) for row in rows}
        attempts |= {attempt for group, attempt in known if group == run_id}
        for attempt in sorted(attempts):
            run = _run(graph, run_id, attempt, rows, known.get((run_id, attempt)))
            if run is not None:
                found.append(run)
    return sorted(found, key=lambda run: (run.scheduled_at, run.attempt), reverse=True)


def _run(graph: str, run_id: str, attempt: int, rows: list[Row], told: Row | None) -> GraphRun | None:
    latest: dict[str, Row] = {}
    for row in rows:
        number = int(row["ATTEMPT_NUMBER"] or 1)
        before = latest.get(row["NAME"])
        if number <= attempt and (before is None or int(before["ATTEMPT_NUMBER"] or 1) <= number):
            latest[row["NAME"]] = row
    own = [row for row in latest.values() if int(row["ATTEMPT_NUMBER"] or 1) == attempt]
    root = latest.get(graph)
    scheduled = told["SCHEDULED_TIME"] if told else _least(own, "SCHEDULED_TIME")
    if scheduled is None:
        return None
    failed = next((row for row in own if str(row["STATE"]).startswith("FAILED")), None)
    state = str(told["STATE"]) if told else _state(own)
    ended = state in FINAL
    return GraphRun(
        graph=graph,
        run_id=run_id,
        attempt=attempt,
        state=state,
        scheduled_at=scheduled,
        started_at=_least(own, "QUERY_START_TIME") or (told and told["QUERY_START_TIME"]) or None,
        completed_at=((told and told["COMPLETED_TIME"]) or _most(own, "COMPLETED_TIME")) if ended else None,
        scheduled_from=(told or root or {}).get("SCHEDULED_FROM"),
        config=_config(told or root),
        first_error_task=failed["NAME"] if failed else (told and told["FIRST_ERROR_TASK_NAME"]) or None,
        first_error_code=_text(failed["ERROR_CODE"] if failed else told and told["FIRST_ERROR_CODE"]),
        first_error_message=_text(
            failed["ERROR_MESSAGE"] if failed else told and told["FIRST_ERROR_MESSAGE"]
        ),
        tasks=tuple(_task_run(row) for row in latest.values()),
    )


def _task_run(row: Row) -> TaskRun:
    return TaskRun(
        name=row["NAME"],
        state=row["STATE"],
        attempt=int(row["ATTEMPT_NUMBER"] or 1),
        scheduled_at=row["SCHEDULED_TIME"],
        started_at=row["QUERY_START_TIME"],
        completed_at=row["COMPLETED_TIME"],
        return_value=row["RETURN_VALUE"],
        error_code=_text(row["ERROR_CODE"]),
        error_message=row["ERROR_MESSAGE"],
        query_id=row["QUERY_ID"],
        query_text=row["QUERY_TEXT"],
    )


def _state(rows: list[Row]) -> str:
    """The state of a run that ended more than an hour ago, from those of its tasks."""
    states = {str(row["STATE"]) for row in rows}
    for state in ("EXECUTING", "FAILED_AND_AUTO_SUSPENDED", "FAILED", "CANCELLED"):
        if state in states:
            return state
    return "SUCCEEDED"


def _config(row: Row | None) -> Mapping[str, Any] | None:
    try:
        value = json.loads(row["CONFIG"]) if row and row["CONFIG"] else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _least(rows: list[Row], column: str) -> datetime | None:
    return min((row[column] for row in rows if row[column] is not None), default=None)


def _most(rows: list[Row], column: str) -> datetime | None:
    return max((row[column] for row in rows if row[column] is not None), default=None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
