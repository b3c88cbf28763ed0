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


class Attempt(Schema):
    """One attempt at a run, among the others."""

    attempt: int
    state: str
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    scheduled_from: str | None


class GraphRun(Schema):
    """One attempt at a run of a graph, with its tasks.

    `run_id` is GRAPH_RUN_GROUP_ID, `attempt` ATTEMPT_NUMBER. SCHEDULED: it waits for the run before it.
    `attempts` are all of the run, the first one first.
    """

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
    root_id: str | None
    attempts: list[Attempt]


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
    root_id: str | None
    declared: bool
    trains: str | None
    predicts: str | None
    config: dict[str, Any] | None
