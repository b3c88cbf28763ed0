"""The file of the history: one writer, any number of readers in its process.

All times in it are UTC without zone (TIMESTAMP); ``aware`` and ``naive`` are the way in and out.
https://duckdb.org/docs/current/connect/concurrency
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import structlog

from services.core.errors import Unavailable
from services.core.revision import Revision
from services.history import schema
from services.history.row_file import Cells
from services.history.row_files import RowFiles, RunsChange
from services.history.row_index import RowIndex
from services.history.task_index import TaskChange, TaskIndex
from services.history.types import GraphRunRow

log = structlog.get_logger(__name__)
Row = dict[str, Any]
RUN_COLUMNS = ", ".join(one.name for one in fields(GraphRunRow))
Cursor = duckdb.DuckDBPyConnection
# What pages ask for most is kept by them; all else is read from the file again.
_AT_REST = "2MB"


class History:
    """Opened by ``open`` to write, by ``open_copy`` to read alone; closed by ``close``.

    ``read`` and ``write`` are the ways in. With ``may_write``, which raises, nothing is committed against its word.
    """

    def __init__(
        self,
        path: Path,
        revision: Revision | None = None,
        *,
        memory: str = "160MB",
        may_write: Callable[[], None] | None = None,
        indexed: bool = True,
    ) -> None:
        self.path = path
        self._revision = revision or Revision()
        self._memory = memory
        self._may_write = may_write
        self._opened: _Opened | None = None
        self._writing = threading.RLock()
        self._changing = threading.Lock()
        # How often something was written: what was read before holds while it stands.
        self.commits = 0
        self._rows = RowFiles(
            path, self._reading, self._writing, lambda: self.writable, indexed and str(path) != ":memory:"
        )
        self._followed: RunsChange | None = None

    @property
    def index(self) -> RowIndex:
        """The newest graph runs as rows."""
        return self._rows.runs

    @property
    def tasks(self) -> TaskIndex:
        """The newest task runs, by run."""
        return self._rows.tasks

    @property
    def writable(self) -> bool:
        """Whether this process writes it, as opposed to reading a copy or nothing."""
        opened = self._opened
        return opened is not None and opened.writable

    def open(self) -> None:
        """Open the file, make it when it is missing, and bring it to the schema of this code.

        Unavailable when another process has it; what was open stays so then.
        """
        self.open_claimed(self.claim())

    def claim(self) -> duckdb.DuckDBPyConnection:
        """The file, which no other process has then, for ``open_claimed``; Unavailable when one has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return duckdb.connect(str(self.path), config=self._config())
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            raise Unavailable(
                "Another process has the history open",
                hint="It is taken over when that ends.",
                code="history_held",
            ) from error

    def open_claimed(self, file: duckdb.DuckDBPyConnection) -> None:
        """Write the file from now on, in the place of what was open."""
        try:
            schema.upgrade(file)
        except BaseException:
            file.close()
            raise
        self._change(_Opened(file, writable=True))
        self._rows.open()

    def open_copy(self, path: Path) -> None:
        """Read a copy that nobody writes, in the place of what was open."""
        copy = _Opened(duckdb.connect(str(path), read_only=True, config=self._config()), writable=False)
        # Not while the row index is made: it would be of a history that is no longer read.
        with self._writing:
            self._change(copy)

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        with self._writing:
            self._change(None)
        self.wait_for_index()

    def _config(self) -> dict[str, str]:
        return {
            "memory_limit": self._memory,
            "threads": "2",
            "preserve_insertion_order": "false",
            # A page of a list is read by its places, not by all columns of all rows.
            "late_materialization_max_rows": "1001",
        }

    def _change(self, opened: _Opened | None) -> None:
        with self._changing:
            before, self._opened = self._opened, opened
            self.commits += 1
            self._rows.close()
        if before is not None:
            before.retire()
        self._revision.bump()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of this thread, for queries: each sees what was committed when it began.

        A temporary table that is made with it is there in ``write`` of the same thread.
        """
        with self._reading() as cursor:
            yield cursor

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        opened, cursor = self._enter()
        try:
            with _enough_memory():
                yield cursor
        finally:
            # What was not fetched to its end stays a transaction, and no copy of the file can be made while it lasts.
            with suppress(duckdb.Error):
                cursor.fetchall()
            opened.leave()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own, which any thread may use: for what is fetched over a while."""
        opened, cursor = self._enter()
        try:
            with _enough_memory(), cursor.cursor() as own:
                yield own
        finally:
            opened.leave()

    def _enter(self) -> tuple[_Opened, duckdb.DuckDBPyConnection]:
        """Of what is open now, even when it takes another's place this moment."""
        while True:
            opened = self._current()
            cursor = opened.enter()
            if cursor is not None:
                return opened, cursor

    def _current(self) -> _Opened:
        opened = self._opened
        if opened is None:
            raise Unavailable("The history is not open", hint="Try again in a moment.")
        return opened

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, each as a dict by column name."""
        with self.read() as cursor:
            return rows_of(cursor.execute(text, list(values)))

    @contextmanager
    def write(self, *, runs: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end, rolled back on an exception; one at a time.

        ``runs`` is False when no graph run is written.
        """
        with self._writing, self._writer().used() as cursor, _enough_memory():
            self._check()
            self._followed = None
            cursor.begin()
            try:
                yield cursor
                self._check()
                followed = self._changed()
                wrote = runs and (followed is None or bool(followed))
                token = _new_token(cursor) if wrote else None
            except BaseException:
                cursor.rollback()
                raise
            cursor.commit()
            self.commits += 1
            if token is not None:
                self._rows.follow(token, followed)
        self._revision.bump()

    def _changed(self) -> RunsChange | None:
        followed, self._followed = self._followed, None
        return followed

    def changed_runs(self, runs: set[str], cells: Sequence[Cells], tasks: TaskChange) -> None:
        """Within ``write``: no graph runs but these are written, and ``cells`` are all their attempts now; and no task
        runs but those of ``tasks``.

        Whoever does not say so makes the files of rows anew.
        """
        self._followed = RunsChange(runs, cells, tasks)

    def wait_for_index(self) -> None:
        """Until the files of rows are no longer being made."""
        self._rows.wait()

    def trim(self) -> None:
        """Give back the memory of what was read and written; while somebody reads it is kept."""
        opened = self._opened
        if opened is None:
            return
        # What stands in the log alone is in memory, too.
        if opened.writable and self._log.exists() and self._log.stat().st_size:
            self.compact()
        opened.trim(_AT_REST, self._memory)

    @property
    def _log(self) -> Path:
        return Path(f"{self.path}.wal")

    def compact(self) -> None:
        """Write what was committed from the log into the file, and give back the room of what was removed."""
        with self._writing, self._writer().used() as cursor:
            cursor.execute("CHECKPOINT").fetchall()

    @contextmanager
    def still(self) -> Iterator[int]:
        """The file has all that was committed, and nobody writes it; gives ``commits``."""
        with self._writing:
            self.compact()
            yield self.commits

    def _check(self) -> None:
        if self._may_write is not None:
            self._may_write()

    def _writer(self) -> _Opened:
        opened = self._current()
        if not opened.writable:
            raise Unavailable(
                "Another process writes the history",
                hint="This one reads what that publishes, and takes over when it ends.",
                code="history_held",
            )
        return opened


class _Opened:
    """One open file with a cursor for each thread; closed once it is retired and nobody uses it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, writable: bool) -> None:
        self._connection = connection
        self.writable = writable
        self._cursors: dict[int, duckdb.DuckDBPyConnection] = {}
        self._users = 0
        self._retired = self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def used(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The cursor of this thread."""
        cursor = self.enter()
        if cursor is None:
            raise Unavailable("The history was closed just now", hint="Try again in a moment.")
        try:
            yield cursor
        finally:
            self.leave()

    def enter(self) -> duckdb.DuckDBPyConnection | None:
        """The cursor of this thread, until ``leave``; None when it is closed."""
        thread = threading.get_ident()
        with self._lock:
            if self._closed:
                return None
            if thread not in self._cursors:
                self._forget_ended()
                self._cursors[thread] = self._connection.cursor()
            self._users += 1
            return self._cursors[thread]

    def leave(self) -> None:
        """It is no longer used; the last one closes what was retired."""
        with self._lock:
            self._users -= 1
            self._close_if_over()

    def trim(self, memory: str, most: str) -> None:
        """Keep no more of the file in memory than ``memory``, unless it is used; ``most`` is the limit again then."""
        # Who begins to read meanwhile waits: with so little memory a query may fail.
        with self._lock:
            if self._users or self._closed:
                return
            self._forget_ended()
            try:
                with suppress(duckdb.OutOfMemoryException):
                    self._connection.execute(f"SET memory_limit = '{memory}'")
            finally:
                self._connection.execute(f"SET memory_limit = '{most}'")

    def retire(self) -> None:
        """Close it as soon as nobody uses it."""
        with self._lock:
            self._retired = True
            self._close_if_over()

    def _forget_ended(self) -> None:
        alive = {one.ident for one in threading.enumerate()}
        for thread in self._cursors.keys() - alive:
            self._cursors.pop(thread).close()

    def _close_if_over(self) -> None:
        if self._retired and not self._users and not self._closed:
            self._closed = True
            for cursor in self._cursors.values():
                cursor.close()
            self._connection.close()


def rows_of(answer: duckdb.DuckDBPyConnection) -> list[Row]:
    """What was just executed gave these rows, each as a dict by column name."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def graph_run(row: Sequence[Any]) -> GraphRunRow:
    """A row of ``RUN_COLUMNS``."""
    cells: list[Any] = [aware(value) if isinstance(value, datetime) else value for value in row]
    return GraphRunRow(*cells)


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Too many at once is a reason to come again, and no fault of the question."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        log.warning("history.memory", error=str(error).partition("\n")[0])
        raise Unavailable(
            "The history is asked too much at once", hint="Try again in a moment.", code="history_busy"
        ) from error


def _new_token(cursor: duckdb.DuckDBPyConnection) -> str:
    """Of this commit, as no other one had it."""
    token = secrets.token_hex(12)
    cursor.execute("UPDATE runs_token SET token = ?", [token])
    return token


def naive(moment: datetime | None) -> datetime | None:
    """As the history keeps it; one without zone is of UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment


def aware(moment: datetime | None) -> datetime | None:
    """As the program speaks of it."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
