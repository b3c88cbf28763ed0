"""Writes the history of statements: noted in memory, stored in batches by a thread of its own.

A statement pays for one append to a list. Rows reach the account's file within half a second, before each read of the
history, and when the account closes; a crash loses at most that half second.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from embedded_account import memory
from embedded_account.meters.state import Task
from embedded_account.names import duck
from embedded_account.objects.warehouses import SIZES
from embedded_account.usage.query_types import COMPUTES, query_type

if TYPE_CHECKING:
    from embedded_account.account import Account
    from embedded_account.errors import SnowflakeError
    from embedded_account.running import Running
    from embedded_account.session import Session

log = logging.getLogger(__name__)
QUERIES = duck("__account", "history", "query_history")
FLUSH_SECONDS = 0.5
REST_SECONDS = 5.0
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
        ("parent_id", pa.string()),
        ("root_id", pa.string()),
        # Of the task without a warehouse that the statement is of.
        ("task_id", pa.string()),
        ("task_database", pa.string()),
        ("task_schema", pa.string()),
        ("task_name", pa.string()),
    ]
)
_DUCK = {"string": "VARCHAR", "int64": "BIGINT", str(_TIME): "TIMESTAMPTZ"}


@dataclass(frozen=True)
class Noted:
    """A statement that ended, with what its session was then."""

    running: Running
    ended: datetime
    seconds: float
    rows: int
    error: SnowflakeError | None
    session: tuple[Any, ...]
    warehouse: str | None
    size: str | None
    query_tag: str
    task: Task | None


@dataclass(frozen=True)
class Ran:
    """What the meter asks of a statement. `rate` is None where it used no warehouse, `task` where it was of no task."""

    query_id: str
    begun: datetime
    ended: datetime
    parent: str | None
    root: str | None
    warehouse: str | None
    rate: float | None
    query_tag: str
    user: str
    task: Task | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Ran:
        query_id, begun, ended, parent, root, warehouse, size, tag, user, task_id, *place = row
        task = Task(task_id, *place) if task_id is not None else None
        rate = None if size is None else float(SIZES[size])
        begun, ended = begun.astimezone(UTC), ended.astimezone(UTC)
        return cls(query_id, begun, ended, parent, root, warehouse, rate, tag, user, task)

    @property
    def told(self) -> tuple[Any, ...]:
        """As QUERY_ATTRIBUTION_HISTORY tells of it, but for its credits."""
        return (
            self.query_id, self.parent, self.root, self.warehouse, self.query_tag, self.user, self.begun, self.ended,
        )  # fmt: skip


class QueryLog:
    """`note` is the account's `record_query`; `rest` is called when nobody has asked anything for some seconds."""

    def __init__(self, account: Account, rest: Callable[[], None] = memory.release) -> None:
        self._account = account
        self._rest = rest
        self._connection = account.cursor()
        self._noted: list[Noted] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._wake = threading.Event()
        columns = ", ".join(f"{duck(f.name)} {_DUCK[str(f.type)]}" for f in _SCHEMA)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {duck('__account', 'history')}")
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {QUERIES} ({columns})")
        # A folder of an earlier version has the table without the last ones.
        for one in list(_SCHEMA)[-6:]:
            self._connection.execute(
                f"ALTER TABLE {QUERIES} ADD COLUMN IF NOT EXISTS {duck(one.name)} {_DUCK[str(one.type)]}"
            )
        self._thread = threading.Thread(target=self._run, name="query-history", daemon=True)
        self._thread.start()

    def note(
        self, session: Session, running: Running, seconds: float, rows: int, error: SnowflakeError | None
    ) -> None:
        warehouse, size, task = _compute(session, running)
        who = (session.database, session.schema, session.id, session.user, session.role)
        begun = running.begun.astimezone(UTC)
        ended = begun + timedelta(seconds=seconds)
        noted = Noted(
            replace(running, begun=begun), ended, seconds, rows, error, who, warehouse, size, session.query_tag, task
        )  # fmt: skip
        with self._lock:
            self._noted.append(noted)
        self._wake.set()

    def flush(self) -> None:
        """Store what was noted."""
        with self._writing:
            with self._lock:
                noted, self._noted = self._noted, []
            if not noted:
                return
            try:
                append(self._connection, QUERIES, [_row(one) for one in noted], _SCHEMA)
            except duckdb.Error:
                with self._lock:
                    self._noted[:0] = noted
                raise

    def _run(self) -> None:
        rested = True
        while not self._closed.is_set():
            # Nobody asks anything: nothing to do, until somebody does.
            if self._wake.wait(None if rested else REST_SECONDS):
                rested = False
                self._closed.wait(FLUSH_SECONDS)
                self._wake.clear()
                try:
                    self.flush()
                except Exception:
                    self._wake.set()
                    log.exception("the query history could not be stored")
            else:
                rested = True
                self._rest()

    def close(self) -> None:
        self._closed.set()
        self._wake.set()
        self._thread.join(10)
        self.flush()
        self._connection.close()


def _row(noted: Noted) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    running, error, task = noted.running, noted.error, noted.task
    database, schema, session_id, user, role = noted.session
    return (
        running.query_id,
        running.text[:LONGEST_TEXT],
        database,
        schema,
        query_type(running.kind, running.text),
        session_id,
        user,
        role,
        noted.warehouse,
        noted.query_tag,
        error.wire_code if error else None,
        error.message if error else None,
        running.begun,
        noted.ended,
        noted.rows,
        noted.size,
        round(noted.seconds * 1000),
        running.parent,
        running.root,
        *((task.id, task.database, task.schema, task.name) if task else (None,) * 4),
    )


def append(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[tuple[Any, ...]],
    schema: pa.Schema | None = None,
) -> None:
    """Add rows to a table, as one statement."""
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    if schema is not None:
        arrays = [pa.array(column, f.type) for column, f in zip(columns, schema, strict=True)]
    else:
        arrays = [pa.array(column) for column in columns]
    connection.register("appended", pa.table(arrays, names=[f"c{i}" for i in range(len(arrays))]))
    try:
        connection.execute(f"INSERT INTO {table} SELECT * FROM appended")
    finally:
        with contextlib.suppress(duckdb.Error):
            connection.unregister("appended")


def _compute(session: Session, running: Running) -> tuple[str | None, str | None, Task | None]:
    """(warehouse, its size if the statement runs on it, the serverless task that it is of)."""
    warehouse = running.refreshes_on or session.warehouse
    computes = running.refreshes_on is not None or query_type(running.kind, running.text) in COMPUTES
    if session.serverless and session.task is not None:
        task = session.task.run.graph.task(session.task.name)
        return warehouse, None, Task(task.id, *task.name)
    if warehouse is None or not computes:
        return warehouse, None, None
    record = session.account.warehouse(warehouse)
    size = "X-Small" if record is None else str(record.body["options"].get("WAREHOUSE_SIZE", "X-Small"))
    return warehouse, size, None


def running(account: Account, until: datetime, now: datetime) -> Iterator[Ran]:
    """The statements that began before a time, and still run."""
    # Beyond that time, so that they are known to go on.
    ended = max(until, now) + timedelta(microseconds=1)
    for session in list(account.sessions.values()):
        for one in list(session.running):
            warehouse, size, task = _compute(session, one)
            if one.begun < until and (size is not None or task is not None):
                place = (task.id, task.database, task.schema, task.name) if task else (None,) * 4
                known = (one.query_id, one.begun, ended, one.parent, one.root, warehouse, size)
                yield Ran.of((*known, session.query_tag, session.user, *place))


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
