"""Credits by the hour and day: WAREHOUSE_METERING_HISTORY, METERING_HISTORY, METERING_DAILY_HISTORY.

https://docs.snowflake.com/en/sql-reference/account-usage/warehouse_metering_history, …/metering_history,
…/metering_daily_history, …/functions/warehouse_metering_history. Cloud services cost nothing here.
"""

from __future__ import annotations

from datetime import timedelta

from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage import arguments, lateness
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.billing import SERVERLESS, WAREHOUSE
from embedded_account.usage.meter import HOURS, OPEN_HOURS, meter_of
from embedded_account.usage.task_history import YEAR, identifier

MONTHS = timedelta(days=183)
_WAREHOUSES = f"""
    SELECT hour AS "START_TIME", hour + INTERVAL 1 HOUR AS "END_TIME", {identifier("name")} AS "WAREHOUSE_ID",
        name AS "WAREHOUSE_NAME", credits AS "CREDITS_USED", credits AS "CREDITS_USED_COMPUTE",
        CAST(0 AS DOUBLE) AS "CREDITS_USED_CLOUD_SERVICES", attributed AS "CREDITS_ATTRIBUTED_COMPUTE_QUERIES"
    FROM {{}} WHERE service = '{WAREHOUSE}'
"""
_SERVICES = f"""
    SELECT service AS "SERVICE_TYPE", hour AS "START_TIME", hour + INTERVAL 1 HOUR AS "END_TIME",
        CASE WHEN task_id IS NULL THEN {identifier("name")} ELSE {identifier("task_id")} END AS "ENTITY_ID",
        CASE WHEN service = '{SERVERLESS}' THEN 'TASK' ELSE 'WAREHOUSE' END AS "ENTITY_TYPE", name AS "NAME",
        {identifier("database_name")} AS "DATABASE_ID", database_name AS "DATABASE_NAME",
        {identifier("database_name", "schema_name")} AS "SCHEMA_ID", schema_name AS "SCHEMA_NAME",
        credits AS "CREDITS_USED_COMPUTE", CAST(0 AS DOUBLE) AS "CREDITS_USED_CLOUD_SERVICES",
        credits AS "CREDITS_USED", CAST(NULL AS BIGINT) AS "BYTES", CAST(NULL AS BIGINT) AS "ROWS",
        CAST(NULL AS BIGINT) AS "FILES"
    FROM {{}}
"""


def of_hours(session: Session, select: str) -> str:
    """A query over the hours, with that one that goes on; `select` has END_TIME, and {} where it reads from."""
    meter_of(session.account).bring_up_to_date()
    return " UNION ALL ".join(select.format(table) for table in (HOURS, OPEN_HOURS))


def _year(session: Session, select: str) -> str:
    """What ACCOUNT_USAGE shows by now: an hour that goes on only if nothing is late."""
    shown = lateness.old_enough(session, '"END_TIME"')
    return (
        f'SELECT * FROM ({of_hours(session, select)}) AS found WHERE "START_TIME" >= {timestamp(now() - YEAR)} '
        f"AND {shown}"
    )


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY")
def warehouse_metering(session: Session, database: str) -> str:
    """The last year by hour."""
    return _year(session, _WAREHOUSES)


@table_function("INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY")
def warehouse_metering_history(session: Session, call: TableCall) -> str:
    """Six months at most, in the order of the hours."""
    names = ("DATE_RANGE_START", "DATE_RANGE_END", "WAREHOUSE_NAME")
    call = arguments.bind(call, names, "WAREHOUSE_METERING_HISTORY")
    earliest = now() - MONTHS
    start = max(arguments.moment(call, "DATE_RANGE_START") or earliest, earliest)
    end = arguments.moment(call, "DATE_RANGE_END") or now()
    where = [f'"END_TIME" > {timestamp(start)}', f'"START_TIME" < {timestamp(end)}']
    if (wanted := arguments.text(call, "WAREHOUSE_NAME")) is not None:
        where.append(f'"WAREHOUSE_NAME" = {literal(wanted)}')
    return (
        f'SELECT * EXCLUDE ("WAREHOUSE_ID") FROM ({of_hours(session, _WAREHOUSES)}) AS found '
        f'WHERE {" AND ".join(where)} ORDER BY "START_TIME", "WAREHOUSE_NAME"'
    )


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.METERING_HISTORY")
def metering(session: Session, database: str) -> str:
    """Warehouses and serverless tasks: nothing else costs credits here."""
    return _year(session, _SERVICES)


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.METERING_DAILY_HISTORY")
def metering_daily(session: Session, database: str) -> str:
    """By day in the session's time zone. Nothing is adjusted, as cloud services cost nothing."""
    return f"""
        SELECT "SERVICE_TYPE", CAST("START_TIME" AS DATE) AS "USAGE_DATE",
            sum("CREDITS_USED_COMPUTE") AS "CREDITS_USED_COMPUTE",
            sum("CREDITS_USED_CLOUD_SERVICES") AS "CREDITS_USED_CLOUD_SERVICES", sum("CREDITS_USED") AS "CREDITS_USED",
            CAST(0 AS DOUBLE) AS "CREDITS_ADJUSTMENT_CLOUD_SERVICES", sum("CREDITS_USED") AS "CREDITS_BILLED"
        FROM ({_year(session, _SERVICES)}) AS hours GROUP BY "SERVICE_TYPE", CAST("START_TIME" AS DATE)
    """
