"""Tasks and graph runs in the JSON of snowflake.core's models (snowflake/core/task/_generated/models)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from embedded_account.errors import SnowflakeError, invalid_value
from embedded_account.names import ObjectName, shown
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session
from embedded_account.tasks import clauses, show
from embedded_account.tasks.definition import CHILD_OVERLAP, TaskDefinition
from embedded_account.tasks.graph import Tasks
from embedded_account.tasks.schedule import Schedule

_OPTIONS = {
    "warehouse": "WAREHOUSE",
    "comment": "COMMENT",
    "finalize": "FINALIZE",
    "task_auto_retry_attempts": "TASK_AUTO_RETRY_ATTEMPTS",
    "config": "CONFIG",
    "user_task_managed_initial_warehouse_size": "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
    "serverless_task_min_statement_size": "SERVERLESS_TASK_MIN_STATEMENT_SIZE",
    "serverless_task_max_statement_size": "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
    "user_task_timeout_ms": "USER_TASK_TIMEOUT_MS",
    "suspend_task_after_num_failures": "SUSPEND_TASK_AFTER_NUM_FAILURES",
    "overlap_policy": "OVERLAP_POLICY",
    "error_integration": "ERROR_INTEGRATION",
    "success_integration": "SUCCESS_INTEGRATION",
    "execute_as_user": "EXECUTE_AS_USER",
}


def read_task(session: Session, parent: tuple[str, str], body: dict[str, Any]) -> TaskDefinition:
    """The definition in a request's body.

    Raises:
        SnowflakeError: for what is missing, unknown or impossible.
    """
    for key in ("name", "definition"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise invalid_value(f"The task's property '{key}' is missing.")
    name = ObjectName(*parent, identifier(body["name"]))
    task = TaskDefinition(name, body["definition"], owner=session.role)
    options: dict[str, object] = {
        option: body[key] for key, option in _OPTIONS.items() if body.get(key) is not None
    }
    if body.get("overlap_policy") is None and body.get("allow_overlapping_execution") is not None:
        options["ALLOW_OVERLAPPING_EXECUTION"] = body["allow_overlapping_execution"]
    if body.get("schedule") is not None:
        options["SCHEDULE"] = _schedule_text(body["schedule"])
    if body.get("target_completion_interval") is not None:
        options["TARGET_COMPLETION_INTERVAL"] = _schedule_text(body["target_completion_interval"])
    parameters = {str(k).upper(): v for k, v in (body.get("session_parameters") or {}).items()}
    task = clauses.apply(session, task, {**options, **parameters})
    parents = [clauses.sibling(session, name, Cursor(str(p)).name()) for p in body.get("predecessors") or []]
    return replace(task, condition=body.get("condition"), predecessors=tuple(dict.fromkeys(parents)))


def identifier(text: str) -> str:
    """One identifier as a client writes it in a path or a body."""
    cursor = Cursor(text)
    name = cursor.identifier()
    cursor.end()
    return name


def _schedule_text(schedule: Any) -> str:
    kind = schedule.get("schedule_type") if isinstance(schedule, dict) else None
    if kind == "CRON_TYPE":
        return f"USING CRON {schedule.get('cron_expr')} {schedule.get('timezone')}"
    if kind == "MINUTES_TYPE":
        minutes, seconds = int(schedule.get("minutes") or 0), int(schedule.get("seconds") or 0)
        return f"{minutes * 60 + seconds} SECONDS" if seconds else f"{minutes} MINUTES"
    raise invalid_value(f"invalid value [{json.dumps(schedule)}] for parameter 'SCHEDULE'")


def _schedule_json(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    schedule = Schedule.of(text)
    if schedule.interval is None:
        return {"schedule_type": "CRON_TYPE", "cron_expr": schedule.cron, "timezone": schedule.zone}
    minutes, seconds = divmod(int(schedule.interval.total_seconds()), 60)
    return {"schedule_type": "MINUTES_TYPE", "minutes": minutes, "seconds": seconds}


def task_json(task: TaskDefinition, siblings: Tasks) -> dict[str, Any]:
    """The Task model; what is not set is left out."""
    interval = task.serverless.get("TARGET_COMPLETION_INTERVAL")
    sizes = {
        key: task.serverless.get(_OPTIONS[key])
        for key in (
            "user_task_managed_initial_warehouse_size",
            "serverless_task_min_statement_size",
            "serverless_task_max_statement_size",
        )
    }
    values: dict[str, Any] = {
        "name": shown(task.name.name),
        "warehouse": shown(task.warehouse) if task.warehouse else None,
        "schedule": _schedule_json(task.schedule),
        "comment": task.comment or None,
        "finalize": str(task.name.parent.object(task.finalize)) if task.finalize else None,
        "task_auto_retry_attempts": task.auto_retry,
        "config": task.configuration() if task.config else None,
        "session_parameters": task.session_parameters or None,
        "definition": task.body,
        "predecessors": show.predecessors(task),
        "task_relations": json.dumps(show.relations(task, siblings)),
        "target_completion_interval": _schedule_json(str(interval)) if interval else None,
        "user_task_timeout_ms": task.timeout_ms,
        "suspend_task_after_num_failures": task.suspend_after,
        "condition": task.condition,
        "allow_overlapping_execution": task.effective_overlap == CHILD_OVERLAP if task.is_root else None,
        "overlap_policy": task.effective_overlap if task.is_root else None,
        "created_on": _moment(task.created_on),
        "id": task.id,
        "owner": task.owner,
        "owner_role_type": "ROLE",
        "state": "started" if task.started else "suspended",
        "last_committed_on": _moment(task.last_committed_on),
        "last_suspended_on": _moment(task.last_suspended_on),
        "database_name": task.name.database,
        "schema_name": task.name.schema,
        **sizes,
    }
    return {key: value for key, value in values.items() if value is not None}


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def run_json(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """The TaskRun model from a row of COMPLETE_TASK_GRAPHS or CURRENT_TASK_GRAPHS.

    The model wants a next scheduled time; a root without a schedule has none, and gets that of the run itself.
    """
    found = dict(zip(names, row, strict=True))
    keys = (
        "ROOT_TASK_NAME",
        "DATABASE_NAME",
        "SCHEMA_NAME",
        "STATE",
        "FIRST_ERROR_TASK_NAME",
        "FIRST_ERROR_CODE",
        "FIRST_ERROR_MESSAGE",
        "SCHEDULED_TIME",
        "QUERY_START_TIME",
        "NEXT_SCHEDULED_TIME",
        "COMPLETED_TIME",
        "ROOT_TASK_ID",
        "GRAPH_VERSION",
        "RUN_ID",
    )
    found["NEXT_SCHEDULED_TIME"] = found["NEXT_SCHEDULED_TIME"] or found["SCHEDULED_TIME"]
    values = {key.lower(): found[key] for key in keys if found.get(key) is not None}
    return {key: _moment(v) if isinstance(v, datetime) else v for key, v in values.items()}


def read_tag(session: Session, body: Any) -> ObjectName:
    """The tag that a TagAssignment or TagReference names."""
    if not isinstance(body, dict) or not body.get("tag_name"):
        raise invalid_value("A tag's property 'tag_name' is missing.")
    parts = [body.get("tag_database"), body.get("tag_schema"), body["tag_name"]]
    if parts[0] and not parts[1]:
        raise SnowflakeError("SQL compilation error:\nA tag's database needs its schema.", 1008, "22023")
    return session.resolve(tuple(identifier(str(p)) for p in parts if p))
