"""Refresh history and state of dynamic tables.

https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history
"""

from __future__ import annotations

from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.objects.dynamic_tables import history_table
from embedded_account.session import Session


def _rows(session: Session, database: str) -> str:
    with session.account.lock(database):
        address = history_table(session.duck, database)
    return f"""
        SELECT name AS "NAME", schema_name AS "SCHEMA_NAME", {literal(database)} AS "DATABASE_NAME", state AS "STATE",
            CASE state WHEN 'SUCCEEDED' THEN 'SUCCESS' ELSE 'ERROR' END AS "STATE_CODE",
            nullif(state_message, '') AS "STATE_MESSAGE", query_id AS "QUERY_ID", data_timestamp AS "DATA_TIMESTAMP",
            refresh_start_time AS "REFRESH_START_TIME", refresh_end_time AS "REFRESH_END_TIME",
            data_timestamp + to_seconds(coalesce(target_lag_sec, 0)) AS "COMPLETION_TARGET",
            {literal(database)} || '.' || schema_name || '.' || name AS "QUALIFIED_NAME",
            'FULL' AS "REFRESH_ACTION", refresh_trigger AS "REFRESH_TRIGGER", target_lag_sec AS "TARGET_LAG_SEC",
            to_json({{'numInsertedRows': row_count}}) AS "STATISTICS", warehouse AS "WAREHOUSE"
        FROM {address}
    """


@table_function("INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY")
def refresh_history(session: Session, call: TableCall) -> str:
    database = call.database or session.current_database()
    conditions = ["true"]
    name = call.get("NAME")
    if name is not None:
        resolved = session.resolve_text(str(name))
        conditions.append(f'"NAME" = {literal(resolved.name)} AND "SCHEMA_NAME" = {literal(resolved.schema)}')
    if str(call.get("ERROR_ONLY", None, False)).lower() == "true":
        conditions.append("\"STATE\" <> 'SUCCEEDED'")
    limit = int(str(call.get("RESULT_LIMIT", None, 100)))
    return (
        f"SELECT * FROM ({_rows(session, database)}) WHERE {' AND '.join(conditions)} "
        f'ORDER BY "REFRESH_START_TIME" DESC LIMIT {limit}'
    )


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.DYNAMIC_TABLE_REFRESH_HISTORY")
def account_refresh_history(session: Session, database: str) -> str:
    parts = [_rows(session, name) for name in session.account.databases()]
    return " UNION ALL ".join(parts) if parts else 'SELECT NULL AS "NAME" WHERE false'
