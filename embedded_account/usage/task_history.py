"""Runs of tasks: INFORMATION_SCHEMA.TASK_HISTORY and SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY.

https://docs.snowflake.com/en/sql-reference/functions/task_history, …/account-usage/task_history
"""

from __future__ import annotations

from datetime import datetime, timedelta

from embedded_account.errors import invalid_value
from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import duck, literal
from embedded_account.session import Session
from embedded_account.tasks.attempts import SCHEDULE
from embedded_account.tasks.definition import TaskDefinition, now
from embedded_account.tasks.runs import (
    CANCELLED,
    FAILED,
    FAILED_AND_SUSPENDED,
    GRAPH_RUNS,
    LIVE,
    SCHEDULED,
    TASK_RUNS,
)
from embedded_account.tasks.schedule import Schedule
from embedded_account.usage import arguments, lateness
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.stored_views import stored_view

PAST = timedelta(days=7)
FUTURE = timedelta(days=8)
YEAR = timedelta(days=365)
# "Seven days ago" is reckoned a moment before it is looked at.
_LENIENCE = timedelta(minutes=5)
ERRORS = f"('{FAILED}', '{FAILED_AND_SUSPENDED}', '{CANCELLED}')"
_UNKNOWN = (
    'CAST(NULL AS VARCHAR) AS "QUERY_HASH", CAST(NULL AS BIGINT) AS "QUERY_HASH_VERSION", '
    'CAST(NULL AS VARCHAR) AS "QUERY_PARAMETERIZED_HASH", CAST(NULL AS BIGINT) AS "QUERY_PARAMETERIZED_HASH_VERSION"'
)
_RUNS = f"""
    SELECT t."query_id" AS "QUERY_ID", t."name" AS "NAME", g."database" AS "DATABASE_NAME", g."schema" AS "SCHEMA_NAME",
        t."query_text" AS "QUERY_TEXT", t."condition" AS "CONDITION_TEXT", t."state" AS "STATE",
        t."error_code" AS "ERROR_CODE", t."error_message" AS "ERROR_MESSAGE", t."scheduled" AS "SCHEDULED_TIME",
        t."started" AS "QUERY_START_TIME",
        CASE WHEN t."task_id" = g."root_id" THEN g."next_scheduled" END AS "NEXT_SCHEDULED_TIME",
        t."completed" AS "COMPLETED_TIME", g."root_id" AS "ROOT_TASK_ID", g."version" AS "GRAPH_VERSION",
        g."run_id" AS "RUN_ID", t."return_value" AS "RETURN_VALUE", g."scheduled_from" AS "SCHEDULED_FROM",
        g."attempt" AS "ATTEMPT_NUMBER", g."config" AS "CONFIG", {_UNKNOWN},
        CAST(g."group" AS VARCHAR) AS "GRAPH_RUN_GROUP_ID", CAST(NULL AS VARCHAR) AS "BACKFILL_INFO",
        CAST(NULL AS BIGINT) AS "SPCS_JOB_ID"
    FROM {TASK_RUNS} AS t JOIN {GRAPH_RUNS} AS g ON t."group" = g."group" AND t."attempt" = g."attempt"
"""
_NAMES = (
    "SCHEDULED_TIME_RANGE_START",
    "SCHEDULED_TIME_RANGE_END",
    "RESULT_LIMIT",
    "TASK_NAME",
    "DATABASE_NAME",
    "SCHEMA_NAME",
    "ERROR_ONLY",
    "ROOT_TASK_ID",
)


# Roots of runs that wait for the run before them.
_WAITING = f"""
    SELECT NULL, g."root", g."database", g."schema", NULL, NULL, g."state", NULL, NULL, g."scheduled", NULL,
        g."next_scheduled", NULL, g."root_id", g."version", g."run_id", NULL, g."scheduled_from", g."attempt",
        g."config", NULL, NULL, NULL, NULL, CAST(g."group" AS VARCHAR), NULL, NULL
    FROM {GRAPH_RUNS} AS g WHERE g."state" = '{SCHEDULED}'
"""
_ROWS = stored_view("task_history_rows", f"{_RUNS} UNION ALL {_WAITING}")


def _upcoming(task: TaskDefinition, at: datetime) -> str:
    """The next run of a root by its schedule, which no row stands for yet."""
    following = Schedule.of(task.schedule or "").after(at)
    return (
        f"SELECT NULL, {literal(task.name.name)}, {literal(task.name.database)}, {literal(task.name.schema)}, "
        f"{literal(task.body)}, {literal(task.condition)}, '{SCHEDULED}', NULL, NULL, {timestamp(at)}, NULL, "
        f"{timestamp(following)}, NULL, {literal(task.id)}, {task.version}, {int(at.timestamp() * 1000)}, NULL, "
        f"'{SCHEDULE}', 1, {literal(task.config)}, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    )


@table_function("INFORMATION_SCHEMA.TASK_HISTORY")
def task_history(session: Session, call: TableCall) -> str:
    """The last 7 days and the scheduled runs of the next 8, the latest first."""
    call = arguments.bind(call, _NAMES, "TASK_HISTORY")
    moment = now()
    start = arguments.moment(call, "SCHEDULED_TIME_RANGE_START") or moment - PAST
    end = arguments.moment(call, "SCHEDULED_TIME_RANGE_END") or moment + FUTURE
    if min(start, end) < moment - PAST - _LENIENCE:
        raise invalid_value("The time range of TASK_HISTORY must be within the last 7 days.")
    end = min(end, moment + FUTURE)
    where = [f'"SCHEDULED_TIME" >= {timestamp(start)}', f'"SCHEDULED_TIME" <= {timestamp(end)}']
    if (name := arguments.text(call, "TASK_NAME")) is not None:
        where.append(f'upper("NAME") = {literal(name.upper())}')
    where += _place(call)
    if (root := arguments.text(call, "ROOT_TASK_ID")) is not None:
        where.append(f'"ROOT_TASK_ID" = {literal(root)}')
    if arguments.flag(call, "ERROR_ONLY"):
        where.append(f'"STATE" IN {ERRORS}')
    engine = session.account.tasks
    upcoming = engine.scheduler.upcoming() if engine else []
    parts = [f"SELECT * FROM {_ROWS}", *(_upcoming(task, at) for task, at in upcoming)]
    return (
        f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS found WHERE {' AND '.join(where)} "
        f'ORDER BY "SCHEDULED_TIME" DESC, "QUERY_START_TIME" DESC LIMIT {arguments.limit(call, 100)}'
    )


def _place(call: TableCall) -> list[str]:
    """Conditions for DATABASE_NAME and SCHEMA_NAME: case counts within double quotes only."""
    found = []
    for name in ("DATABASE_NAME", "SCHEMA_NAME"):
        value = arguments.text(call, name)
        if value is None:
            continue
        if len(value) > 2 and value[0] == value[-1] == '"':
            exact = value[1:-1].replace('""', '"')
            found.append(f"{duck(name)} = {literal(exact)}")
        else:
            found.append(f"upper({duck(name)}) = {literal(value.upper())}")
    if len(found) == 1 and call.get("SCHEMA_NAME") is not None:
        raise invalid_value("SCHEMA_NAME of TASK_HISTORY needs DATABASE_NAME.")
    return found


def identifier(*columns: str) -> str:
    """A number that stands for a name, as the ids of databases and schemas do."""
    joined = " || '.' || ".join(columns)
    return f"CASE WHEN ({joined}) IS NOT NULL THEN CAST(hash({joined}) % 1000000000 AS BIGINT) END"


_ACCOUNT = stored_view(
    "account_task_history",
    f"""
        SELECT "NAME", "QUERY_TEXT", "CONDITION_TEXT", "SCHEMA_NAME",
            {identifier('"DATABASE_NAME"', '"SCHEMA_NAME"')} AS "TASK_SCHEMA_ID", "DATABASE_NAME",
            {identifier('"DATABASE_NAME"')} AS "TASK_DATABASE_ID", "SCHEDULED_TIME", "COMPLETED_TIME", "STATE",
            "RETURN_VALUE", "QUERY_ID", "QUERY_START_TIME", "ERROR_CODE", "ERROR_MESSAGE", "GRAPH_VERSION", "RUN_ID",
            "ROOT_TASK_ID", "SCHEDULED_FROM", "ATTEMPT_NUMBER", CAST(NULL AS BIGINT) AS "INSTANCE_ID", "CONFIG",
            "QUERY_HASH", "QUERY_HASH_VERSION", "QUERY_PARAMETERIZED_HASH", "QUERY_PARAMETERIZED_HASH_VERSION",
            "GRAPH_RUN_GROUP_ID", "BACKFILL_INFO", "SPCS_JOB_ID"
        FROM ({_RUNS}) AS runs WHERE "STATE" NOT IN {LIVE}
    """,
)


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY")
def account_task_history(session: Session, database: str) -> str:
    """Finished runs of the last year."""
    shown = lateness.old_enough(session, '"COMPLETED_TIME"')
    return f'SELECT * FROM {_ACCOUNT} WHERE "SCHEDULED_TIME" >= {timestamp(now() - YEAR)} AND {shown}'
