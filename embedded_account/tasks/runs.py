"""Runs of graphs and tasks, and the versions of graphs that ran, in the account's own file.

Each change is written before anything follows from it, so that after a crash these rows tell what was going on.
Rows are never removed here but of a run that was replaced while it waited; readers take the time range that they need.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.names import ObjectName, duck

if TYPE_CHECKING:
    from embedded_account.account import Account

SCHEMA = "history"
ACCOUNT = "__account"
SCHEDULED = "SCHEDULED"
EXECUTING = "EXECUTING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
FAILED_AND_SUSPENDED = "FAILED_AND_AUTO_SUSPENDED"
CANCELLED = "CANCELLED"
SKIPPED = "SKIPPED"
LIVE = (SCHEDULED, EXECUTING)
INTERRUPTED_CODE = "000603"
INTERRUPTED = "Task run was interrupted by a restart of the account."


@dataclass
class GraphRun:
    """One attempt to run a graph; (group, attempt) is its key. `run_id` is the first scheduled time in ms.

    `config` is what the run uses, `default_config` the CONFIG of the root task, without that of EXECUTE TASK.
    """

    group: int
    attempt: int
    root_id: str
    database: str
    schema: str
    root: str
    version: int
    run_id: int
    state: str
    scheduled_from: str
    config: str | None
    scheduled: datetime
    original_scheduled: datetime
    next_scheduled: datetime | None = None
    last_success_group: int | None = None
    last_success_scheduled: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    first_error_task: str | None = None
    first_error_code: str | None = None
    first_error_message: str | None = None
    default_config: str | None = None

    @property
    def root_name(self) -> ObjectName:
        return ObjectName(self.database, self.schema, self.root)


@dataclass
class TaskRun:
    """One run of one task within an attempt; (group, attempt, name) is its key."""

    group: int
    attempt: int
    name: str
    task_id: str
    state: str
    query_text: str
    condition: str | None
    scheduled: datetime
    warehouse: str | None = None
    query_id: str | None = None
    started: datetime | None = None
    completed: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    return_value: str | None = None


_TYPES = {"int": "BIGINT", "str": "VARCHAR", "datetime": "TIMESTAMPTZ"}


def _columns(kind: type) -> str:
    return ", ".join(f"{duck(f.name)} {_TYPES[str(f.type).split(' ')[0]]}" for f in fields(kind))


GRAPH_RUNS = duck(ACCOUNT, SCHEMA, "graph_runs")
TASK_RUNS = duck(ACCOUNT, SCHEMA, "task_runs")
VERSIONS = duck(ACCOUNT, SCHEMA, "graph_versions")
_GRAPH_KEY = ("group", "attempt")
_TASK_KEY = ("group", "attempt", "name")


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {duck(ACCOUNT, SCHEMA)}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {GRAPH_RUNS} ({_columns(GraphRun)})")
    # A folder of an earlier build has the table without it.
    connection.execute(f'ALTER TABLE {GRAPH_RUNS} ADD COLUMN IF NOT EXISTS "default_config" VARCHAR')
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TASK_RUNS} ({_columns(TaskRun)})")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {VERSIONS} (root_id VARCHAR, version BIGINT, created TIMESTAMPTZ, "
        "content VARCHAR)"
    )


class RunStore:
    """The only writer of these tables. Thread-safe; every method is one transaction."""

    def __init__(self, account: Account) -> None:
        self._connection = account.cursor()
        self._lock = threading.RLock()
        self._last_group = 0
        with self._transaction() as connection:
            create_tables(connection)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(duckdb.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # ----- writing

    def next_group(self) -> int:
        """A new graph run group id: microseconds since 1970, so that later groups have greater ids."""
        with self._lock:
            self._last_group = max(time.time_ns() // 1000, self._last_group + 1)
            return self._last_group

    def add_graph_run(self, run: GraphRun, instead_of: GraphRun | None = None) -> None:
        """`instead_of` is a run that waited: it has never been."""
        with self._transaction() as connection:
            if instead_of is not None:
                where = " AND ".join(f"{duck(name)} = ?" for name in _GRAPH_KEY)
                key = [instead_of.group, instead_of.attempt]
                connection.execute(f"DELETE FROM {GRAPH_RUNS} WHERE {where}", key)
            _insert(connection, GRAPH_RUNS, run)

    def add_task_runs(self, runs: Sequence[TaskRun]) -> None:
        with self._transaction() as connection:
            for run in runs:
                _insert(connection, TASK_RUNS, run)

    def update_graph_run(self, run: GraphRun) -> None:
        with self._transaction() as connection:
            _update(connection, GRAPH_RUNS, run, _GRAPH_KEY)

    def update_task_run(self, run: TaskRun) -> None:
        with self._transaction() as connection:
            _update(connection, TASK_RUNS, run, _TASK_KEY)

    def finish(self, run: GraphRun, retry: GraphRun | None = None, marked: TaskRun | None = None) -> None:
        """End one attempt, with the next attempt and a changed task row in the same transaction."""
        with self._transaction() as connection:
            _update(connection, GRAPH_RUNS, run, _GRAPH_KEY)
            if retry is not None:
                _insert(connection, GRAPH_RUNS, retry)
            if marked is not None:
                _update(connection, TASK_RUNS, marked, _TASK_KEY)

    def interrupt_live_tasks(self) -> None:
        """After a crash: what was executing has failed."""
        with self._transaction() as connection:
            connection.execute(
                f'UPDATE {TASK_RUNS} SET "state" = ?, "completed" = ?, "error_code" = ?, "error_message" = ? '
                'WHERE "state" = ?',
                [FAILED, datetime.now(UTC), INTERRUPTED_CODE, INTERRUPTED, EXECUTING],
            )

    def version_of(self, root_id: str, content: str) -> int:
        """The number of this content's version; a new one if it differs from the latest."""
        with self._transaction() as connection:
            row = connection.execute(
                f"SELECT version, content FROM {VERSIONS} WHERE root_id = ? ORDER BY version DESC LIMIT 1",
                [root_id],
            ).fetchone()
            if row and row[1] == content:
                return int(row[0])
            version = int(row[0]) + 1 if row else 1
            connection.execute(
                f"INSERT INTO {VERSIONS} VALUES (?, ?, ?, ?)", [root_id, version, datetime.now(UTC), content]
            )
            return version

    # ----- reading

    def _query(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            return list(self._connection.execute(sql, list(values)).fetchall())

    def _graph_runs(self, where: str, values: Sequence[Any]) -> list[GraphRun]:
        names = ", ".join(duck(f.name) for f in fields(GraphRun))
        rows = self._query(f"SELECT {names} FROM {GRAPH_RUNS} WHERE {where}", values)
        return [GraphRun(*map(_in_utc, row)) for row in rows]

    def live_graph_runs(self) -> list[GraphRun]:
        """What was executing comes before what waited for it."""
        return self._graph_runs('"state" IN (?, ?) ORDER BY "state", "group", "attempt"', LIVE)

    def last_attempt(self, root: ObjectName, group: str | None = None) -> GraphRun | None:
        """The latest attempt of a group, or of the latest group of this root."""
        values: list[Any] = [*root]
        where = '"database" = ? AND "schema" = ? AND "root" = ?'
        if group is not None:
            where += ' AND CAST("group" AS VARCHAR) = ?'
            values.append(group)
        found = self._graph_runs(where + ' ORDER BY "group" DESC, "attempt" DESC LIMIT 1', values)
        return found[0] if found else None

    def last_success(self, root_id: str) -> GraphRun | None:
        found = self._graph_runs(
            '"root_id" = ? AND "state" = ? ORDER BY "group" DESC, "attempt" DESC LIMIT 1',
            [root_id, SUCCEEDED],
        )
        return found[0] if found else None

    def task_runs(self, group: int) -> list[TaskRun]:
        """All runs of a group in the order of attempts."""
        names = ", ".join(duck(f.name) for f in fields(TaskRun))
        rows = self._query(f'SELECT {names} FROM {TASK_RUNS} WHERE "group" = ? ORDER BY "attempt"', [group])
        return [TaskRun(*map(_in_utc, row)) for row in rows]

    def version(self, root_id: str, version: int) -> str:
        rows = self._query(
            f"SELECT content FROM {VERSIONS} WHERE root_id = ? AND version = ?", [root_id, version]
        )
        return str(rows[0][0])

    def first_scheduled(self, group: int) -> datetime:
        rows = self._query(f'SELECT min("scheduled") FROM {GRAPH_RUNS} WHERE "group" = ?', [group])
        return _in_utc(rows[0][0]) or datetime.now(UTC) - timedelta(days=1)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: GraphRun | TaskRun) -> None:
    values = astuple(row)
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", list(values))


def _update(
    connection: duckdb.DuckDBPyConnection, table: str, row: GraphRun | TaskRun, key: tuple[str, ...]
) -> None:
    names = [f.name for f in fields(row) if f.name not in key]
    assignments = ", ".join(f"{duck(name)} = ?" for name in names)
    where = " AND ".join(f"{duck(name)} = ?" for name in key)
    connection.execute(
        f"UPDATE {table} SET {assignments} WHERE {where}", [getattr(row, name) for name in [*names, *key]]
    )
