"""The newest task runs beside the history: those of a run together, packed; those that did not succeed as rows.

Of ten million task runs the columns of DuckDB must be read to find the nine of one run, or fifty that failed. Here a
run's are one row, and what is rare has indexes and reaches back further.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.history.row_file import OF_RUNS, Cells, RowFile, listed, microseconds, moment_of, transaction

if TYPE_CHECKING:
    import duckdb

# A month of fifty spokes, some 50 bytes each.
ROOM = 1_500_000
# Of those that did not succeed, some 0.4 KB each.
ROOM_UNSUCCESSFUL = 300_000
# Above these it is cut back.
_MORE = 1.02
# So many groups are read for a list; when these do not have what is wanted, the history does not take longer.
_GROUPS_READ = (12, 80)
# So many rows are asked for at once.
_AT_ONCE = 20_000
SUCCEEDED = "SUCCEEDED"
NEWEST = "scheduled_at DESC, attempt DESC, run_id || '/' || name"
PLACE = ("spoke", "environment", "graph")
COLUMNS = (
    *PLACE, "name", "run_id", "attempt", "state", "scheduled_from", "scheduled_at", "started_at", "completed_at",
    "query_id", "return_value", "error_code", "error_message", "fingerprint",
)  # fmt: skip
_TIMES = frozenset({"scheduled_at", "started_at", "completed_at"})
# What is packed of each task run, in this order.
PACKED = (
    "name", "attempt", "state", "scheduled_from", "scheduled_at", "started_at", "completed_at", "query_id",
    "query_text", "return_value", "error_code", "error_message", "fingerprint",
)  # fmt: skip
_STATE, _DUE = PACKED.index("state"), PACKED.index("scheduled_at")


def _cells(names: Iterable[str]) -> str:
    return ", ".join(f"epoch_us({name})" if name in _TIMES else name for name in names)


# What DuckDB is asked for of some rows of task_runs: the groups, and of them the rows that did not succeed.
GROUPS = f"""
    SELECT run_id, spoke, environment, graph, epoch_us(min(scheduled_at)), epoch_us(max(scheduled_at)),
        CAST(count(*) AS INTEGER), string_agg(json_array({_cells(PACKED)})::VARCHAR, ',')
    FROM task_runs WHERE {{where}} GROUP BY run_id, spoke, environment, graph
"""
UNSUCCESSFUL = f"SELECT {_cells(COLUMNS)} FROM task_runs WHERE state <> '{SUCCEEDED}' AND {{where}}"

_VERSION = 1
_TABLES = f"""
    CREATE TABLE state (token TEXT, floor INTEGER, unsuccessful_floor INTEGER);
    CREATE TABLE groups (run_id, spoke, environment, graph, first_due INTEGER, last_due INTEGER, tasks INTEGER,
        packed BLOB);
    CREATE TABLE unsuccessful ({", ".join(COLUMNS)});
"""
_ORDER = "scheduled_at DESC, attempt DESC, run_id, name"
_INDEXES = f"""
    CREATE INDEX groups_of_run ON groups (run_id);
    CREATE INDEX groups_by_time ON groups (last_due, tasks);
    CREATE INDEX groups_by_spoke ON groups (spoke, last_due);
    CREATE INDEX groups_by_graph ON groups (spoke, environment, graph, last_due);
    CREATE INDEX unsuccessful_of_run ON unsuccessful (run_id);
    CREATE INDEX unsuccessful_by_time ON unsuccessful (scheduled_at);
    CREATE INDEX unsuccessful_by_state ON unsuccessful (state, {_ORDER});
    CREATE INDEX unsuccessful_by_spoke ON unsuccessful (spoke, state, {_ORDER});
"""
_INSERT_GROUP = "INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = f"INSERT INTO unsuccessful VALUES ({', '.join('?' * len(COLUMNS))})"


@dataclass(frozen=True)
class TaskChange:
    """What a commit did to task runs: of ``runs`` those that are due from ``since`` on are the ones given here, as
    ``GROUPS``, ``packed``, and ``UNSUCCESSFUL`` ask for them; and those before ``forgotten`` are no more.

    ``groups`` None: they are many, and are to be read; see ``read_changes``.
    """

    runs: frozenset[str] = frozenset()
    since: datetime | None = None
    groups: Sequence[Cells] | None = ()
    unsuccessful: Sequence[Cells] = ()
    forgotten: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.runs) or self.forgotten is not None


class TaskIndex(RowFile):
    """See ``RowFile``. Every row of ``task_runs`` that is due after ``floor`` is in it."""

    def __init__(self, path: Path, damaged: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, _VERSION, damaged)
        # None: there are no others.
        self.floor: datetime | None = None
        self.unsuccessful_floor: datetime | None = None

    def _restore(self, state: Sequence[Any]) -> None:
        self.floor, self.unsuccessful_floor = map(moment_of, state)

    def build(
        self,
        token: str,
        groups: Iterable[Sequence[Cells]],
        unsuccessful: Iterable[Sequence[Cells]],
        floor: datetime | None,
        unsuccessful_floor: datetime | None,
    ) -> None:
        """Make it anew. A group may come in several parts."""
        with self._made(_TABLES, _INDEXES) as (db, finish):
            with transaction(db):
                for part in _whole(groups):
                    db.executemany(_INSERT_GROUP, map(packed, part))
                for rows in unsuccessful:
                    db.executemany(_INSERT, rows)
            finish([token, microseconds(floor), microseconds(unsuccessful_floor)])
            self.floor, self.unsuccessful_floor = floor, unsuccessful_floor

    def replace(self, token: str, change: TaskChange) -> None:
        """After a commit of this token."""
        floor, other = microseconds(self.floor), microseconds(self.unsuccessful_floor)
        since, forgotten = microseconds(change.since), microseconds(change.forgotten)
        with self._used() as db, transaction(db):
            if change.runs and since is not None:
                _replace_groups(db, change, since, floor)
                db.execute(
                    f"DELETE FROM unsuccessful WHERE {OF_RUNS} AND scheduled_at >= ?",
                    [listed(change.runs), since],
                )
                due = COLUMNS.index("scheduled_at")
                db.executemany(
                    _INSERT, (row for row in change.unsuccessful if other is None or row[due] > other)
                )
            if forgotten is not None:
                _forget(db, forgotten)
            floor = _cut_groups(db, floor)
            other = _cut_unsuccessful(db, other)
            db.execute("UPDATE state SET token = ?, floor = ?, unsuccessful_floor = ?", [token, floor, other])
        self.floor, self.unsuccessful_floor = moment_of(floor), moment_of(other)

    def of_runs(
        self, place: tuple[str, str, str], runs: Sequence[str], since: datetime
    ) -> list[dict[str, Any]] | None:
        """The task runs of some runs of a graph, by the names of ``PACKED`` and ``run_id``, in no order; those due
        before ``since`` need not be among them. None when only the history can tell. ``place``: spoke, environment,
        graph.
        """
        floor = self.floor
        if floor is not None and microseconds(since) <= microseconds(floor):  # type: ignore[operator]
            return None
        marks = ", ".join("?" * len(runs))
        rows = self.ask(
            "SELECT run_id, packed FROM groups WHERE"
            f" run_id IN ({marks}) AND spoke = ? AND environment = ? AND graph = ?",
            [*runs, *place],
        )
        if rows is None or floor != self.floor:
            return None
        return [
            {**dict(zip(PACKED, _aware(task), strict=True)), "run_id": run}
            for run, body in rows
            for task in _tasks(body)
        ]

    def newest(
        self, place: Mapping[str, str], states: frozenset[str] | None, limit: int
    ) -> list[Cells] | None:
        """Rows of ``COLUMNS`` in the order of ``NEWEST``; None when only the history can tell.

        ``place`` may name spoke, environment and graph; ``states`` None means all.
        """
        floor = self.floor
        where = " AND ".join(f"{name} = ?" for name in place) or "true"
        at = microseconds(floor)
        least = -(2**63) if at is None else at
        found: list[tuple[int, int, str, Cells]] = []
        before: Cells = ()
        # What is due last in a group decides when it may be wanted.
        for size in _GROUPS_READ:
            rows = self.ask(
                f"SELECT last_due, run_id, spoke, environment, graph, packed FROM groups WHERE {where}"
                f" ORDER BY last_due DESC LIMIT {size:d}",
                list(place.values()),
            )
            if rows is None or floor != self.floor or rows[: len(before)] != list(before):
                return None
            for row in rows[len(before) :]:
                found += _fitting(row, states, least)
            before = tuple(rows)
            found = heapq.nsmallest(limit, found, key=lambda one: one[:3])
            all_ = len(rows) < size
            if (all_ and floor is None) or (len(found) == limit and (all_ or -found[-1][0] > rows[-1][0])):
                return [one[3] for one in found]
            if all_:
                return None
        return None

    def unsuccessful(
        self, condition: str, values: Sequence[Any], order: str, limit: int
    ) -> list[Cells] | None:
        """Of those that did not succeed the first that fit, as many as ``limit``; None when only the history can tell.

        ``order`` begins with the newest.
        """
        floor = self.unsuccessful_floor
        # The places first, which the indexes alone tell.
        rows = self.ask(
            f"SELECT {', '.join(COLUMNS)} FROM unsuccessful WHERE rowid IN ("
            f"SELECT rowid FROM unsuccessful WHERE {condition} ORDER BY {order} LIMIT {limit:d}) ORDER BY {order}",
            values,
        )
        if rows is None or floor != self.unsuccessful_floor or (len(rows) < limit and floor is not None):
            return None
        return [tuple(_aware(row, COLUMNS)) for row in rows]


def _fitting(row: Cells, states: frozenset[str] | None, least: int) -> Iterator[tuple[int, int, str, Cells]]:
    """The tasks of a group that fit, each after its place in the order."""
    _, run, *place, body = row
    for task in _tasks(body):
        if (states is None or task[_STATE] in states) and task[_DUE] > least:
            name, attempt, state, trigger, due, started, completed, query, _, value, code, message, mark = (
                task
            )
            cells = (
                *place, name, run, attempt, state, trigger, moment_of(due), moment_of(started), moment_of(completed),
                query, value, code, message, mark,
            )  # fmt: skip
            yield -due, -attempt, f"{run}/{name}", cells


def _aware(cells: Sequence[Any], names: Sequence[str] = PACKED) -> list[Any]:
    return [moment_of(cell) if name in _TIMES else cell for name, cell in zip(names, cells, strict=True)]


def packed(row: Cells) -> Cells:
    """A row of ``GROUPS`` as it is kept."""
    return (*row[:-1], zlib.compress(row[-1].encode(), 1))


def _tasks(body: bytes) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(b"[%b]" % zlib.decompress(body))
    return found


def _regrouped(key: Cells, tasks: Sequence[list[Any]]) -> list[Cells]:
    """The group of these tasks, not packed; none of none."""
    if not tasks:
        return []
    due = [task[_DUE] for task in tasks]
    text = json.dumps(tasks, separators=(",", ":"), ensure_ascii=False)[1:-1]
    return [(*key, min(due), max(due), len(tasks), text)]


def _joined(one: Cells, other: Cells) -> Cells:
    """Two parts of one group, which are not packed."""
    *key, first, last, count, text = one
    *_, first_too, last_too, count_too, text_too = other
    return (*key, min(first, first_too), max(last, last_too), count + count_too, f"{text},{text_too}")


def _whole(parts: Iterable[Sequence[Cells]]) -> Iterator[list[Cells]]:
    """Groups whose rows came in parts, one after the other in time, put together.

    One is given out once a part had nothing more of it; should more come later, that is a row of its own.
    """
    waiting: dict[Cells, Cells] = {}
    for part in parts:
        fresh = {row[:4]: row for row in part}
        yield [row for key, row in waiting.items() if key not in fresh]
        waiting = {key: _joined(waiting[key], row) if key in waiting else row for key, row in fresh.items()}
    yield list(waiting.values())


def _replace_groups(db: sqlite3.Connection, change: TaskChange, since: int, floor: int | None) -> None:
    """What was due before ``since`` is as it was."""
    groups: dict[Cells, Cells] = {}
    runs = listed(change.runs)
    for row in db.execute(f"SELECT * FROM groups WHERE {OF_RUNS}", [runs]).fetchall():
        for part in _between(row, None, since):
            groups[row[:4]] = _joined(groups[row[:4]], part) if row[:4] in groups else part
    new = []
    for row in change.groups or ():
        # Most are new as a whole, and packed already.
        if row[:4] not in groups and (floor is None or row[4] > floor):
            new.append(row)
            continue
        for part in _between(row, floor, None):
            groups[row[:4]] = _joined(groups[row[:4]], part) if row[:4] in groups else part
    db.execute(f"DELETE FROM groups WHERE {OF_RUNS}", [runs])
    db.executemany(_INSERT_GROUP, new)
    db.executemany(_INSERT_GROUP, map(packed, groups.values()))


def _between(row: Cells, after: int | None, before: int | None) -> list[Cells]:
    """A packed group's part that is due within, not packed."""
    *key, first, last, count, body = row
    if (after is None or first > after) and (before is None or last < before):
        return [(*key, first, last, count, zlib.decompress(body).decode())]
    if (after is not None and last <= after) or (before is not None and first >= before):
        return []
    return _regrouped(
        tuple(key),
        [
            task
            for task in _tasks(body)
            if (after is None or task[_DUE] > after) and (before is None or task[_DUE] < before)
        ],
    )


def _forget(db: sqlite3.Connection, before: int) -> None:
    """Remove what was due before a moment: few groups have tasks on both sides."""
    db.execute("DELETE FROM unsuccessful WHERE scheduled_at < ?", [before])
    rows = db.execute(
        "SELECT * FROM groups WHERE first_due < ? AND last_due >= ?", [before, before]
    ).fetchall()
    db.execute("DELETE FROM groups WHERE first_due < ?", [before])
    db.executemany(_INSERT_GROUP, (packed(part) for row in rows for part in _between(row, before - 1, None)))


def _cut_groups(db: sqlite3.Connection, floor: int | None) -> int | None:
    """Leave the newest ``ROOM`` once there are many more."""
    (count,) = db.execute("SELECT coalesce(sum(tasks), 0) FROM groups").fetchone()
    if count <= ROOM * _MORE:
        return floor
    left = 0
    for due, tasks in db.execute("SELECT last_due, tasks FROM groups ORDER BY last_due DESC"):
        left += tasks
        if left > ROOM:
            floor = due if floor is None else max(due, floor)
            break
    db.execute("DELETE FROM groups WHERE last_due <= ?", [floor])
    return floor


def _cut_unsuccessful(db: sqlite3.Connection, floor: int | None) -> int | None:
    (count,) = db.execute("SELECT count(*) FROM unsuccessful").fetchone()
    if count <= ROOM_UNSUCCESSFUL * _MORE:
        return floor
    (floor,) = db.execute(
        "SELECT scheduled_at FROM unsuccessful ORDER BY scheduled_at DESC LIMIT 1 OFFSET ?",
        [ROOM_UNSUCCESSFUL],
    ).fetchone()
    db.execute("DELETE FROM unsuccessful WHERE scheduled_at <= ?", [floor])
    return floor


@dataclass(frozen=True)
class Parts:
    """What ``TaskIndex.build`` is given besides the token."""

    groups: Iterator[list[Cells]]
    unsuccessful: Iterator[list[Cells]]
    floor: datetime | None
    unsuccessful_floor: datetime | None


def read_parts(db: duckdb.DuckDBPyConnection) -> Parts:
    """What there is room for, the newest, read in parts as it is taken: first the groups, then the others."""
    hours = db.execute(
        f"SELECT date_trunc('hour', scheduled_at), count(*), count(*) FILTER (state <> '{SUCCEEDED}') FROM task_runs"
        " GROUP BY ALL ORDER BY ALL DESC"
    ).fetchall()
    found = _spans([(hour, count) for hour, count, _ in hours], ROOM)
    others = _spans([(hour, count) for hour, _, count in hours], ROOM_UNSUCCESSFUL)
    return Parts(_asked(db, GROUPS, found[0]), _asked(db, UNSUCCESSFUL, others[0]), found[1], others[1])


def read_changes(db: duckdb.DuckDBPyConnection, changes: Sequence[TaskChange]) -> TaskChange:
    """Some changes, one after the other, as one, with what is now of their runs."""
    runs = frozenset().union(*(change.runs for change in changes))
    since = min((change.since for change in changes if change.since is not None), default=None)
    forgotten = max((change.forgotten for change in changes if change.forgotten is not None), default=None)
    if since is None or not runs:
        return TaskChange(forgotten=forgotten)
    where = "scheduled_at >= ? AND run_id IN (SELECT unnest(?))"
    values = [since, sorted(runs)]
    groups = [packed(row) for row in db.execute(GROUPS.format(where=where), values).fetchall()]
    others = db.execute(UNSUCCESSFUL.format(where=where), values).fetchall()
    return TaskChange(runs, since, groups, others, forgotten)


def _asked(
    db: duckdb.DuckDBPyConnection, text: str, spans: Iterable[tuple[datetime, datetime]]
) -> Iterator[list[Cells]]:
    for span in spans:
        yield db.execute(text.format(where="scheduled_at >= ? AND scheduled_at < ?"), span).fetchall()


def _spans(
    hours: Sequence[tuple[datetime, int]], room: int
) -> tuple[list[tuple[datetime, datetime]], datetime | None]:
    """Spans of whole hours, the oldest first, and the moment after which they have all."""
    found: list[tuple[datetime, datetime]] = []
    count = held = 0
    for hour, rows in hours:
        count += rows
        if count > room and found:
            return found[::-1], found[-1][0] - timedelta(microseconds=1)
        if found and held + rows <= _AT_ONCE:
            found[-1], held = (hour, found[-1][1]), held + rows
        else:
            found.append((hour, hour + timedelta(hours=1)))
            held = rows
    return found[::-1], None
