"""Task graphs and their runs as the account tells of them: SHOW TASKS and INFORMATION_SCHEMA.

https://docs.snowflake.com/en/user-guide/tasks-graphs. A function's own arguments are applied before its
RESULT_LIMIT, the WHERE clause after it: so whatever narrows is an argument where there is one.
https://docs.snowflake.com/en/sql-reference/functions/task_history, …/current_task_graphs,
…/complete_task_graphs
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any

from services.core.errors import SnowflakeFailed
from services.snowflake.answers import Answers
from services.snowflake.identifiers import QualifiedName, exactly, quote
from services.snowflake.scope import Scope
from services.training.history import Row, graph_of
from services.training.types import Task, TaskKind

_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_MISSING = frozenset({2003, 2043})
_HISTORY = (
    "NAME, DATABASE_NAME, SCHEMA_NAME, STATE, RETURN_VALUE, ERROR_CODE, ERROR_MESSAGE, CONFIG,"
    " GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER, SCHEDULED_FROM, SCHEDULED_TIME, QUERY_START_TIME, COMPLETED_TIME,"
    " QUERY_ID, QUERY_TEXT, CONDITION_TEXT, ROOT_TASK_ID, GRAPH_VERSION"
)
_GRAPHS = (
    "ROOT_TASK_NAME, DATABASE_NAME, SCHEMA_NAME, STATE, SCHEDULED_FROM, FIRST_ERROR_TASK_NAME,"
    " FIRST_ERROR_CODE, FIRST_ERROR_MESSAGE, SCHEDULED_TIME, QUERY_START_TIME, CONFIG, GRAPH_RUN_GROUP_ID,"
    " ATTEMPT_NUMBER, ROOT_TASK_ID, GRAPH_VERSION"
)
# What goes on has not completed, and CURRENT_TASK_GRAPHS has no column for it.
_CURRENT = f"{_GRAPHS}, NULL::TIMESTAMP_LTZ AS COMPLETED_TIME"
_COMPLETE = f"{_GRAPHS}, COMPLETED_TIME"
# The most that RESULT_LIMIT allows.
_MOST = 10_000
# What comes later says more of a task than what came before.
_ORDER = "ORDER BY SCHEDULED_TIME, QUERY_START_TIME"


class TaskGraphs:
    """Reads the graphs of a scope. ``query`` is that of a connection source."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def tasks(self, scope: Scope, graph: str | None = None) -> list[Row]:
        """The SHOW rows of all tasks, or of one graph's; none while the schema does not exist.

        Always of all: so that one known answer tells of each graph.
        """
        try:
            rows = self._source.query(f"SHOW TASKS IN SCHEMA {scope.schema}")
        except SnowflakeFailed as error:
            if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                return []
            raise
        return [row for row in rows if graph is None or graph_of(row["name"]) == graph]

    def history(self, scope: Scope, graph: str | None = None) -> list[Row]:
        """The task runs of the last seven days, in the order in which they were due.

        Also of tasks that were deployed anew since: those have other ids and the same names.
        """
        only, values = "", [*_place(scope)]
        if graph is not None:
            only, values = " AND (NAME = %s OR STARTSWITH(NAME, %s))", [*values, graph, f"{graph}$"]
        function = f"TASK_HISTORY(DATABASE_NAME => %s, SCHEMA_NAME => %s, RESULT_LIMIT => {_MOST})"
        return self._source.query(
            f"SELECT {_HISTORY} FROM TABLE({_schema(scope)}.{function})"
            f" WHERE GRAPH_RUN_GROUP_ID IS NOT NULL{only} {_ORDER}",
            tuple(values),
        )

    def requests(self, scope: Scope, graph: str) -> list[Row]:
        """The runs of a graph's root task alone: they tell what each run was configured with."""
        function = (
            f"TASK_HISTORY(DATABASE_NAME => %s, SCHEMA_NAME => %s, TASK_NAME => %s, RESULT_LIMIT => {_MOST})"
        )
        return self._source.query(
            f"SELECT {_HISTORY} FROM TABLE({_schema(scope)}.{function}) WHERE NAME = %s {_ORDER}",
            (*_place(scope), graph, graph),
        )

    def of_run(self, scope: Scope, root_id: str, run_id: str, since: datetime) -> list[Row]:
        """The task runs of one run."""
        function = (
            "TASK_HISTORY(SCHEDULED_TIME_RANGE_START => TO_TIMESTAMP_LTZ(%s), ROOT_TASK_ID => %s,"
            f" RESULT_LIMIT => {_MOST})"
        )
        return self._source.query(
            f"SELECT {_HISTORY} FROM TABLE({_schema(scope)}.{function})"
            f" WHERE GRAPH_RUN_GROUP_ID = %s {_ORDER}",
            (since.isoformat(sep=" ", timespec="milliseconds"), root_id, run_id),
        )

    def current(self, scope: Scope, graphs: Sequence[str]) -> list[Row]:
        """The runs of these graphs that go on, wait or are due."""
        return self._graph_runs(scope, graphs, "CURRENT_TASK_GRAPHS", _CURRENT)

    def graph_runs(self, scope: Scope, graphs: Sequence[str]) -> list[Row]:
        """Those, then the runs that ended within the last hour.

        In this order a run that ends in between is in both, in the other it would be in neither.
        """
        found = self.current(scope, graphs)
        return found + self._graph_runs(scope, graphs, "COMPLETE_TASK_GRAPHS", _COMPLETE)

    def _graph_runs(self, scope: Scope, graphs: Sequence[str], name: str, columns: str) -> list[Row]:
        function = f"{_schema(scope)}.{name}(ROOT_TASK_NAME => %s, RESULT_LIMIT => {_MOST})"
        one = (
            f"SELECT {columns} FROM TABLE({function})"
            " WHERE ROOT_TASK_NAME = %s AND DATABASE_NAME = %s AND SCHEMA_NAME = %s"
        )
        if not graphs:
            return []
        values = [(graph, graph, scope.database, scope.schema.name) for graph in graphs]
        return self._source.query(
            " UNION ALL ".join([one] * len(graphs)), tuple(value for row in values for value in row)
        )


def _schema(scope: Scope) -> str:
    return f"{quote(scope.database)}.INFORMATION_SCHEMA"


def _place(scope: Scope) -> tuple[str, str]:
    return exactly(scope.database), exactly(scope.schema.name)


def tasks_in_order(rows: list[Row]) -> tuple[Task, ...]:
    """The tasks of one graph, each after its predecessors, by name where these leave a choice, the finalizer last."""
    asked = _asked(rows)
    tasks = {row["name"]: _task(row, row["name"] in asked) for row in rows}
    after: dict[str, list[str]] = {name: [] for name in tasks}
    waits: dict[str, int] = {}
    for name, task in tasks.items():
        before = set(task.predecessors) & set(tasks)
        waits[name] = len(before)
        for one in before:
            after[one].append(name)

    def place(name: str) -> tuple[bool, str]:
        return tasks[name].kind == "finalizer", name

    ready = [place(name) for name, count in waits.items() if not count]
    heapify(ready)
    ordered: list[Task] = []
    while ready:
        _, name = heappop(ready)
        ordered.append(tasks[name])
        for one in after[name]:
            waits[one] -= 1
            if not waits[one]:
                heappush(ready, place(one))
    # Snowflake allows no circle; rows that were read while a graph changed may have one.
    left = set(tasks) - {task.name for task in ordered}
    return (*ordered, *(tasks[name] for name in sorted(left, key=place)))


def _asked(rows: list[Row]) -> set[str]:
    """What stands in apostrophes in the conditions: names of tasks whose return value decides over others."""
    return {text.replace("''", "'") for row in rows for text in _QUOTED.findall(row.get("condition") or "")}


def _task(row: Row, is_branch: bool) -> Task:
    relations: dict[str, Any] = json.loads(row.get("task_relations") or "{}")
    kind: TaskKind = "task"
    predecessors = tuple(QualifiedName.parse(one).name for one in json.loads(row["predecessors"] or "[]"))
    if relations.get("FinalizedRootTask"):
        kind = "finalizer"
    elif not predecessors:
        kind = "root"
    return Task(
        name=row["name"],
        kind=kind,
        predecessors=predecessors,
        condition=row.get("condition") or None,
        is_branch=is_branch,
        state=row["state"],
        schedule=row.get("schedule") or None,
        compute=row.get("warehouse") or None,
        comment=row.get("comment") or "",
        definition=row.get("definition") or "",
    )
