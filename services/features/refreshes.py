"""Refreshes and column profiles of feature views as the history keeps them: one query each, however many there are.

https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history: COMPLETION_TARGET is when a refresh
had to be over for the lag to stay below TARGET_LAG: TARGET_LAG after the data of the last refresh that succeeded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from services.features.types import ColumnProfile, Refresh
from services.history import History, ages
from services.history.store import aware, naive, rows_of
from services.snowflake.failures import cause

Row = dict[str, Any]
T = TypeVar("T")
#: (database, schema, NAME$VERSION).
Key = tuple[str, str, str]
SHOWN_REFRESHES = 30
SHOWN_DAYS = 90
KEPT_PROFILES = 60
_KEPT_ANSWERS = 32
_KEY = "database_name, schema_name, name"
_LAST = "ended_at IS NOT NULL AND state IN ('SUCCEEDED', 'FAILED', 'UPSTREAM_FAILED')"
# Where the account does not tell the target: what is older than the target lag when it is there is too late anyway.
_REFRESHES = f"""
    WITH told AS (
        SELECT *, coalesce(completion_target, data_timestamp + to_seconds(target_lag_seconds)) AS due
        FROM refreshes WHERE started_at >= $since AND list_contains($names, name)
    ), judged AS (
        SELECT *, coalesce(ended_at > due, false) AS late FROM told
    ), targets AS (
        SELECT {_KEY}, due, max(ended_at) AS missed_at FROM judged WHERE late GROUP BY ALL
    ), missed AS (
        SELECT {_KEY}, max(missed_at) AS missed_at, count(*) FILTER (missed_at >= $week) AS missed_7,
            count(*) FILTER (missed_at >= $month) AS missed_30
        FROM targets GROUP BY {_KEY}
    ), summed AS (SELECT {_KEY},
        max_by({{'state': state, 'started_at': started_at, 'ended_at': ended_at, 'late': late,
            'rows_inserted': rows_inserted, 'rows_deleted': rows_deleted, 'state_message': state_message}},
            started_at, {SHOWN_REFRESHES}) AS newest,
        max_by(state, started_at) FILTER ({_LAST}) AS last_state,
        max(ended_at) FILTER (state = 'SUCCEEDED') AS succeeded_at,
        max(data_timestamp) FILTER (state = 'SUCCEEDED') AS data_timestamp,
        max_by(target_lag_seconds, started_at) AS target_lag_seconds,
        count(*) FILTER (state = 'FAILED' AND started_at >= $week) AS failed_7,
        count(*) FILTER (state = 'FAILED' AND started_at >= $month) AS failed_30,
        max_by({{'at': coalesce(ended_at, started_at), 'message': state_message, 'code': state_code}}, started_at)
            FILTER (state = 'FAILED' AND started_at >= $month) AS failure,
        coalesce(sum(rows_inserted) FILTER (started_at >= $week), 0)::BIGINT AS rows_inserted_7,
        coalesce(sum(rows_deleted) FILTER (started_at >= $week), 0)::BIGINT AS rows_deleted_7
    FROM judged GROUP BY {_KEY})
    SELECT * FROM summed LEFT JOIN missed USING ({_KEY})
"""
_PROFILES = f"""
    SELECT {_KEY}, column_name, rows, nulls, distinct_values, seen_at,
        dense_rank() OVER (PARTITION BY {_KEY} ORDER BY seen_at DESC) AS place
    FROM column_statistics WHERE list_contains($names, name)
    QUALIFY place <= 2
"""
_TOO_MANY = f"""
    DELETE FROM column_statistics AS kept USING (
        SELECT {_KEY}, seen_at FROM (SELECT DISTINCT {_KEY}, seen_at FROM column_statistics)
        QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY seen_at DESC) > {KEPT_PROFILES}
    ) AS old
    WHERE kept.database_name = old.database_name AND kept.schema_name = old.schema_name AND kept.name = old.name
        AND kept.seen_at = old.seen_at
"""


@dataclass(frozen=True, slots=True)
class Course:
    """What was told of one view's refreshes. ``refreshes`` are the newest, oldest first; counts of 7 and 30 days.

    ``missed_at`` is when a refresh last ended after its target, ``failure`` (when, line, code) the newest of 30 days.
    """

    refreshes: tuple[Refresh, ...] = ()
    last_state: str | None = None
    succeeded_at: datetime | None = None
    data_timestamp: datetime | None = None
    target_lag_seconds: float | None = None
    missed_at: datetime | None = None
    missed_7: int = 0
    missed_30: int = 0
    failed_7: int = 0
    failed_30: int = 0
    failure: tuple[datetime, str, str | None] | None = None
    rows_inserted_7: int = 0
    rows_deleted_7: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """The newest column profile of a view, beside the one before."""

    at: datetime
    before_at: datetime | None
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the account counted of one view: by column (name, nulls, distinct values)."""

    key: Key
    spoke: str | None
    environment: str
    rows: int
    columns: tuple[tuple[str, int, int | None], ...]


class _Kept(Generic[T]):
    """What was read of the history holds until it is written; of the newest few questions."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._commits = -1
        self._found: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        with self._lock:
            commits = self._history.commits
            if commits != self._commits:
                self._found.clear()
                self._commits = commits
            if key in self._found:
                return self._found[key]
        found = read()
        with self._lock:
            # What was written meanwhile may not be in it.
            if self._history.commits == self._commits == commits:
                self._found[key] = found
                while len(self._found) > _KEPT_ANSWERS:
                    self._found.popitem(last=False)
        return found


class Refreshes:
    """Reads the history, and writes column profiles into it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._age = ages.Age(history, ages.REFRESHES)
        self._courses: _Kept[dict[Key, Course]] = _Kept(history)
        self._profiles: _Kept[dict[Key, Profile]] = _Kept(history)

    def courses(self, names: Collection[str], now: datetime) -> dict[Key, Course]:
        """The refreshes of the last ``SHOWN_DAYS`` of views of these names, whichever schema they are in.

        Days are counted back from the minute that ``now`` is in.
        """
        minute = now.replace(second=0, microsecond=0)
        return self._courses.get((frozenset(names), minute), lambda: self._read_courses(names, minute))

    def profiles(self, names: Collection[str]) -> dict[Key, Profile]:
        """The newest profile of each view of these names."""
        return self._profiles.get(frozenset(names), lambda: self._read_profiles(names))

    def _read_courses(self, names: Collection[str], now: datetime) -> dict[Key, Course]:
        values = {
            "names": list(names),
            "since": naive(now - timedelta(days=SHOWN_DAYS)),
            "month": naive(now - timedelta(days=30)),
            "week": naive(now - timedelta(days=7)),
        }
        return {_key(row): _course(row) for row in self._rows(_REFRESHES, values)}

    def _read_profiles(self, names: Collection[str]) -> dict[Key, Profile]:
        found: dict[Key, list[Row]] = {}
        for row in self._rows(_PROFILES, {"names": list(names)}):
            found.setdefault(_key(row), []).append(row)
        return {key: _profile(rows) for key, rows in found.items()}

    def as_of(self) -> datetime | None:
        """When the account last told of refreshes."""
        return self._age()

    def keep(self, measured: Iterable[Measured], at: datetime) -> int:
        """Write profiles of one moment in one transaction, once however often it is done; the number of columns.

        Of each view the newest ``KEPT_PROFILES`` stay.
        """
        seen_at, columns = naive(at), 0
        with self._history.write(runs=False) as db:
            for one in measured:
                place = [*one.key, seen_at]
                db.execute(
                    "DELETE FROM column_statistics WHERE database_name = ? AND schema_name = ? AND name = ?"
                    " AND seen_at = ?",
                    place,
                )
                rows = [
                    [one.spoke, one.environment, *one.key, column, one.rows, nulls, distinct, seen_at]
                    for column, nulls, distinct in one.columns
                ]
                if rows:
                    db.executemany(
                        "INSERT INTO column_statistics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
                    )
                columns += len(rows)
            db.execute(_TOO_MANY)
        return columns

    def _rows(self, text: str, values: dict[str, Any]) -> list[Row]:
        with self._history.read() as cursor:
            return rows_of(cursor.execute(text, values))


def _key(row: Row) -> Key:
    return row["database_name"], row["schema_name"], row["name"]


def _course(row: Row) -> Course:
    failure = row["failure"]
    lag = row["target_lag_seconds"]
    return Course(
        tuple(_refresh(one) for one in sorted(row["newest"], key=lambda one: one["started_at"])),
        row["last_state"],
        aware(row["succeeded_at"]),
        aware(row["data_timestamp"]),
        None if lag is None else float(lag),
        aware(row["missed_at"]),
        row["missed_7"] or 0,
        row["missed_30"] or 0,
        row["failed_7"],
        row["failed_30"],
        (_moment(failure["at"]), cause(failure["message"] or ""), failure["code"]) if failure else None,
        row["rows_inserted_7"],
        row["rows_deleted_7"],
    )


def _refresh(row: Row) -> Refresh:
    began, ended = _moment(row["started_at"]), aware(row["ended_at"])
    return Refresh(
        row["state"],
        began,
        ended,
        None if ended is None else max((ended - began).total_seconds(), 0.0),
        row["late"],
        row["rows_inserted"],
        row["rows_deleted"],
        cause(row["state_message"]) if row["state_message"] and row["state"] != "SUCCEEDED" else None,
    )


def _profile(rows: list[Row]) -> Profile:
    newest = [row for row in rows if row["place"] == 1]
    before = {row["column_name"]: row for row in rows if row["place"] == 2}
    columns = []
    for row in newest:
        old = before.get(row["column_name"], {})
        columns.append(
            ColumnProfile(
                row["column_name"],
                row["rows"],
                row["nulls"],
                row["distinct_values"],
                old.get("rows"),
                old.get("nulls"),
                old.get("distinct_values"),
            )
        )
    before_at = next((aware(row["seen_at"]) for row in before.values()), None)
    columns.sort(key=lambda one: one.name)
    return Profile(_moment(newest[0]["seen_at"]), before_at, tuple(columns))


def _moment(moment: datetime) -> datetime:
    """``aware`` of a moment that is there."""
    found = aware(moment)
    assert found is not None
    return found
