"""The functions that a task's body may call, and those that act on graphs.

https://docs.snowflake.com/en/user-guide/tasks-graphs (runtime values, return values)
"""

from __future__ import annotations

import json
from typing import Any

from embedded_account.errors import SnowflakeError, invalid_value, unsupported
from embedded_account.functions import scalar_function
from embedded_account.names import ObjectName
from embedded_account.session import Session
from embedded_account.tasks import service
from embedded_account.tasks.active import ActiveRun


def _within(session: Session, function: str) -> tuple[ActiveRun, str]:
    if session.task is None:
        raise SnowflakeError(f"Function {function} must be called from within a task.", 90083, "55000")
    return session.task.run, session.task.name


def _only(arguments: list[object], function: str) -> str:
    if len(arguments) != 1 or arguments[0] is None:
        raise SnowflakeError(f"SQL compilation error:\nFunction {function} takes one string.", 938, "22023")
    return str(arguments[0])


@scalar_function("SYSTEM$SET_RETURN_VALUE")
def set_return_value(session: Session, arguments: list[object]) -> object:
    run, name = _within(session, "SYSTEM$SET_RETURN_VALUE")
    run.set_value(name, _only(arguments, "SYSTEM$SET_RETURN_VALUE"))
    return None


@scalar_function("SYSTEM$GET_PREDECESSOR_RETURN_VALUE")
def get_predecessor_return_value(session: Session, arguments: list[object]) -> object:
    run, name = _within(session, "SYSTEM$GET_PREDECESSOR_RETURN_VALUE")
    return run.predecessor_value(name, str(arguments[0]) if arguments else None)


@scalar_function("SYSTEM$GET_TASK_GRAPH_CONFIG")
def get_task_graph_config(session: Session, arguments: list[object]) -> object:
    """The configuration as JSON, or the value at a path such as 'a.b' or 'a[0]'; NULL if there is none."""
    run, _ = _within(session, "SYSTEM$GET_TASK_GRAPH_CONFIG")
    if run.row.config is None:
        return None
    if not arguments:
        return run.row.config
    value: Any = run.configuration()
    for key in str(arguments[0]).replace("[", ".").replace("]", "").split("."):
        key = key.strip("'\"")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value if isinstance(value, str) or value is None else json.dumps(value)


@scalar_function("SYSTEM$STREAM_HAS_DATA")
def stream_has_data(session: Session, arguments: list[object]) -> object:
    raise unsupported("streams: SYSTEM$STREAM_HAS_DATA")


@scalar_function("SYSTEM$CURRENT_USER_TASK_NAME")
def current_user_task_name(session: Session, arguments: list[object]) -> object:
    run, name = _within(session, "SYSTEM$CURRENT_USER_TASK_NAME")
    return str(run.graph.task(name).name)


@scalar_function("SYSTEM$TASK_RUNTIME_INFO")
def task_runtime_info(session: Session, arguments: list[object]) -> object:
    run, name = _within(session, "SYSTEM$TASK_RUNTIME_INFO")
    wanted = _only(arguments, "SYSTEM$TASK_RUNTIME_INFO").upper()
    known = run.information(name)
    if wanted not in known:
        raise invalid_value(
            f"invalid value [{wanted}] for SYSTEM$TASK_RUNTIME_INFO: expected one of {', '.join(known)}"
        )
    return known[wanted]


def _named(session: Session, arguments: list[object], function: str) -> ObjectName:
    return session.resolve_text(_only(arguments, function))


@scalar_function("SYSTEM$TASK_DEPENDENTS_ENABLE")
def task_dependents_enable(session: Session, arguments: list[object]) -> object:
    service.resume_graph(session, _named(session, arguments, "SYSTEM$TASK_DEPENDENTS_ENABLE"))
    return "true"


@scalar_function("SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS")
def cancel_ongoing_executions(session: Session, arguments: list[object]) -> object:
    """Of the named task alone; it answers before the task has ended.

    https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
    """
    name = _named(session, arguments, "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS")
    cancelled = service.engine_of(session).cancel(service.existing(session, name))
    return f"{cancelled} executions cancelled."
