"""What warehouses and serverless tasks cost: hours that are over are written once, and stay as they are.

An hour is closed a second after its end, by a thread of the meter's own or by who reads. Closing writes its credits,
those of the statements that ended in it, and the meters to go on from, in one transaction; so the same hour gives the
same numbers after a restart, and whatever happens to the warehouse later. The hour that goes on is reckoned anew at
each read.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.meters import ledger, settings, state
from embedded_account.meters.ledger import Meter, Setting, Work
from embedded_account.meters.state import Task
from embedded_account.names import duck
from embedded_account.objects.warehouses import rate_of
from embedded_account.usage import queries

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)
HOURS = duck("__account", "history", "metered_hours")
ATTRIBUTED = duck("__account", "history", "attributed_queries")
# The same of the hour that goes on, in memory.
OPEN_HOURS = duck("memory", "main", "__open_hours")
OPEN_QUERIES = duck("memory", "main", "__open_queries")
WAREHOUSE = "WAREHOUSE_METERING"
SERVERLESS = "SERVERLESS_TASK"
# A statement that began before the hour's end is known by then.
_GRACE = timedelta(seconds=1)
_LOOK_SECONDS = 20.0
# Credits of an hour of a serverless task, which is reckoned as an X-Small.
# https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf
SERVERLESS_RATE = 0.9
_HOUR_COLUMNS = """hour TIMESTAMPTZ, service VARCHAR, name VARCHAR, database_name VARCHAR, schema_name VARCHAR,
    task_id VARCHAR, credits DOUBLE, attributed DOUBLE"""
_QUERY_COLUMNS = """query_id VARCHAR, parent_id VARCHAR, root_id VARCHAR, warehouse_name VARCHAR, query_tag VARCHAR,
    user_name VARCHAR, start_time TIMESTAMPTZ, end_time TIMESTAMPTZ, credits DOUBLE"""
_RAN = """query_id, start_time, end_time, parent_id, root_id, warehouse_name, warehouse_size, query_tag, user_name,
    task_id, task_database, task_schema, task_name"""


@dataclass
class Bill:
    """Rows of `HOURS` and of `ATTRIBUTED`, in the order of their columns."""

    hours: list[tuple[Any, ...]] = field(default_factory=list)
    queries: list[tuple[Any, ...]] = field(default_factory=list)


class UsageMeter:
    """The only writer of these tables. Thread-safe."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._connection = account.cursor()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        for table in (HOURS, OPEN_HOURS):
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_HOUR_COLUMNS})")
        for table in (ATTRIBUTED, OPEN_QUERIES):
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_QUERY_COLUMNS})")
        state.create(self._connection)
        records = ((record, rate_of(record)) for record in account.list("WAREHOUSE"))
        settings.note_missing(self._connection, records)
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
        until = (now - _GRACE).replace(minute=0, second=0, microsecond=0)
        with self._lock:
            since, meters = state.read(self._connection)
            if since is not None and until <= since:
                return
            begun = since or self._first()
            if begun is None or until <= begun:
                return
            bill = self._bill(meters, begun, until, now)
            self._write(bill, until, meters)

    def bring_up_to_date(self) -> None:
        """Write the hours that are over, and leave in `OPEN_HOURS` and `OPEN_QUERIES` what the open one came to."""
        with self._lock:
            self.close_hours()
            now = datetime.now(UTC)
            since, meters = state.read(self._connection)
            begun = since or self._first()
            bill = Bill() if begun is None or now <= begun else self._bill(meters, begun, now, now)
            with self._changing() as connection:
                for table, rows in ((OPEN_HOURS, bill.hours), (OPEN_QUERIES, bill.queries)):
                    connection.execute(f"DELETE FROM {table}")
                    queries.append(connection, table, rows)

    def _first(self) -> datetime | None:
        """The hour of the first statement ever, or of the first warehouse."""
        queries.flush(self._account)
        (first,) = self._connection.execute(
            f"SELECT least((SELECT min(start_time) FROM {queries.QUERIES}), "
            f"(SELECT min(since) FROM {settings.SETTINGS}))"
        ).fetchall()[0]
        return None if first is None else first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

    def _write(self, bill: Bill, until: datetime, meters: dict[str, Meter]) -> None:
        with self._changing() as connection:
            queries.append(connection, HOURS, bill.hours)
            queries.append(connection, ATTRIBUTED, bill.queries)
            state.write(connection, until, meters)

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

    def _bill(self, meters: dict[str, Meter], since: datetime, until: datetime, now: datetime) -> Bill:
        """The stretch's bill; moves the meters to its end."""
        ran = list(self._ran(since, until, now))
        bill = Bill()
        self._bill_warehouses(bill, meters, ran, since, until)
        _bill_tasks(bill, ran, since, until)
        bill.hours.sort(key=lambda row: (row[0], row[1], row[2]))
        bill.queries.sort(key=lambda row: (row[7], row[0]))
        return bill

    def _bill_warehouses(
        self, bill: Bill, meters: dict[str, Meter], ran: list[queries.Ran], since: datetime, until: datetime
    ) -> None:
        works: dict[str, list[Work]] = defaultdict(list)
        changes: dict[str, list[Setting]] = settings.settings_of(self._connection, since, until)
        for one in ran:
            if one.rate is not None and one.warehouse is not None:
                works[one.warehouse].append(Work(one.query_id, one.begun, one.ended, one.parent, one.rate))
        by_id = {one.query_id: one for one in ran}
        for name in sorted({*works, *changes, *meters}):
            meter = meters.setdefault(name, Meter())
            result = ledger.advance(meter, works[name], changes.get(name, ()), since, until)
            bill.hours += [
                (hour, WAREHOUSE, name, None, None, None, max(on, busy), busy)
                for hour, on, busy in result.hours
            ]
            bill.queries += [(*by_id[key].told, cost) for key, cost in result.queries.items()]

    def _ran(self, since: datetime, until: datetime, now: datetime) -> Iterator[queries.Ran]:
        """What ran on warehouses and in serverless tasks, what still runs among it, as running until now."""
        # In this order: what ends meanwhile is in both, and counted once.
        running = list(queries.running(self._account, until, now))
        queries.flush(self._account)
        rows = self._connection.execute(
            f"SELECT {_RAN} FROM {queries.QUERIES} WHERE end_time > ? AND start_time < ? "
            "AND (warehouse_size IS NOT NULL OR task_id IS NOT NULL)",
            [since, until],
        ).fetchall()
        found = [queries.Ran.of(row) for row in rows]
        known = {one.query_id for one in found}
        yield from found
        yield from (one for one in running if one.query_id not in known)


def _bill_tasks(bill: Bill, ran: Sequence[queries.Ran], since: datetime, until: datetime) -> None:
    """Serverless tasks pay for the time of their bodies; what a body calls is within it."""
    hours: dict[tuple[datetime, Task], float] = defaultdict(float)
    for one in ran:
        if one.task is not None and one.parent is None:
            for hour, part in ledger.split(max(one.begun, since), min(one.ended, until)):
                hours[hour, one.task] += ledger.credits(part, SERVERLESS_RATE)
    bill.hours += [
        (hour, SERVERLESS, task.name, task.database, task.schema, task.id, cost, cost)
        for (hour, task), cost in hours.items()
    ]


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
