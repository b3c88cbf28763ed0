"""A file of SQLite beside the history that repeats a part of it as rows, which are found without reading columns.

It can be lost: a token says which commit of the history it repeats, and with any other one it is made anew.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)
Cells = tuple[Any, ...]
_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RowFile:
    """Any number of threads read while one writes. Nothing is found in it unless it is ``current``.

    Times in it are microseconds of Unix time.
    """

    def __init__(self, path: Path, version: int, damaged: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._version = version
        self._damaged = damaged
        self._current = False
        self._free: list[sqlite3.Connection] = []
        # Of which opening of the file a connection is: one of another may lead to a file that is gone.
        self._opening = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> bool:
        """Whether it repeats the last commit of the history."""
        return self._current

    def open(self, token: str) -> bool:
        """Use what is on the disk, if that is of this commit."""
        try:
            with self._used() as db:
                if db.execute("PRAGMA user_version").fetchone()[0] != self._version:
                    return False
                row = db.execute("SELECT * FROM state").fetchone()
        except sqlite3.DatabaseError:
            return False
        if row is None or row[0] != token:
            return False
        self._restore(row[1:])
        self._current = True
        return True

    def _restore(self, state: Sequence[Any]) -> None:
        """What the table ``state`` says besides the token."""

    def stale(self) -> None:
        """The history was changed otherwise."""
        self._current = False

    def caught_up(self) -> None:
        """What it did not follow at once was written into it."""
        self._current = True

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._lock:
            self._current = False
            self._opening += 1
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    def ask(self, text: str, values: Sequence[Any]) -> list[Cells] | None:
        """The rows of a query; None when it is not current. Times among the values may be without zone, of UTC."""
        bound = [microseconds(one) if isinstance(one, datetime) else one for one in values]
        if not self._current:
            return None
        try:
            with self._used() as db:
                found = db.execute(text, bound).fetchall()
        except sqlite3.Error as error:
            log.warning("rows.not_read", file=self.path.name, error=str(error))
            # Another thing than a moment without it: it is made anew.
            if not isinstance(error, sqlite3.OperationalError) and self._current:
                self._current = False
                self._damaged()
            return None
        # Replaced by another one meanwhile, it may have told of half of it.
        return found if self._current else None

    @contextmanager
    def _made(
        self, tables: str, indexes: str
    ) -> Iterator[tuple[sqlite3.Connection, Callable[[Sequence[Any]], None]]]:
        """A new file in the place of what there was, to be filled, and what is then told its ``state``."""
        self.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        with self._used() as db:
            db.executescript(f"PRAGMA journal_mode = OFF; {tables}")

            def finish(state: Sequence[Any]) -> None:
                db.executescript(
                    f"{indexes} ANALYZE; PRAGMA user_version = {self._version}; PRAGMA journal_mode = WAL;"
                )
                # Last, so that one that was not made to its end is of no commit.
                db.execute(f"INSERT INTO state VALUES ({', '.join('?' * len(state))})", state)

            yield db, finish
        self._current = True

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._free.pop() if self._free else None
            opening = self._opening
        if connection is None:
            connection = sqlite3.connect(
                self.path, timeout=_SECONDS, isolation_level=None, check_same_thread=False
            )
            # What a power failure takes of the last commits is read again from the history.
            connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if opening == self._opening:
                self._free.append(connection)
                return
        connection.close()


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Committed at the end, rolled back on an exception."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


#: A condition on ``run_id``, whose value is ``listed`` runs: any number of them in one statement.
OF_RUNS = "run_id IN (SELECT value FROM json_each(?))"


def listed(runs: Iterable[str]) -> str:
    """The value for ``OF_RUNS``."""
    return json.dumps(list(runs))


def microseconds(moment: datetime | None) -> int | None:
    """As these files keep it; one without zone is of UTC."""
    if moment is None:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def moment_of(found: int | None) -> datetime | None:
    """As the program speaks of it."""
    return None if found is None else _EPOCH + timedelta(microseconds=found)
