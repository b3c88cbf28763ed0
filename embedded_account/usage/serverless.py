"""Credits of what Snowflake computes itself: tasks without a warehouse, container services.

https://docs.snowflake.com/en/sql-reference/account-usage/serverless_task_history, …/functions/serverless_task_history,
…/account-usage/snowpark_container_services_history
"""

from __future__ import annotations

from datetime import timedelta

from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage import arguments, lateness
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.billing import SERVERLESS
from embedded_account.usage.metering import of_hours
from embedded_account.usage.task_history import YEAR, identifier

PAST = timedelta(days=14)
_DEFAULT_RANGE = timedelta(minutes=10)
_TASKS = f"""
    SELECT hour AS "START_TIME", hour + INTERVAL 1 HOUR AS "END_TIME", credits AS "CREDITS_USED",
        {identifier("task_id")} AS "TASK_ID", name AS "TASK_NAME",
        {identifier("database_name", "schema_name")} AS "SCHEMA_ID", schema_name AS "SCHEMA_NAME",
        {identifier("database_name")} AS "DATABASE_ID", database_name AS "DATABASE_NAME",
        CAST(NULL AS BIGINT) AS "INSTANCE_ID"
    FROM {{}} WHERE service = '{SERVERLESS}'
"""


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.SERVERLESS_TASK_HISTORY")
def account_serverless_tasks(session: Session, database: str) -> str:
    """The last year by hour."""
    shown = lateness.old_enough(session, '"END_TIME"')
    return (
        f'SELECT * FROM ({of_hours(session, _TASKS)}) AS found WHERE "START_TIME" >= {timestamp(now() - YEAR)} '
        f"AND {shown}"
    )


@table_function("INFORMATION_SCHEMA.SERVERLESS_TASK_HISTORY")
def serverless_tasks(session: Session, call: TableCall) -> str:
    """The hours that the range touches, of the last 14 days; it ends now, and begins 10 minutes before its end."""
    names = ("DATE_RANGE_START", "DATE_RANGE_END", "TASK_NAME")
    call = arguments.bind(call, names, "SERVERLESS_TASK_HISTORY")
    end = arguments.moment(call, "DATE_RANGE_END") or now()
    start = max(arguments.moment(call, "DATE_RANGE_START") or end - _DEFAULT_RANGE, now() - PAST)
    where = [f'"END_TIME" > {timestamp(start)}', f'"START_TIME" < {timestamp(end)}']
    if (wanted := arguments.text(call, "TASK_NAME")) is not None:
        *place, name = session.resolve_text(wanted) if "." in wanted else (session.resolve_text(wanted).name,)
        named = dict(zip(("DATABASE_NAME", "SCHEMA_NAME"), place, strict=False)) | {"TASK_NAME": name}
        where += [f'"{column}" = {literal(part)}' for column, part in named.items()]
    return (
        f'SELECT "START_TIME", "END_TIME", "TASK_NAME", "CREDITS_USED" FROM ({of_hours(session, _TASKS)}) AS found '
        f'WHERE {" AND ".join(where)} ORDER BY "START_TIME", "TASK_NAME"'
    )


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.SNOWPARK_CONTAINER_SERVICES_HISTORY")
def container_services(session: Session, database: str) -> str:
    """Empty: no container runs in this account, so that no compute pool costs anything."""
    return """
        SELECT CAST(NULL AS TIMESTAMPTZ) AS "START_TIME", CAST(NULL AS TIMESTAMPTZ) AS "END_TIME",
            CAST(NULL AS VARCHAR) AS "COMPUTE_POOL_NAME", CAST(NULL AS BIGINT) AS "COMPUTE_POOL_ID",
            CAST(NULL AS BOOLEAN) AS "IS_EXCLUSIVE", CAST(NULL AS VARCHAR) AS "APPLICATION_NAME",
            CAST(NULL AS BIGINT) AS "APPLICATION_ID", CAST(NULL AS DOUBLE) AS "CREDITS_USED" WHERE false
    """
