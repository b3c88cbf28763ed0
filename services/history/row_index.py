"""The newest graph runs as rows of SQLite, beside the history: a list or one run is found in a tenth of a millisecond.

Columns are those of ``GraphRunRow``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from services.history.row_file import OF_RUNS, Cells, RowFile, listed, microseconds, moment_of, transaction
from services.history.types import GraphRunRow

# Two years of fifty spokes, some 0.5 KB each.
ROOM = 1_000_000
NEWEST = "scheduled_at DESC, attempt DESC, run_id"
# Above this it is cut back to ROOM.
_MOST = 1_010_000
COLUMNS = tuple(one.name for one in fields(GraphRunRow))
_TIMES = tuple(COLUMNS.index(name) for name in ("scheduled_at", "started_at", "completed_at", "seen_at"))
# What DuckDB is asked for, so that its rows are those of this file.
CELLS = ", ".join(f"epoch_us({name})" if place in _TIMES else name for place, name in enumerate(COLUMNS))
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM runs"
_INSERT = f"INSERT INTO runs VALUES ({', '.join('?' * len(COLUMNS))})"
# Changes with whatever is changed below.
_VERSION = 4
_TABLES = f"""
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
"""


class RowIndex(RowFile):
    """See ``RowFile``."""

    def __init__(self, path: Path, damaged: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, _VERSION, damaged)
        self._floor: datetime | None = None

    @property
    def floor(self) -> datetime | None:
        """It has every run that was due after this moment; None: it has all there are."""
        return self._floor

    def _restore(self, state: Sequence[Any]) -> None:
        self._floor = moment_of(state[0])

    def build(self, token: str, parts: Iterable[Sequence[Cells]], floor: datetime | None) -> None:
        """Make it anew of all runs that were due after ``floor``, None: of all there are. See ``CELLS``."""
        with self._made(_TABLES, _INDEXES) as (db, finish):
            with transaction(db):
                for part in parts:
                    db.executemany(_INSERT, part)
            finish([token, microseconds(floor)])
            self._floor = floor

    def replace(self, token: str, runs: Iterable[str], cells: Iterable[Cells]) -> None:
        """After a commit of this token: ``cells`` are all attempts of ``runs`` now."""
        floor = microseconds(self._floor)
        kept = [row for row in cells if floor is None or row[_TIMES[0]] > floor]
        with self._used() as db, transaction(db):
            db.execute(f"DELETE FROM runs WHERE {OF_RUNS}", [listed(runs)])
            db.executemany(_INSERT, kept)
            floor = _cut(db, floor)
            db.execute("UPDATE state SET token = ?, floor = ?", [token, floor])
        self._floor = moment_of(floor)

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
        found = self.ask(f"{_SELECT} WHERE {condition} ORDER BY {order} LIMIT {limit:d}", values)
        return None if found is None else [_row(cells) for cells in found]


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
            made[place] = moment_of(made[place])
    return GraphRunRow(*made)
