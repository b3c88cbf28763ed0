"""Writes the history of statements: noted in memory, stored in batches by a thread of its own.

A statement pays for one append to a list. Rows reach the account's file within half a second, before each read of the
history, and when the account closes; a crash loses at most that half second.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from embedded_account.names import duck

if TYPE_CHECKING:
    from embedded_account.account import Account
    from embedded_account.errors import SnowflakeError
    from embedded_account.session import Session

log = logging.getLogger(__name__)
QUERIES = duck("__account", "history", "query_history")
FLUSH_SECONDS = 0.5
LONGEST_TEXT = 100_000
_TIME = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("query_text", pa.string()),
        ("database_name", pa.string()),
        ("schema_name", pa.string()),
        ("query_type", pa.string()),
        ("session_id", pa.int64()),
        ("user_name", pa.string()),
        ("role_name", pa.string()),
        ("warehouse_name", pa.string()),
        ("query_tag", pa.string()),
        ("error_code", pa.string()),
        ("error_message", pa.string()),
        ("start_time", _TIME),
        ("end_time", _TIME),
        ("rows", pa.int64()),
        ("warehouse_size", pa.string()),
        ("elapsed_ms", pa.int64()),
    ]
)
_DUCK = {"string": "VARCHAR", "int64": "BIGINT", str(_TIME): "TIMESTAMPTZ"}
# What runs on a warehouse; the rest is the work of Snowflake's own services.
COMPUTES = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "CALL", "CREATE_TABLE_AS_SELECT", "UNLOAD"}
)
_TYPES = {
    "(": "SELECT",
    "VALUES": "SELECT",
    "WITH": "SELECT",
    "PUT": "PUT_FILES",
    "GET": "GET_FILES",
    "LS": "LIST_FILES",
    "LIST": "LIST_FILES",
    "RM": "REMOVE_FILES",
    "REMOVE": "REMOVE_FILES",
    "TRUNCATE": "TRUNCATE_TABLE",
    "BEGIN": "BEGIN_TRANSACTION",
    "START TRANSACTION": "BEGIN_TRANSACTION",
    "COPY INTO": "COPY",
}


def query_type(kind: str, text: str) -> str:
    """Snowflake's QUERY_TYPE from a statement's leading words."""
    first = kind.split(" ", 1)[0]
    if first in ("SHOW", "USE", "SET", "UNSET"):
        return first
    if first in ("DESC", "DESCRIBE"):
        return "DESCRIBE"
    if kind == "WITH" and text[:400].upper().find(" AS PROCEDURE") > 0:
        return "CALL"
    if kind == "CREATE TABLE" and _selects(text):
        return "CREATE_TABLE_AS_SELECT"
    return _TYPES.get(kind) or kind.replace(" ", "_")


def _selects(text: str) -> bool:
    words = text[:4000].upper().split()
    return any(
        a == "AS" and b.lstrip("(").startswith(("SELECT", "WITH")) for a, b in itertools.pairwise(words)
    )


class QueryLog:
    """`note` is the account's `record_query`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._connection = account.cursor()
        self._noted: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        columns = ", ".join(f"{duck(f.name)} {_DUCK[str(f.type)]}" for f in _SCHEMA)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {duck('__account', 'history')}")
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {QUERIES} ({columns})")
        self._thread = threading.Thread(target=self._run, name="query-history", daemon=True)
        self._thread.start()

    def note(
        self,
        session: Session,
        query_id: str,
        text: str,
        kind: str,
        begun: datetime,
        seconds: float,
        rows: int,
        error: SnowflakeError | None,
    ) -> None:
        row = (
            query_id,
            text,
            session.database,
            session.schema,
            kind,
            session.id,
            session.user,
            session.role,
            session.warehouse,
            session.query_tag,
            error,
            begun,
            seconds,
            rows,
        )
        with self._lock:
            self._noted.append(row)

    def flush(self) -> None:
        """Store what was noted."""
        with self._writing:
            with self._lock:
                noted, self._noted = self._noted, []
            if not noted:
                return
            table = self._table(noted)
            try:
                self._connection.register("noted", table)
                self._connection.execute(f"INSERT INTO {QUERIES} SELECT * FROM noted")
            except duckdb.Error:
                with self._lock:
                    self._noted[:0] = noted
                raise
            finally:
                with contextlib.suppress(duckdb.Error):
                    self._connection.unregister("noted")

    def _table(self, noted: list[tuple[Any, ...]]) -> pa.Table:
        sizes: dict[str, str] = {}
        rows = []
        for (
            query_id,
            text,
            database,
            schema,
            kind,
            session_id,
            user,
            role,
            warehouse,
            tag,
            error,
            begun,
            seconds,
            count,
        ) in noted:
            name = query_type(kind, text)
            size = None
            if warehouse is not None and name in COMPUTES:
                if warehouse not in sizes:
                    sizes[warehouse] = self._size(warehouse)
                size = sizes[warehouse]
            rows.append(
                (
                    query_id,
                    text[:LONGEST_TEXT],
                    database,
                    schema,
                    name,
                    session_id,
                    user,
                    role,
                    warehouse,
                    tag,
                    error.wire_code if error else None,
                    error.message if error else None,
                    begun.astimezone(UTC),
                    begun.astimezone(UTC) + timedelta(seconds=seconds),
                    count,
                    size,
                    round(seconds * 1000),
                )
            )
        columns = zip(*rows, strict=True)
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)

    def _size(self, warehouse: str) -> str:
        record = self._account.get("WAREHOUSE", warehouse)
        return str(record.body["options"].get("WAREHOUSE_SIZE", "X-Small")) if record else "X-Small"

    def _run(self) -> None:
        while not self._closed.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except Exception:
                log.exception("the query history could not be stored")

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        self.flush()
        self._connection.close()


def open_log(account: Account) -> QueryLog:
    """Give the account its query history; it ends when the account closes."""
    queries = QueryLog(account)
    account.record_query = queries.note
    _LOGS[account] = queries

    def close() -> None:
        account.record_query = None
        _LOGS.pop(account, None)
        queries.close()

    account.on_close.append(close)
    return queries


_LOGS: dict[Account, QueryLog] = {}


def flush(account: Account) -> None:
    """Bring the stored history up to date before it is read."""
    queries = _LOGS.get(account)
    if queries is not None:
        queries.flush()
