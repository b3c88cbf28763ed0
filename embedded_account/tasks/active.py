"""One attempt at a graph while it runs: its states and return values, as the context functions see them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import Any

from embedded_account.errors import SnowflakeError
from embedded_account.session import Session
from embedded_account.tasks.definition import DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS, TaskDefinition
from embedded_account.tasks.graph import Graph
from embedded_account.tasks.runs import EXECUTING, SKIPPED, SUCCEEDED, GraphRun, TaskRun

LONGEST_VALUE = 10_240


class ActiveRun:
    """`states` and `values` are kept under `lock`; `rows` are this attempt's own task runs, `cancelled` names
    tasks that are to stop."""

    def __init__(self, row: GraphRun, graph: Graph, earlier: Iterable[TaskRun] = ()) -> None:
        self.row = row
        self.graph = graph
        self.lock = threading.RLock()
        self.states: dict[str, str] = {}
        self.values: dict[str, str | None] = {}
        self.rows: dict[str, TaskRun] = {}
        self.sessions: dict[str, Session] = {}
        self.cancelled: set[str] = set()
        self.finished = False
        self._begun: float | None = None
        for run in earlier:
            self._carry(run)

    def _carry(self, run: TaskRun) -> None:
        """Take over a finished task run: of this attempt as it is, of earlier attempts what need not run again."""
        finalizer = self.graph.finalizer.name.name if self.graph.finalizer else None
        if run.attempt == self.row.attempt:
            self.rows[run.name] = run
        elif run.state not in (SUCCEEDED, SKIPPED) or run.name == finalizer:
            return
        self.states[run.name] = run.state
        self.values[run.name] = run.return_value

    @property
    def key(self) -> tuple[int, int]:
        return self.row.group, self.row.attempt

    @property
    def root_running(self) -> bool:
        """Whether the root has yet to end: what ALLOW_CHILD_OVERLAP waits for."""
        return self.states.get(self.graph.root.name.name) in (None, EXECUTING)

    def deadline(self, task: TaskDefinition) -> tuple[float, float]:
        """When the task must have ended (time.monotonic), and the limit in seconds that this follows from.

        A child's own limit counts from its start; else the root's counts for the whole graph.
        """
        moment = time.monotonic()
        if self._begun is None:
            self._begun = moment
        if task.timeout_ms is not None and not task.is_root:
            own = _seconds(task.timeout_ms)
            return moment + own, own
        limit = _seconds(self.graph.root.timeout_ms)
        if task.finalize is not None:
            return moment + limit, limit
        return self._begun + limit, limit

    # ----- what the functions of a task's body ask

    def set_value(self, name: str, value: str) -> None:
        if len(value.encode()) > LONGEST_VALUE:
            raise SnowflakeError("Task return value is longer than 10 kB.", 1008, "22023")
        with self.lock:
            self.values[name] = value

    def predecessor_value(self, name: str, wanted: str | None) -> str | None:
        """The value that a predecessor or an ancestor of the task `name` has set; None if it set none."""
        task = self.graph.task(name)
        enabled = [p for p in task.predecessors if self.graph.tasks[p].started or self.graph.tasks[p].is_root]
        if wanted is None:
            if len(enabled) != 1:
                raise SnowflakeError(
                    "Function SYSTEM$GET_PREDECESSOR_RETURN_VALUE needs the name of a predecessor task: "
                    f"task {task.name} has {len(enabled)} enabled predecessors.",
                    1008,
                    "22023",
                )
            wanted = enabled[0]
        elif (wanted := _plain(wanted)) not in self.graph.ancestors(name):
            raise SnowflakeError(
                f"Task '{wanted}' is not an enabled predecessor of task {task.name}. Task names are case-sensitive.",
                1008,
                "22023",
            )
        with self.lock:
            return self.values.get(wanted)

    def configuration(self) -> dict[str, Any]:
        return dict(json.loads(self.row.config)) if self.row.config else {}

    def information(self, name: str) -> dict[str, str | None]:
        """The properties of SYSTEM$TASK_RUNTIME_INFO for the task `name`."""
        row = self.row
        last = row.last_success_scheduled
        return {
            "CURRENT_TASK_NAME": str(self.graph.task(name).name),
            "CURRENT_ROOT_TASK_NAME": str(row.root_name),
            "CURRENT_ROOT_TASK_UUID": row.root_id,
            "CURRENT_TASK_GRAPH_RUN_GROUP_ID": str(row.group),
            "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": _timestamp(row.original_scheduled),
            "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID": None
            if row.last_success_group is None
            else str(row.last_success_group),
            "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": _timestamp(last) if last else None,
            "IS_BACKFILL": "false",
        }


def _seconds(timeout_ms: int | None) -> float:
    """0 means the longest that may be set."""
    if timeout_ms is None:
        return DEFAULT_TIMEOUT_MS / 1000
    return (timeout_ms or LONGEST_TIMEOUT_MS) / 1000


def _timestamp(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3])


def _plain(name: str) -> str:
    """The name that a client may have quoted, as it does for letters that an unquoted one cannot have."""
    return name[1:-1].replace('""', '"') if len(name) > 2 and name[0] == name[-1] == '"' else name
