"""The newest graph runs as rows of SQLite, beside the history: a list or one run is found in a tenth of a millisecond.

It repeats what ``graph_runs`` has, so it can be lost: a token says which commit of the history it repeats, and with any
other one it is made anew. Columns are those of ``GraphRunRow``, times in microseconds of Unix time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from services.history.types import GraphRunRow

log = structlog.get_logger(__name__)
# Two years of fifty spokes, some 0.5 KB each.
ROOM = 1_000_000
NEWEST = "scheduled_at DESC, attempt DESC, run_id"
# Above this it is cut back to ROOM.
_MOST = 1_010_000
_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
COLUMNS = tuple(one.name for one in fields(GraphRunRow))
_TIMES = tuple(COLUMNS.index(name) for name in ("scheduled_at", "started_at", "completed_at", "seen_at"))
# What DuckDB is asked for, so that its rows are those of this file.
CELLS = ", ".join(f"epoch_us({name})" if place in _TIMES else name for place, name in enumerate(COLUMNS))
Cells = tuple[Any, ...]
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM runs"
_INSERT = f"INSERT INTO runs VALUES ({', '.join('?' * len(COLUMNS))})"
# Changes with whatever is changed below.
_VERSION = 4
_TABLES = f"""
    PRAGMA journal_mode = OFF;
    CREATE TABLE state (token TEXT, floor INTEGER);
    CREATE TABLE runs ({", ".join(COLUMNS)});
"""
_INDEXES = f"""
    CREATE INDEX by_time ON runs ({NEWEST});
    CREATE INDEX by_run ON runs (run_id);
    CREATE INDEX by_state ON runs (state, {NEWEST});
    CREATE INDEX by_spoke ON runs (spoke, {NEWEST});
    CREATE INDEX by_spoke_state ON runs (spoke, state, {NEWEST});
    CREATE INDEX by_graph ON runs (spoke, environment, graph, {NEWEST});
    CREATE INDEX by_request ON runs (request_id) WHERE request_id IS NOT NULL;
    ANALYZE;
    PRAGMA user_version = {_VERSION};
    PRAGMA journal_mode = WAL;
"""


class RowIndex:
    """Any number of threads read while one writes. Nothing is found in it unless it is ``current``."""

    def __init__(self, path: Path, damaged: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._damaged = damaged
        self._current = False
        self._floor: datetime | None = None
        self._free: list[sqlite3.Connection] = []
        # Of which opening of the file a connection is: one of another may lead to a file that is gone.
        self._opening = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> bool:
        """Whether it repeats the last commit of the history."""
        return self._current

    @property
    def floor(self) -> datetime | None:
        """It has every run that was due after this moment; None: it has all there are."""
        return self._floor

    def open(self, token: str) -> bool:
        """Use what is on the disk, if that is of this commit."""
        try:
            with self._used() as db:
                if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                    return False
                row = db.execute("SELECT token, floor FROM state").fetchone()
        except sqlite3.DatabaseError:
            return False
        if row is None or row[0] != token:
            return False
        self._floor, self._current = _moment(row[1]), True
        return True

    def build(self, token: str, parts: Iterable[Sequence[Cells]], floor: datetime | None) -> None:
        """Make it anew of all runs that were due after ``floor``, None: of all there are. See ``CELLS``."""
        self.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        with self._used() as db:
            db.executescript(_TABLES)
            with _transaction(db):
                for part in parts:
                    db.executemany(_INSERT, part)
            db.executescript(_INDEXES)
            # Last, so that one that was not made to its end is of no commit.
            db.execute("INSERT INTO state VALUES (?, ?)", [token, _microseconds(floor)])
        self._floor, self._current = floor, True

    def replace(self, token: str, runs: Iterable[str], cells: Iterable[Cells]) -> None:
        """After a commit of this token: ``cells`` are all attempts of ``runs`` now."""
        floor = _microseconds(self._floor)
        kept = [row for row in cells if floor is None or row[_TIMES[0]] > floor]
        with self._used() as db, _transaction(db):
            db.executemany("DELETE FROM runs WHERE run_id = ?", ([run] for run in runs))
            db.executemany(_INSERT, kept)
            floor = _cut(db, floor)
            db.execute("UPDATE state SET token = ?, floor = ?", [token, floor])
        self._floor = _moment(floor)

    def stale(self) -> None:
        """The history was changed otherwise."""
        self._current = False

    def newest(
        self, condition: str, values: Sequence[Any], limit: int, order: str = NEWEST
    ) -> list[GraphRunRow] | None:
        """The newest that fit, as many as ``limit``; None when only the history can tell.

        Times among the values may be without zone, of UTC. ``order`` begins with the newest.
        """
        found = self.some(condition, values, order, limit)
        return None if found is None or (len(found) < limit and self._floor is not None) else found

    def some(
        self, condition: str, values: Sequence[Any], order: str = NEWEST, limit: int = -1
    ) -> list[GraphRunRow] | None:
        """Those that it has of the rows that fit; None when it is not current."""
        bound = [_microseconds(one) if isinstance(one, datetime) else one for one in values]
        if not self._current:
            return None
        try:
            with self._used() as db:
                found = db.execute(
                    f"{_SELECT} WHERE {condition} ORDER BY {order} LIMIT {limit:d}", bound
                ).fetchall()
        except sqlite3.Error as error:
            log.warning("row_index.not_read", error=str(error))
            # Another thing than a moment without it: it is made anew.
            if not isinstance(error, sqlite3.OperationalError) and self._current:
                self._current = False
                self._damaged()
            return None
        # Replaced by another one meanwhile, it may have told of half of it.
        return [_row(cells) for cells in found] if self._current else None

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._lock:
            self._current = False
            self._opening += 1
            free, self._free = self._free, []
        for connection in free:
            connection.close()

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
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _cut(db: sqlite3.Connection, floor: int | None) -> int | None:
    """Leave the newest ``ROOM`` once there are many more; what is not after the floor then may be less than all."""
    for most in ("max(rowid) - min(rowid)", "count(*)"):
        # The first is never less, and needs no look at every row.
        (count,) = db.execute(f"SELECT coalesce({most}, 0) FROM runs").fetchone()
        if count < _MOST:
            return floor
    row = db.execute(
        "SELECT scheduled_at FROM runs ORDER BY scheduled_at DESC LIMIT 1 OFFSET ?", [ROOM]
    ).fetchone()
    db.execute("DELETE FROM runs WHERE scheduled_at <= ?", row)
    cut: int = row[0]
    return cut


def _row(cells: Sequence[Any]) -> GraphRunRow:
    made = list(cells)
    for place in _TIMES:
        if made[place] is not None:
            made[place] = _EPOCH + timedelta(microseconds=made[place])
    return GraphRunRow(*made)


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
