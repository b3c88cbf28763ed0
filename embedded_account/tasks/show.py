"""SHOW TASKS and DESCRIBE TASK: https://docs.snowflake.com/en/sql-reference/sql/show-tasks"""

from __future__ import annotations

import json

from embedded_account.names import shown
from embedded_account.objects.show import read_show
from embedded_account.parse.cursor import Cursor
from embedded_account.result import DESCRIBE, SHOW, Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.tasks import store
from embedded_account.tasks.definition import CHILD_OVERLAP, TaskDefinition
from embedded_account.tasks.graph import Tasks, finalizer_of
from embedded_account.tasks.service import existing

COLUMNS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("id", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("warehouse", "text"),
    ("schedule", "text"),
    ("predecessors", "text"),
    ("state", "text"),
    ("definition", "text"),
    ("condition", "text"),
    ("allow_overlapping_execution", "text"),
    ("error_integration", "text"),
    ("last_committed_on", "timestamp_ltz"),
    ("last_suspended_on", "timestamp_ltz"),
    ("owner_role_type", "text"),
    ("config", "text"),
    ("budget", "text"),
    ("task_relations", "text"),
    ("last_suspended_reason", "text"),
    ("success_integration", "text"),
    ("scheduling_mode", "text"),
    ("target_completion_interval", "text"),
    ("execute_as_user", "text"),
    ("overlap_policy", "text"),
]
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name", "schedule")


def relations(task: TaskDefinition, siblings: Tasks) -> dict[str, object]:
    """The task_relations object: Predecessors, and FinalizerTask or FinalizedRootTask."""
    found: dict[str, object] = {"Predecessors": predecessors(task)}
    finalizer = finalizer_of(task.name.name, siblings)
    if finalizer is not None:
        found["FinalizerTask"] = str(finalizer.name)
    if task.finalize is not None:
        found["FinalizedRootTask"] = str(task.name.parent.object(task.finalize))
    return found


def predecessors(task: TaskDefinition) -> list[str]:
    return [str(task.name.parent.object(parent)) for parent in task.predecessors]


def row(task: TaskDefinition, siblings: Tasks) -> tuple[object, ...]:
    serverless = task.warehouse is None
    interval = task.serverless.get("TARGET_COMPLETION_INTERVAL")
    return (
        task.created_on,
        task.name.name,
        task.id,
        task.name.database,
        task.name.schema,
        task.owner,
        task.comment,
        None if serverless else shown(task.warehouse or ""),
        task.schedule,
        json.dumps(predecessors(task)),
        "started" if task.started else "suspended",
        task.body,
        task.condition,
        str(task.effective_overlap == CHILD_OVERLAP).lower() if task.is_root else "null",
        "null",
        task.last_committed_on,
        task.last_suspended_on,
        "ROLE",
        task.config,
        None,
        json.dumps(relations(task, siblings)),
        task.last_suspended_reason,
        "null",
        "FIXED" if serverless else None,
        None if interval is None else str(interval),
        None,
        task.effective_overlap if task.is_root else None,
    )


@statement("SHOW", "TASKS")
def show_tasks(session: Session, current: Statement) -> Result:
    return _show(session, current.cursor)


@statement("SHOW", "TERSE", "TASKS")
def show_terse_tasks(session: Session, current: Statement) -> Result:
    result = _show(session, current.cursor)
    at = {name: i for i, name in enumerate(result.names)}
    rows = [tuple(r[at[c]] if c in at else None for c in _TERSE) for r in result.rows()]
    return rows_result([(c, "timestamp_ltz" if c == "created_on" else "text") for c in _TERSE], rows)


def _show(session: Session, cursor: Cursor) -> Result:
    text, roots_only = _without_root_only(cursor.rest())
    show = read_show(session, Cursor(text))
    rows = []
    for database in show.databases(session):
        found = store.in_database(session.account, session.duck, database)
        for task in found:
            if show.has(task.name.schema) and (task.is_root or not roots_only):
                siblings = {t.name.name: t for t in found if t.name.schema == task.name.schema}
                rows.append(row(task, siblings))
    return rows_result(COLUMNS, show.cut(rows, 1), SHOW)


def _without_root_only(text: str) -> tuple[str, bool]:
    """ROOT ONLY, which only SHOW TASKS knows, may stand anywhere among the clauses."""
    cursor = Cursor(text)
    while not cursor.done:
        start = cursor.position
        if cursor.accept("ROOT", "ONLY"):
            return text[:start] + text[cursor.position :], True
        cursor.next()
    return text, False


@statement("DESCRIBE", "TASK")
@statement("DESC", "TASK")
def describe_task(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    task = existing(session, name)
    siblings = store.in_schema(session.account, session.duck, name.parent)
    return rows_result(COLUMNS, [row(task, siblings)], DESCRIBE)
