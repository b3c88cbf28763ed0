"""Runs as the history keeps them. Times have a zone (UTC); seconds are those between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Row = dict[str, Any]
Source = Literal["live", "usage"]
Place = Callable[[str, str], tuple[str, str] | None]
# SCHEDULED_FROM of what somebody asked for. The documentation writes the first one, accounts the second.
REQUESTED = frozenset({"EXECUTE_TASK", "EXECUTE TASK", "MANUAL RETRY", "AUTOMATIC RETRY"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What writing runs changed: task runs that were not known, and those that were and are told differently now."""

    new: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class TaskRunRow:
    """One run of one task. ``run_id`` is GRAPH_RUN_GROUP_ID; ``spoke`` is None outside of every spoke."""

    spoke: str | None
    environment: str | None
    database_name: str
    schema_name: str
    graph: str
    name: str
    root_id: str | None
    graph_version: int | None
    run_id: str
    attempt: int
    state: str
    scheduled_from: str | None
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    query_id: str | None
    query_text: str | None
    condition_text: str | None
    return_value: str | None
    error_code: str | None
    error_message: str | None
    fingerprint: str | None
    config: str | None
    source: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class GraphRunRow:
    """One attempt at a run of a graph. ``run_id`` is GRAPH_RUN_GROUP_ID; ``attempts`` counts those of the run.

    ``queue_seconds`` is from when it was due to its first task's begin, ``run_seconds`` from there to its end, None
    while it has not come to that. ``spoke`` and ``environment`` are None for a graph of no spoke.
    """

    spoke: str | None
    environment: str | None
    database_name: str
    schema_name: str
    graph: str
    root_id: str | None
    graph_version: int | None
    run_id: str
    attempt: int
    attempts: int
    state: str
    scheduled_from: str | None
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    queue_seconds: float | None
    run_seconds: float | None
    tasks: int
    tasks_failed: int
    first_error_task: str | None
    first_error_code: str | None
    first_error_message: str | None
    fingerprint: str | None
    config: str | None
    request_id: str | None
    source: str
    seen_at: datetime
