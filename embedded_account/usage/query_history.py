"""Statements that ran: INFORMATION_SCHEMA.QUERY_HISTORY… and SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY.

https://docs.snowflake.com/en/sql-reference/functions/query_history, …/account-usage/query_history. What this account
does not measure (bytes, partitions, compilation) is NULL or 0 as on Snowflake for a query that had none.
"""

from __future__ import annotations

from embedded_account.functions import TableCall, table_function, virtual_table
from embedded_account.names import literal
from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage import arguments, lateness, queries
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.queries import QUERIES
from embedded_account.usage.stored_views import stored_view
from embedded_account.usage.task_history import PAST, YEAR, identifier

_ELAPSED = 'q."elapsed_ms"'
_OWN = {
    "QUERY_ID": 'q."query_id"',
    "QUERY_TEXT": 'q."query_text"',
    "DATABASE_NAME": 'q."database_name"',
    "SCHEMA_NAME": 'q."schema_name"',
    "QUERY_TYPE": 'q."query_type"',
    "SESSION_ID": 'q."session_id"',
    "USER_NAME": 'q."user_name"',
    "ROLE_NAME": 'q."role_name"',
    "WAREHOUSE_NAME": 'q."warehouse_name"',
    "WAREHOUSE_SIZE": 'q."warehouse_size"',
    "WAREHOUSE_TYPE": "CASE WHEN q.\"warehouse_name\" IS NOT NULL THEN 'STANDARD' END",
    "CLUSTER_NUMBER": 'CASE WHEN q."warehouse_size" IS NOT NULL THEN 1 END',
    "QUERY_TAG": 'q."query_tag"',
    "ERROR_CODE": 'q."error_code"',
    "ERROR_MESSAGE": 'q."error_message"',
    "START_TIME": 'q."start_time"',
    "END_TIME": 'q."end_time"',
    "TOTAL_ELAPSED_TIME": _ELAPSED,
    "EXECUTION_TIME": _ELAPSED,
    "ROWS_PRODUCED": 'q."rows"',
    "RELEASE_VERSION": "'embedded'",
    "ROLE_TYPE": "'ROLE'",
    "IS_CLIENT_GENERATED_STATEMENT": "false",
    "DATABASE_ID": identifier('q."database_name"'),
    "SCHEMA_ID": identifier('q."database_name"', 'q."schema_name"'),
    "WAREHOUSE_ID": identifier('q."warehouse_name"'),
    "ROWS_INSERTED": 'CASE WHEN q."query_type" = \'INSERT\' THEN q."rows" ELSE 0 END',
    "ROWS_UPDATED": 'CASE WHEN q."query_type" = \'UPDATE\' THEN q."rows" ELSE 0 END',
    "ROWS_DELETED": 'CASE WHEN q."query_type" = \'DELETE\' THEN q."rows" ELSE 0 END',
}
_TEXTS = {
    "OUTBOUND_DATA_TRANSFER_CLOUD",
    "OUTBOUND_DATA_TRANSFER_REGION",
    "INBOUND_DATA_TRANSFER_CLOUD",
    "INBOUND_DATA_TRANSFER_REGION",
    "QUERY_HASH",
    "QUERY_PARAMETERIZED_HASH",
    "QUERY_RETRY_CAUSE",
}
_NULL_NUMBERS = {
    "QUERY_HASH_VERSION",
    "QUERY_PARAMETERIZED_HASH_VERSION",
    "AUTHN_EVENT_ID",
    "QUERY_LOAD_PERCENT",
}
_TRANSFER = """OUTBOUND_DATA_TRANSFER_CLOUD OUTBOUND_DATA_TRANSFER_REGION OUTBOUND_DATA_TRANSFER_BYTES
    INBOUND_DATA_TRANSFER_CLOUD INBOUND_DATA_TRANSFER_REGION INBOUND_DATA_TRANSFER_BYTES"""
_EXTERNAL = """EXTERNAL_FUNCTION_TOTAL_INVOCATIONS EXTERNAL_FUNCTION_TOTAL_SENT_ROWS
    EXTERNAL_FUNCTION_TOTAL_RECEIVED_ROWS EXTERNAL_FUNCTION_TOTAL_SENT_BYTES EXTERNAL_FUNCTION_TOTAL_RECEIVED_BYTES"""
_HASHES = "QUERY_HASH QUERY_HASH_VERSION QUERY_PARAMETERIZED_HASH QUERY_PARAMETERIZED_HASH_VERSION"
_FUNCTION = f"""QUERY_ID QUERY_TEXT DATABASE_NAME SCHEMA_NAME QUERY_TYPE SESSION_ID USER_NAME ROLE_NAME WAREHOUSE_NAME
    WAREHOUSE_SIZE WAREHOUSE_TYPE CLUSTER_NUMBER QUERY_TAG EXECUTION_STATUS ERROR_CODE ERROR_MESSAGE START_TIME END_TIME
    TOTAL_ELAPSED_TIME BYTES_SCANNED ROWS_PRODUCED COMPILATION_TIME EXECUTION_TIME QUEUED_PROVISIONING_TIME
    QUEUED_REPAIR_TIME QUEUED_OVERLOAD_TIME TRANSACTION_BLOCKED_TIME {_TRANSFER} CREDITS_USED_CLOUD_SERVICES
    LIST_EXTERNAL_FILE_TIME RELEASE_VERSION {_EXTERNAL} IS_CLIENT_GENERATED_STATEMENT {_HASHES}""".split()
_VIEW = f"""QUERY_ID QUERY_TEXT DATABASE_ID DATABASE_NAME SCHEMA_ID SCHEMA_NAME QUERY_TYPE SESSION_ID AUTHN_EVENT_ID
    USER_NAME ROLE_NAME WAREHOUSE_ID WAREHOUSE_NAME WAREHOUSE_SIZE WAREHOUSE_TYPE CLUSTER_NUMBER QUERY_TAG
    EXECUTION_STATUS ERROR_CODE ERROR_MESSAGE START_TIME END_TIME TOTAL_ELAPSED_TIME BYTES_SCANNED
    PERCENTAGE_SCANNED_FROM_CACHE BYTES_WRITTEN BYTES_WRITTEN_TO_RESULT BYTES_READ_FROM_RESULT ROWS_PRODUCED
    ROWS_INSERTED ROWS_UPDATED ROWS_DELETED ROWS_UNLOADED BYTES_DELETED PARTITIONS_SCANNED PARTITIONS_TOTAL
    BYTES_SPILLED_TO_LOCAL_STORAGE BYTES_SPILLED_TO_REMOTE_STORAGE BYTES_SENT_OVER_THE_NETWORK COMPILATION_TIME
    EXECUTION_TIME QUEUED_PROVISIONING_TIME QUEUED_REPAIR_TIME QUEUED_OVERLOAD_TIME TRANSACTION_BLOCKED_TIME
    {_TRANSFER} LIST_EXTERNAL_FILES_TIME CREDITS_USED_CLOUD_SERVICES RELEASE_VERSION {_EXTERNAL} QUERY_LOAD_PERCENT
    IS_CLIENT_GENERATED_STATEMENT {_HASHES} ROLE_TYPE QUERY_RETRY_TIME QUERY_RETRY_CAUSE""".split()


def _select(names: list[str], failed: str) -> str:
    def expression(name: str) -> str:
        if name == "EXECUTION_STATUS":
            return f"CASE WHEN q.\"error_code\" IS NULL THEN 'SUCCESS' ELSE '{failed}' END"
        if name in _OWN:
            return _OWN[name]
        if name in _TEXTS:
            return "CAST(NULL AS VARCHAR)"
        return "CAST(NULL AS BIGINT)" if name in _NULL_NUMBERS else "CAST(0 AS BIGINT)"

    columns = ", ".join(f'{expression(name)} AS "{name}"' for name in names)
    return f"SELECT {columns} FROM {QUERIES} AS q"


_FUNCTION_ROWS = stored_view("query_history_rows", _select(_FUNCTION, "FAILED_WITH_ERROR"))
_VIEW_ROWS = stored_view("account_query_history", _select(_VIEW, "FAIL"))
_RANGE = ("END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT", "INCLUDE_CLIENT_GENERATED_STATEMENT")


def _history(
    session: Session, call: TableCall, function: str, more: tuple[str, ...] = (), only: str = "true"
) -> str:
    """The last 7 days, the latest first."""
    call = arguments.bind(call, (*more, *_RANGE), function)
    queries.flush(session.account)
    earliest = now() - PAST
    start = max(arguments.moment(call, "END_TIME_RANGE_START") or earliest, earliest)
    where = [only, f'"END_TIME" >= {timestamp(start)}']
    if (end := arguments.moment(call, "END_TIME_RANGE_END")) is not None:
        where.append(f'"END_TIME" <= {timestamp(end)}')
    return (
        f"SELECT * FROM {_FUNCTION_ROWS} WHERE {' AND '.join(where)} "
        f'ORDER BY "START_TIME" DESC LIMIT {arguments.limit(call, 100)}'
    )


@table_function("INFORMATION_SCHEMA.QUERY_HISTORY")
def query_history(session: Session, call: TableCall) -> str:
    return _history(session, call, "QUERY_HISTORY")


@table_function("INFORMATION_SCHEMA.QUERY_HISTORY_BY_SESSION")
def query_history_by_session(session: Session, call: TableCall) -> str:
    wanted = arguments.whole(arguments.text(call, "SESSION_ID") or session.id, "SESSION_ID")
    return _history(session, call, "QUERY_HISTORY_BY_SESSION", ("SESSION_ID",), f'"SESSION_ID" = {wanted}')


@table_function("INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER")
def query_history_by_user(session: Session, call: TableCall) -> str:
    wanted = arguments.text(call, "USER_NAME") or session.user
    only = f'"USER_NAME" = {literal(wanted)}'
    return _history(session, call, "QUERY_HISTORY_BY_USER", ("USER_NAME",), only)


@table_function("INFORMATION_SCHEMA.QUERY_HISTORY_BY_WAREHOUSE")
def query_history_by_warehouse(session: Session, call: TableCall) -> str:
    wanted = arguments.text(call, "WAREHOUSE_NAME") or session.warehouse
    only = f'"WAREHOUSE_NAME" = {literal(wanted)}'
    return _history(session, call, "QUERY_HISTORY_BY_WAREHOUSE", ("WAREHOUSE_NAME",), only)


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY")
def account_query_history(session: Session, database: str) -> str:
    """The last year."""
    queries.flush(session.account)
    shown = lateness.old_enough(session, '"END_TIME"')
    return f'SELECT * FROM {_VIEW_ROWS} WHERE "START_TIME" >= {timestamp(now() - YEAR)} AND {shown}'
