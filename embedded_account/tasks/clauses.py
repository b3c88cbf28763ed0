"""The clauses of CREATE TASK and ALTER TASK, and what each does to a definition.

https://docs.snowflake.com/en/sql-reference/sql/create-task
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from embedded_account.errors import SnowflakeError, does_not_exist, invalid_value, unsupported
from embedded_account.names import ObjectName, shown
from embedded_account.parameters import PARAMETERS, checked
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session
from embedded_account.tasks.definition import (
    CHILD_OVERLAP,
    LONGEST_TIMEOUT_MS,
    NO_OVERLAP,
    OVERLAP_POLICIES,
    TaskDefinition,
    parse_config,
)
from embedded_account.tasks.schedule import Schedule

_REFUSED = ("ERROR_INTEGRATION", "SUCCESS_INTEGRATION", "EXECUTE_AS_USER")
_SERVERLESS = (
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
    "TARGET_COMPLETION_INTERVAL",
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE",
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS",
)
# Clause: (field, least, most)
_NUMBERS = {
    "USER_TASK_TIMEOUT_MS": ("timeout_ms", 0, LONGEST_TIMEOUT_MS),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": ("suspend_after", 0, 2**31 - 1),
    "TASK_AUTO_RETRY_ATTEMPTS": ("auto_retry", 0, 30),
}
_PLAIN_FIELDS = {
    "WAREHOUSE": "warehouse",
    "SCHEDULE": "schedule",
    "CONFIG": "config",
    "OVERLAP_POLICY": "overlap_policy",
    "ALLOW_OVERLAPPING_EXECUTION": "overlap_policy",
    "FINALIZE": "finalize",
}


def read_options(cursor: Cursor) -> dict[str, object]:
    """KEY = value pairs, with commas or without. A name keeps its quoting only where it had to be quoted."""
    found: dict[str, object] = {}
    while cursor.peek().kind == "word" and cursor.peek(1).text == "=":
        key = cursor.next().text.upper()
        cursor.expect("=")
        named = key in ("WAREHOUSE", "FINALIZE") and not cursor.looking_at_string()
        found[key] = cursor.name() if named else cursor.value()
        cursor.accept(",")
    return found


def read_names(cursor: Cursor) -> list[tuple[str, ...]]:
    """`name, name, …`, each a name or a string with one."""
    found = [_read_name(cursor)]
    while cursor.accept(","):
        found.append(_read_name(cursor))
    return found


def _read_name(cursor: Cursor) -> tuple[str, ...]:
    return Cursor(cursor.string()).name() if cursor.looking_at_string() else cursor.name()


def read_condition(cursor: Cursor) -> str:
    """The expression behind WHEN, up to AS or the end."""
    start, depth, end = cursor.position, 0, cursor.position
    while not cursor.done and not (depth == 0 and cursor.looking_at("AS")):
        token = cursor.next()
        depth += (token.text == "(") - (token.text == ")")
        end = token.end
    if end == start:
        raise cursor.error()
    return cursor.text[start:end]


def sibling(session: Session, task: ObjectName, parts: tuple[str, ...]) -> str:
    """The name of a task that must live in the same schema; an unqualified one is taken to."""
    name = task.parent.object(parts[0]) if len(parts) == 1 else session.resolve(parts)
    if name.parent != task.parent:
        raise SnowflakeError(
            f"All tasks of a graph must be in the same schema: {name} is not in {task.parent}.",
            91422,
            "0A000",
        )
    return name.name


def apply(session: Session, task: TaskDefinition, options: dict[str, object]) -> TaskDefinition:
    """The definition with these clauses set.

    Raises:
        SnowflakeError: for a clause that is unknown, refused or has an impossible value.
    """
    for key, value in options.items():
        task = _apply_one(session, task, key, value)
    if task.warehouse is not None and "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE" in task.serverless:
        raise SnowflakeError(
            "SQL compilation error:\nWAREHOUSE and USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE cannot both be set.",
            91420,
            "42601",
        )
    return task


def _apply_one(session: Session, task: TaskDefinition, key: str, value: Any) -> TaskDefinition:
    if key in _REFUSED:
        raise unsupported(f"{key} of a task")
    if key in _NUMBERS:
        name, least, most = _NUMBERS[key]
        return task.having(**{name: _number(key, value, least, most)})
    if key == "WAREHOUSE":
        return replace(task, warehouse=_warehouse(session, value))
    if key == "FINALIZE":
        parts = value if isinstance(value, tuple) else Cursor(str(value)).name()
        return replace(task, finalize=sibling(session, task.name, parts))
    if key == "SCHEDULE":
        Schedule.of(str(value))
        return replace(task, schedule=str(value))
    if key == "CONFIG":
        text = value if isinstance(value, str) else json.dumps(value)
        parse_config(text)
        return replace(task, config=text)
    if key == "OVERLAP_POLICY":
        if str(value).upper() not in OVERLAP_POLICIES:
            raise invalid_value(f"invalid value [{value}] for parameter 'OVERLAP_POLICY'")
        return replace(task, overlap_policy=str(value).upper())
    if key == "ALLOW_OVERLAPPING_EXECUTION":
        allowed = str(value).lower() == "true"
        return replace(task, overlap_policy=CHILD_OVERLAP if allowed else NO_OVERLAP)
    if key == "COMMENT":
        return replace(task, comment=str(value))
    if key in _SERVERLESS:
        return replace(task, serverless={**task.serverless, key: value})
    if key in PARAMETERS:
        return replace(task, session_parameters={**task.session_parameters, key: checked(key, value)})
    raise SnowflakeError(f"SQL compilation error:\ninvalid property '{key}' for 'TASK'", 1422, "22023")


def _number(key: str, value: Any, least: int, most: int) -> int:
    number = int(value) if str(value).isdigit() else -1
    if not least <= number <= most:
        raise invalid_value(f"invalid value [{value}] for parameter '{key}'")
    return number


def _warehouse(session: Session, value: Any) -> str:
    name = value[-1] if isinstance(value, tuple) else Cursor(str(value)).identifier()
    if session.account.get("WAREHOUSE", name) is None:
        raise does_not_exist("Warehouse", shown(name))
    return str(name)


def unset(task: TaskDefinition, key: str) -> TaskDefinition:
    """The definition with a clause back at its default."""
    if key in _PLAIN_FIELDS:
        return task.having(**{_PLAIN_FIELDS[key]: None})
    if key in _NUMBERS:
        return task.having(**{_NUMBERS[key][0]: None})
    if key == "COMMENT":
        return replace(task, comment="")
    if key in _SERVERLESS:
        return replace(task, serverless={k: v for k, v in task.serverless.items() if k != key})
    if key in PARAMETERS:
        return replace(
            task, session_parameters={k: v for k, v in task.session_parameters.items() if k != key}
        )
    if key in _REFUSED:
        return task
    raise SnowflakeError(f"SQL compilation error:\ninvalid property '{key}' for 'TASK'", 1422, "22023")
