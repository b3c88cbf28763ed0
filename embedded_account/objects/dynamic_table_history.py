"""The refresh history of dynamic tables: one table in each database's file, written with the rows it speaks of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from embedded_account.names import ObjectName, duck
from embedded_account.session import Session

TABLE = "dynamic_table_refresh_history"
KEPT = timedelta(days=365)
_COLUMNS = {
    "name": "VARCHAR",
    "schema_name": "VARCHAR",
    "state": "VARCHAR",
    "state_code": "VARCHAR",
    "state_message": "VARCHAR",
    "query_id": "VARCHAR",
    "data_timestamp": "TIMESTAMPTZ",
    "refresh_start_time": "TIMESTAMPTZ",
    "refresh_end_time": "TIMESTAMPTZ",
    "completion_target": "TIMESTAMPTZ",
    "refresh_action": "VARCHAR",
    "refresh_trigger": "VARCHAR",
    "target_lag_sec": "BIGINT",
    "statistics": "VARCHAR",
    "warehouse": "VARCHAR",
}


@dataclass(frozen=True)
class Refresh:
    """One refresh that ended. `previous` is the data's time before it."""

    name: ObjectName
    begun: datetime
    trigger: str
    query_id: str
    warehouse: str
    lag: int | None
    previous: datetime | None
    state: str = "SUCCEEDED"
    message: str = ""
    rows: int = 0
    rows_before: int = 0


def history_table(connection: duckdb.DuckDBPyConnection, database: str) -> str:
    """The address of a database's history, made when first needed."""
    address = duck(database, "__catalog", TABLE)
    listed = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {address} ({listed})")
    return address


def has_history(connection: duckdb.DuckDBPyConnection, database: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = '__catalog' "
        "AND table_name = ?",
        [database, TABLE],
    ).fetchall()
    return bool(found)


def remember(session: Session, refresh: Refresh) -> None:
    """Write a row inside the caller's transaction; rows older than a year go."""
    succeeded = refresh.state == "SUCCEEDED"
    lag = timedelta(seconds=refresh.lag or 0)
    target = (refresh.previous or refresh.begun) + lag if refresh.lag is not None else None
    statistics = {
        "numInsertedRows": refresh.rows,
        "numDeletedRows": refresh.rows_before,
        "numCopiedRows": 0,
    }
    address = history_table(session.duck, refresh.name.database)
    session.duck.execute(f"DELETE FROM {address} WHERE refresh_start_time < ?", [refresh.begun - KEPT])
    session.duck.execute(
        f"INSERT INTO {address} VALUES ({', '.join('?' * len(_COLUMNS))})",
        [
            refresh.name.name,
            refresh.name.schema,
            refresh.state,
            "SUCCESS" if succeeded else "ERROR",
            refresh.message or None,
            refresh.query_id,
            refresh.begun,
            refresh.begun,
            datetime.now(UTC),
            target,
            "FULL" if succeeded else None,
            refresh.trigger,
            refresh.lag,
            json.dumps(statistics) if succeeded else None,
            refresh.warehouse,
        ],
    )
