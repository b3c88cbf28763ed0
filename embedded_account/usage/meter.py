"""What warehouses and serverless tasks cost: hours that are over are written once, and stay as they are.

An hour is closed a second after its end, by a thread of the meter's own or by who reads. Closing writes its credits,
those of the statements that ended in it, and the meters to go on from, in one transaction; so the same hour gives the
same numbers after a restart, and whatever happens to the warehouse later. Of the hour that goes on, what is older than
a second is kept in memory, and the rest is reckoned at each read: a read costs the same in a busy hour.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from embedded_account.meters import settings, state
from embedded_account.meters.ledger import Meter
from embedded_account.names import duck
from embedded_account.objects.warehouses import rate_of
from embedded_account.usage import queries
from embedded_account.usage.billing import Bill, bill

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)
HOURS = duck("__account", "history", "metered_hours")
ATTRIBUTED = duck("__account", "history", "attributed_queries")
# The same of the hour that goes on, in memory; the newest queries apart.
OPEN_HOURS = duck("memory", "main", "__open_hours")
OPEN_QUERIES = duck("memory", "main", "__open_queries")
NEWEST_QUERIES = duck("memory", "main", "__newest_queries")
# A statement that began before that is known by now.
_GRACE = timedelta(seconds=1)
_LOOK_SECONDS = 20.0
_MOST_AT_ONCE = timedelta(days=7)
_HOUR_COLUMNS = """hour TIMESTAMPTZ, service VARCHAR, name VARCHAR, database_name VARCHAR, schema_name VARCHAR,
    task_id VARCHAR, credits DOUBLE, attributed DOUBLE"""
_QUERY_COLUMNS = """query_id VARCHAR, parent_id VARCHAR, root_id VARCHAR, warehouse_name VARCHAR, query_tag VARCHAR,
    user_name VARCHAR, start_time TIMESTAMPTZ, end_time TIMESTAMPTZ, credits DOUBLE"""


class UsageMeter:
    """The only writer of these tables. Thread-safe.

    `_open` is the bill of the time from the last closed hour to `_until`, where `_meters` stand; `_until` is None
    before there is anything to meter.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._connection = account.cursor()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        for table in (HOURS, OPEN_HOURS):
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_HOUR_COLUMNS})")
        for table in (ATTRIBUTED, OPEN_QUERIES, NEWEST_QUERIES):
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_QUERY_COLUMNS})")
        state.create(self._connection)
        records = ((record, rate_of(record)) for record in account.list("WAREHOUSE"))
        settings.note_missing(self._connection, records)
        self._until: datetime | None = None
        self._meters: dict[str, Meter] = {}
        self._open = Bill()
        self._take_up()
        self._thread = threading.Thread(target=self._run, name="metering", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                self.close_hours()
            except Exception:
                log.exception("the hours that are over could not be metered")

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        with self._lock:
            self._connection.close()

    def close_hours(self, now: datetime | None = None) -> None:
        """Write the hours that are over."""
        now = now or datetime.now(UTC)
        last = (now - _GRACE).replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if self._until is None:
                self._until = self._first()
            try:
                while self._until is not None and self._until < last:
                    until = min(last, _hour(self._until) + _MOST_AT_ONCE)
                    self._advance(until, now)
                    self._write(until)
            except BaseException:
                self._take_up()
                raise

    def bring_up_to_date(self) -> None:
        """Write the hours that are over, and leave in memory's tables what the open one came to."""
        with self._lock:
            self.close_hours()
            now = datetime.now(UTC)
            if self._until is None:
                return
            try:
                if now - _GRACE > self._until:
                    settled = self._advance(now - _GRACE, now)
                    queries.append(self._connection, OPEN_QUERIES, settled.queries)
            except BaseException:
                self._take_up()
                raise
            meters = copy.deepcopy(self._meters)
            newest = bill(self._account, self._connection, meters, self._until, now, now)
            whole = Bill(dict(self._open.hours))
            whole.add_bill(newest)
            with self._changing() as connection:
                for table, rows in ((OPEN_HOURS, whole.hour_rows), (NEWEST_QUERIES, newest.queries)):
                    connection.execute(f"DELETE FROM {table}")
                    queries.append(connection, table, rows)

    def _take_up(self) -> None:
        """Go on from the last closed hour, as it is stored."""
        self._until, self._meters = state.read(self._connection)
        self._open = Bill()
        for table in (OPEN_HOURS, OPEN_QUERIES, NEWEST_QUERIES):
            self._connection.execute(f"DELETE FROM {table}")

    def _first(self) -> datetime | None:
        """The hour of the first statement ever, or of the first warehouse."""
        queries.flush(self._account)
        (first,) = self._connection.execute(
            f"SELECT least((SELECT min(start_time) FROM {queries.QUERIES}), "
            f"(SELECT min(since) FROM {settings.SETTINGS}))"
        ).fetchall()[0]
        return None if first is None else _hour(first.astimezone(UTC))

    def _advance(self, until: datetime, now: datetime) -> Bill:
        """Bring the meters to a time; what that came to."""
        assert self._until is not None
        found = bill(self._account, self._connection, self._meters, self._until, until, now)
        self._open.add_bill(found)
        self._until = until
        return found

    def _write(self, until: datetime) -> None:
        """Store the open bill, which ends with an hour, and begin another."""
        with self._changing() as connection:
            queries.append(connection, HOURS, self._open.hour_rows)
            queries.append(connection, ATTRIBUTED, self._open.queries)
            state.write(connection, until, self._meters)
        self._take_up()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._connection
        connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            raise


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


_METERS: dict[Account, UsageMeter] = {}


def open_meter(account: Account) -> UsageMeter:
    """Give the account its meter; it ends when the account closes."""
    meter = _METERS[account] = UsageMeter(account)

    def close() -> None:
        _METERS.pop(account, None)
        meter.close()

    account.on_close.append(close)
    return meter


def meter_of(account: Account) -> UsageMeter:
    return _METERS[account]
