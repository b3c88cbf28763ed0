"""What dynamic tables did and how fresh they are.

https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history, …/dynamic_tables,
https://docs.snowflake.com/en/sql-reference/account-usage/dynamic_table_refresh_history
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from embedded_account.catalog import Record
from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects.dynamic_table_history import TABLE, has_history, history_table
from embedded_account.objects.dynamic_table_refresh import KIND, data_timestamp, lag_seconds
from embedded_account.result import Result, rows_result
from embedded_account.session import Session
from embedded_account.usage import arguments, lateness
from embedded_account.usage.task_history import identifier

_HISTORY = (
    "DATA_TIMESTAMP_START",
    "DATA_TIMESTAMP_END",
    "RESULT_LIMIT",
    "NAME",
    "NAME_PREFIX",
    "ERROR_ONLY",
)


def _rows(session: Session, database: str) -> str:
    """A query for a database's refreshes, in the columns of the table function."""
    quoted = literal(database)
    return f"""
        SELECT name AS "NAME", schema_name AS "SCHEMA_NAME", {quoted} AS "DATABASE_NAME", state AS "STATE",
            state_code AS "STATE_CODE", state_message AS "STATE_MESSAGE", query_id AS "QUERY_ID",
            data_timestamp AS "DATA_TIMESTAMP", refresh_start_time AS "REFRESH_START_TIME",
            refresh_end_time AS "REFRESH_END_TIME", completion_target AS "COMPLETION_TARGET",
            {quoted} || '.' || schema_name || '.' || name AS "QUALIFIED_NAME",
            CAST(NULL AS VARCHAR) AS "LAST_COMPLETED_DEPENDENCY", CAST(statistics AS JSON) AS "STATISTICS",
            refresh_action AS "REFRESH_ACTION", refresh_trigger AS "REFRESH_TRIGGER",
            target_lag_sec AS "TARGET_LAG_SEC", CAST(NULL AS TIMESTAMPTZ) AS "GRAPH_HISTORY_VALID_FROM",
            warehouse AS "WAREHOUSE"
        FROM {_table(session, database)}
    """


def _table(session: Session, database: str) -> str:
    """The history's address, made if need be, so that a query over all databases has one shape."""
    if not has_history(session.duck, database):
        with session.changing(database) as connection:
            return history_table(connection, database)
    return duck(database, "__catalog", TABLE)


def _all_rows(session: Session) -> str:
    databases = session.account.databases()
    return " UNION ALL ".join(_rows(session, database) for database in databases) or _rows_of_nothing()


@table_function("INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY")
def refresh_history(session: Session, call: TableCall) -> str:
    """Refreshes of the whole account, the newest first: those of the last day unless a range or a name is given."""
    call = arguments.bind(call, _HISTORY, "DYNAMIC_TABLE_REFRESH_HISTORY")
    conditions = []
    end = arguments.moment(call, "DATA_TIMESTAMP_END")
    start = arguments.moment(call, "DATA_TIMESTAMP_START")
    if end is not None:
        conditions.append(f'"DATA_TIMESTAMP" <= {arguments.timestamp(end)}')
    start = start or (end or datetime.now(UTC)) - timedelta(days=1)
    conditions.append(f'"DATA_TIMESTAMP" >= {arguments.timestamp(start)}')
    if (name := arguments.text(call, "NAME")) is not None:
        conditions.append(f'upper("QUALIFIED_NAME") = {literal(_qualified(session, name).upper())}')
    if (prefix := arguments.text(call, "NAME_PREFIX")) is not None:
        conditions.append(f'starts_with(upper("QUALIFIED_NAME"), {literal(prefix.upper())})')
    if arguments.flag(call, "ERROR_ONLY"):
        conditions.append("\"STATE\" IN ('FAILED', 'UPSTREAM_FAILED', 'CANCELLED')")
    return (
        f"SELECT * FROM ({_all_rows(session)}) WHERE {' AND '.join(conditions)} "
        f'ORDER BY "REFRESH_START_TIME" DESC LIMIT {arguments.limit(call, 100)}'
    )


def _qualified(session: Session, text: str) -> str:
    return ".".join(session.resolve_text(text))


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.DYNAMIC_TABLE_REFRESH_HISTORY")
def account_refresh_history(session: Session, database: str) -> str:
    return f"""
        SELECT "NAME", "SCHEMA_NAME", "DATABASE_NAME", {identifier('"QUALIFIED_NAME"')} AS "ID",
            {identifier('"DATABASE_NAME"', '"SCHEMA_NAME"')} AS "SCHEMA_ID",
            {identifier('"DATABASE_NAME"')} AS "DATABASE_ID",
            * EXCLUDE ("NAME", "SCHEMA_NAME", "DATABASE_NAME"), CAST(NULL AS VARCHAR) AS "EXECUTE_AS_USER",
            CAST(NULL AS VARCHAR) AS "SECONDARY_ROLE_NAMES"
        FROM ({_all_rows(session)})
        WHERE "STATE" <> 'EXECUTING' AND {lateness.old_enough(session, '"REFRESH_END_TIME"')}
    """


def _rows_of_nothing() -> str:
    """The same columns where no database exists."""
    text = "NAME SCHEMA_NAME DATABASE_NAME STATE STATE_CODE STATE_MESSAGE QUERY_ID"
    times = "DATA_TIMESTAMP REFRESH_START_TIME REFRESH_END_TIME COMPLETION_TARGET GRAPH_HISTORY_VALID_FROM"
    rest = "QUALIFIED_NAME LAST_COMPLETED_DEPENDENCY STATISTICS REFRESH_ACTION REFRESH_TRIGGER"
    columns = [f'CAST(NULL AS VARCHAR) AS "{name}"' for name in text.split()]
    columns += [f'CAST(NULL AS TIMESTAMPTZ) AS "{name}"' for name in times.split()]
    columns += [f'CAST(NULL AS VARCHAR) AS "{name}"' for name in rest.split()]
    columns += ['CAST(NULL AS BIGINT) AS "TARGET_LAG_SEC"', 'CAST(NULL AS VARCHAR) AS "WAREHOUSE"']
    return f"SELECT {', '.join(columns)} WHERE false"


_STATES = [
    ("NAME", "text"),
    ("SCHEMA_NAME", "text"),
    ("DATABASE_NAME", "text"),
    ("QUALIFIED_NAME", "text"),
    ("TARGET_LAG_SEC", "fixed"),
    ("TARGET_LAG_TYPE", "text"),
    ("SCHEDULING_STATE", "object"),
    ("MEAN_LAG_SEC", "fixed"),
    ("MAXIMUM_LAG_SEC", "fixed"),
    ("TIME_ABOVE_TARGET_LAG_SEC", "fixed"),
    ("TIME_WITHIN_TARGET_LAG_RATIO", "real"),
    ("LATEST_DATA_TIMESTAMP", "timestamp_ltz"),
    ("LAST_COMPLETED_REFRESH_STATE", "text"),
    ("LAST_COMPLETED_REFRESH_STATE_CODE", "text"),
    ("LAST_COMPLETED_REFRESH_STATE_MESSAGE", "text"),
    ("EXECUTING_REFRESH_QUERY_ID", "text"),
]


@table_function("INFORMATION_SCHEMA.DYNAMIC_TABLES")
def dynamic_tables(session: Session, call: TableCall) -> Result:
    """Every dynamic table with its lag, from the refreshes of the last day."""
    names = ("NAME", "REFRESH_DATA_TIMESTAMP_START", "RESULT_LIMIT", "INCLUDE_CONNECTED")
    call = arguments.bind(call, names, "DYNAMIC_TABLES")
    wanted = arguments.text(call, "NAME")
    since = arguments.moment(call, "REFRESH_DATA_TIMESTAMP_START") or datetime.now(UTC) - timedelta(days=1)
    rows = []
    for database in session.account.databases():
        for record in session.account.catalog_of(database).list(session.duck, KIND):
            name = ObjectName(database, record.schema, record.name)
            if wanted is None or session.resolve_text(wanted) == name:
                rows.append(_state(session, name, record, since))
    return rows_result(_STATES, rows[: arguments.limit(call, 100)], 0x1000)


def _state(session: Session, name: ObjectName, record: Record, since: datetime) -> tuple[object, ...]:
    refreshes = session.duck.execute(
        "SELECT state, state_code, state_message, data_timestamp, refresh_end_time "
        f"FROM {_table(session, name.database)} WHERE name = ? AND schema_name = ? AND data_timestamp >= ? "
        "ORDER BY refresh_start_time",
        [name.name, name.schema, since],
    ).fetchall()
    target = lag_seconds(str(record.body["options"]["TARGET_LAG"]))
    body = record.body
    state: dict[str, Any] = {"state": body["state"], "reason_code": None, "reason_message": None}
    if body["state"] == "SUSPENDED":
        failed = body.get("suspended_because")
        state["reason_code"] = "SUSPENDED_DUE_TO_ERRORS" if failed else "USER_SUSPENDED"
        state["reason_message"] = failed or "The dynamic table was suspended by a user."
        state["suspended_on"] = body.get("suspended_on")
    last = refreshes[-1] if refreshes else (None, None, None, None, None)
    return (
        name.name,
        name.schema,
        name.database,
        ".".join(shown(part) for part in name),
        target,
        "DOWNSTREAM" if target is None else "USER_DEFINED",
        json.dumps(state),
        *_lags([(row[3], row[4]) for row in refreshes if row[0] == "SUCCEEDED"], target),
        data_timestamp(record),
        last[0],
        last[1],
        last[2],
        None,
    )


def _lags(refreshes: list[tuple[datetime, datetime]], target: int | None) -> tuple[object, ...]:
    """(mean, maximum, seconds above the target, share of time within it) from (data's time, refresh's end) pairs.

    The lag grows from one refresh's end to the next one's, as the age of the data; the last still grows.
    """
    if not refreshes:
        return None, None, None, None
    spans = []
    for (moment, end), (_, until) in pairwise([*refreshes, (datetime.now(UTC), datetime.now(UTC))]):
        spans.append(((end - moment).total_seconds(), (until - moment).total_seconds()))
    whole = sum(last - first for first, last in spans)
    mean = sum((last**2 - first**2) / 2 for first, last in spans) / whole if whole else spans[-1][1]
    above = sum(max(0.0, last - max(first, target)) for first, last in spans) if target is not None else None
    ratio = 1 - above / whole if above is not None and whole else None
    return round(mean), round(max(last for _, last in spans)), None if above is None else round(above), ratio
