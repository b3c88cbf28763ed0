"""The file of the history: one writer, any number of readers in its process.

All times in it are UTC without zone (TIMESTAMP); ``aware`` and ``naive`` are the way in and out.
https://duckdb.org/docs/current/connect/concurrency
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from services.core.errors import Unavailable
from services.core.revision import Revision
from services.history import schema
from services.history.hot import NewestRuns

Row = dict[str, Any]
Cursor = duckdb.DuckDBPyConnection


class History:
    """Opened by ``open``, closed by ``close``. ``read`` and ``write`` are the ways in."""

    def __init__(self, path: Path, revision: Revision | None = None, *, memory: str = "96MB") -> None:
        self.path = path
        self._revision = revision or Revision()
        self._memory = memory
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writing = threading.RLock()
        self._local = threading.local()
        # How often something was written: what was read before holds while it stands.
        self.commits = 0
        self.newest = NewestRuns()

    def open(self) -> None:
        """Open the file, make it when it is missing, and bring it to the schema of this code."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        config = {
            "memory_limit": self._memory,
            "threads": "2",
            "preserve_insertion_order": "false",
            # A page of a list is read by its places, not by all columns of all rows.
            "late_materialization_max_rows": "1001",
        }
        self._connection = duckdb.connect(str(self.path), config=config)
        schema.upgrade(self._connection)
        self.newest.clear()

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        with self._writing:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of this thread, for queries: each sees what was committed when it began.

        A temporary table that is made with it is there in ``write`` of the same thread.
        """
        yield self._cursor()

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, each as a dict by column name."""
        with self.read() as cursor:
            return rows_of(cursor.execute(text, list(values)))

    @contextmanager
    def write(self, *, runs: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end, rolled back on an exception; one at a time.

        ``runs`` is False when no graph run is written, or the writer itself tells ``newest`` of those.
        """
        with self._writing:
            cursor = self._cursor()
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                cursor.rollback()
                raise
            cursor.commit()
            self.commits += 1
            if runs:
                self.newest.clear()
        self._revision.bump()

    def compact(self) -> None:
        """Write what was committed from the log into the file, and give back the room of what was removed."""
        with self._writing:
            self._cursor().execute("CHECKPOINT").fetchall()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        connection = self._connection
        if connection is None:
            raise Unavailable("The history is not open", hint="Try again in a moment.")
        kept = getattr(self._local, "kept", None)
        if kept is None or kept[0] is not connection:
            kept = (connection, connection.cursor())
            self._local.kept = kept
        return kept[1]


def rows_of(answer: duckdb.DuckDBPyConnection) -> list[Row]:
    """What was just executed gave these rows, each as a dict by column name."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def naive(moment: datetime | None) -> datetime | None:
    """As the history keeps it; one without zone is of UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment


def aware(moment: datetime | None) -> datetime | None:
    """As the program speaks of it."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
