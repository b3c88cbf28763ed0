"""Asks the account through SQLAlchemy, and counts what that costs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, CursorResult, Engine, Select, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from services.snowflake.failures import translate
from services.sync import statements
from services.sync.sources import UsageView

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection

Row = dict[str, Any]
Connect = Callable[..., AbstractContextManager["SnowflakeConnection"]]
_BATCH = 10_000
# Of a table, in which a row takes a sixth of what it takes as a dict.
_TABLE = 50_000
# A reading that takes longer is stopped by the account.
_SESSION = {"STATEMENT_TIMEOUT_IN_SECONDS": 600}
_given: ContextVar[SnowflakeConnection] = ContextVar("given")


class Account(Protocol):
    """What a reading asks. Windows are [start, end], of the views [start, end); without an end they are open.

    Rows are by Snowflake's column names, times aware. SnowflakeFailed for what the account refuses, Unavailable while
    it does not answer.
    """

    @property
    def statements(self) -> int: ...

    def now(self) -> datetime: ...

    def graphs(self, database: str, schema: str | None) -> list[Row]: ...

    def task_history(
        self, database: str, schema: str | None, start: datetime, end: datetime | None
    ) -> list[Row]: ...

    def refreshes(self, database: str, start: datetime, end: datetime | None) -> list[Row]: ...

    def usage(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[list[Row]]: ...

    def usage_tables(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[pa.Table | list[Row]]: ...

    def usage_by_day(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime
    ) -> dict[date, tuple[int, float]]: ...


class AccountReader:
    """An account over one connection, for as long as a step of a reading takes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements = 0

    def now(self) -> datetime:
        """The account's clock."""
        moment: datetime = self._rows(statements.account_time())[0]["NOW"]
        return moment

    def graphs(self, database: str, schema: str | None) -> list[Row]:
        """Graph runs that go on, wait or are due, then those that ended within the hour.

        In this order a run that ends in between is in both, in the other it would be in neither.
        """
        found = self._rows(statements.current_graphs(database, schema))
        return found + self._rows(statements.complete_graphs(database, schema))

    def task_history(
        self, database: str, schema: str | None, start: datetime, end: datetime | None
    ) -> list[Row]:
        """Task runs that were due in the window."""
        return self._rows(statements.task_history(database, schema, start, end))

    def refreshes(self, database: str, start: datetime, end: datetime | None) -> list[Row]:
        """Refreshes of the whole account with data of the window, asked in a database."""
        return self._rows(statements.refresh_history(database, start, end))

    def usage(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[list[Row]]:
        """The rows of a view, in parts."""
        return self._batches(statements.usage(view, databases, start, end))

    def usage_tables(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[pa.Table | list[Row]]:
        """The same as tables, of types as the connector gives them; rows where the account answers as JSON."""
        from snowflake.connector import NotSupportedError

        query = statements.usage(view, databases, start, end)
        self.statements += 1
        with _translated():
            result = self._connection.execute(query)
            cursor: Any = result.cursor
            try:
                tables = cursor.fetch_arrow_batches(force_microsecond_precision=True)
            except NotSupportedError:
                yield from self._parts(query, result)
                return
            yield from _together(tables)

    def usage_by_day(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime
    ) -> dict[date, tuple[int, float]]:
        """(rows, total) of a view by day of UTC."""
        return {
            date.fromisoformat(row["DAY"]): (int(row["ROWS_OF_DAY"]), float(row.get("TOTAL") or 0))
            for row in self._rows(statements.usage_by_day(view, databases, start, end))
        }

    def _rows(self, query: Select[Any]) -> list[Row]:
        return [row for part in self._batches(query) for row in part]

    def _batches(self, query: Select[Any]) -> Iterator[list[Row]]:
        self.statements += 1
        with _translated():
            yield from self._parts(query, self._connection.execute(query))

    def _parts(self, query: Select[Any], result: CursorResult[Any]) -> Iterator[list[Row]]:
        names = [str(column.name) for column in query.selected_columns]
        for part in result.partitions(_BATCH):
            yield [dict(zip(names, row, strict=True)) for row in part]


def _together(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Of at most so many rows, as the account's parts are of any size. A number may be narrower in one of them."""
    import pyarrow as pa

    kept: list[pa.Table] = []
    rows = 0
    for table in tables:
        for first in range(0, table.num_rows, _TABLE):
            part = table[first : first + _TABLE]
            if rows + part.num_rows > _TABLE:
                yield pa.concat_tables(kept, promote_options="permissive")
                kept, rows = [], 0
            kept.append(part)
            rows += part.num_rows
    if kept:
        yield pa.concat_tables(kept, promote_options="permissive")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        translated = translate(cause) if cause is not None else None
        if translated is None:
            raise
        raise translated from error


class Readers:
    """Makes readers over connections of the service. The dialect is loaded when the first one is."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @contextmanager
    def open(self, connect: Connect) -> Iterator[AccountReader]:
        """A reader over a connection that ``connect(session_parameters=…)`` opens."""
        with connect(session_parameters=dict(_SESSION)) as opened:
            given = _given.set(opened)
            try:
                with self._dialect().connect() as connection:
                    yield AccountReader(connection)
            finally:
                _given.reset(given)

    def _dialect(self) -> Engine:
        """One engine, as making it sends statements of its own; its connections are those that are given."""
        with self._lock:
            if self._engine is None:
                # Imported here: it costs a second and memory, which only who reads need pay.
                import snowflake.sqlalchemy  # noqa: F401

                engine = create_engine(
                    "snowflake://", creator=_given.get, poolclass=NullPool, isolation_level=None
                )
                # What only reads has nothing to end, and each end would be a statement.
                engine.dialect.do_rollback = _nothing  # type: ignore[method-assign,assignment]
                engine.dialect.do_close = _nothing  # type: ignore[method-assign,assignment]
                self._engine = engine
            return self._engine


def _nothing(_connection: DBAPIConnection) -> None:
    """The connection is closed by who opened it."""
