"""Task graphs, runs and task runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.schemas.base import Schema
from services.training.types import TaskKind


class Task(Schema):
    """One task of a graph."""

    name: str
    kind: TaskKind
    predecessors: list[str]
    condition: str | None
    is_branch: bool
    state: str
    schedule: str | None
    compute: str | None
    comment: str
    definition: str


class TaskRun(Schema):
    """One execution of one task."""

    name: str
    state: str
    attempt: int
    scheduled_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    return_value: str | None
    error_code: str | None
    error_message: str | None
    query_id: str | None
    query_text: str | None


class GraphRun(Schema):
    """One run of a graph: GRAPH_RUN_GROUP_ID and ATTEMPT_NUMBER, state, tasks."""

    graph: str
    run_id: str
    attempt: int
    state: str
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    scheduled_from: str | None
    config: dict[str, Any] | None
    first_error_task: str | None
    first_error_code: str | None
    first_error_message: str | None
    tasks: list[TaskRun]


class Graph(Schema):
    """A deployed graph with its tasks in topological order and its newest runs, newest first."""

    name: str
    schema_name: str
    state: str
    tasks: list[Task]
    schedule: str | None
    comment: str
    next_run_at: datetime | None
    runs: list[GraphRun]
