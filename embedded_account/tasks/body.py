"""Runs one task: a session of its own, the WHEN condition, the body, the time limit."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import duckdb

from embedded_account.deadlines import Deadlines, timed_out
from embedded_account.duck_errors import translated
from embedded_account.errors import SnowflakeError
from embedded_account.parameters import set_parameters
from embedded_account.query import run_query
from embedded_account.security.roles import SYSTEM
from embedded_account.session import Session, TaskContext
from embedded_account.statements import execute
from embedded_account.tasks.active import ActiveRun
from embedded_account.tasks.definition import TaskDefinition, now
from embedded_account.tasks.runs import CANCELLED, EXECUTING, FAILED, SKIPPED, SUCCEEDED, TaskRun

CONDITION_FALSE = ("0040003", "Conditional expression for task evaluated to false.")


def new_row(run: ActiveRun, task: TaskDefinition, state: str) -> TaskRun:
    return TaskRun(
        group=run.row.group,
        attempt=run.row.attempt,
        name=task.name.name,
        task_id=task.id,
        state=state,
        query_text=task.body,
        condition=task.condition,
        scheduled=run.row.scheduled if task.is_root else now(),
        warehouse=task.warehouse,
    )


def run_task(
    session: Session,
    run: ActiveRun,
    task: TaskDefinition,
    deadlines: Deadlines,
    begun: Callable[[TaskRun], None],
) -> TaskRun:
    """Run the task in `session`, which is new. `begun` stores the row before the body runs.

    The answer is the finished row; it is stored by the caller.
    """
    row = new_row(run, task, EXECUTING)
    at, limit = run.deadline(task)
    watch = deadlines.watch(session, at)
    try:
        _prepare(session, run, task)
        if task.condition and not _holds(session, task.condition):
            row.state, row.completed = SKIPPED, now()
            row.error_code, row.error_message = CONDITION_FALSE
            return row
        row.query_id, row.started = str(uuid.uuid4()), now()
        begun(row)
        if row.name in run.cancelled:
            raise SnowflakeError("SQL execution canceled", 604, "57014")
        if time.monotonic() >= at:
            raise timed_out(limit)
        execute(session, task.body.strip(), query_id=row.query_id)
        row.state = SUCCEEDED
    except SnowflakeError as failure:
        cancelled = row.name in run.cancelled
        error = timed_out(limit) if watch.expired and not cancelled else failure
        row.state = CANCELLED if cancelled else FAILED
        row.error_code, row.error_message = error.wire_code, error.message
    finally:
        deadlines.release(watch)
    row.started = row.started or now()
    row.completed = now()
    row.return_value = run.values.get(row.name)
    return row


def _prepare(session: Session, run: ActiveRun, task: TaskDefinition) -> None:
    session.use(task.name.database, task.name.schema)
    session.task = TaskContext(run, task.name.name)
    session.user = SYSTEM
    session.serverless = task.warehouse is None
    if task.warehouse is not None:
        if session.account.get("WAREHOUSE", task.warehouse) is None:
            raise SnowflakeError(
                f"Warehouse '{task.warehouse}' of task {task.name} is missing or the role {task.owner} may not use it.",
                90073,
                "22000",
            )
        session.warehouse = task.warehouse
    set_parameters(session, task.session_parameters)


def _holds(session: Session, condition: str) -> bool:
    try:
        with session.lock:
            rows = run_query(session, f"SELECT ({condition})").rows()
    except duckdb.Error as failure:
        raise translated(failure, session) from failure
    value = rows[0][0] if rows else None
    return str(value).lower() in ("true", "1") if not isinstance(value, bool) else value
