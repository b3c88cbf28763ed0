"""The bill of a stretch of time: what ran in it, read from the history, and what that came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.meters import ledger, settings
from embedded_account.meters.ledger import HOUR, Meter, Work
from embedded_account.meters.state import Task
from embedded_account.usage import queries

if TYPE_CHECKING:
    from embedded_account.account import Account

WAREHOUSE = "WAREHOUSE_METERING"
SERVERLESS = "SERVERLESS_TASK"
# Credits of an hour of a serverless task, which is reckoned as an X-Small.
# https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf
SERVERLESS_RATE = 0.9
# Of an hour's credits; the documentation says NUMBER alone.
DECIMALS = 9
_RAN = """query_id, start_time, end_time, parent_id, root_id, warehouse_name, warehouse_size, query_tag, user_name,
    task_id, task_database, task_schema, task_name"""


@dataclass
class Bill:
    """Credits, and the attributed part of them, by hour and what they were for; queries with theirs.

    What is (hour, service, name, database, schema, task id); a query is in the order of the columns of `ATTRIBUTED`.
    """

    hours: dict[tuple[Any, ...], tuple[float, float]] = field(default_factory=dict)
    queries: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, key: tuple[Any, ...], credits: float, attributed: float) -> None:
        before = self.hours.get(key, (0.0, 0.0))
        self.hours[key] = before[0] + credits, before[1] + attributed

    def add_bill(self, other: Bill) -> None:
        for key, amounts in other.hours.items():
            self.add(key, *amounts)
        self.queries += other.queries

    @property
    def hour_rows(self) -> list[tuple[Any, ...]]:
        """In the order of the columns of `HOURS`, to a billionth of a credit: the views have nine decimals.

        No warehouse was on for less time than it was busy.
        """
        return [
            (*key, round(max(amounts), DECIMALS), round(amounts[1], DECIMALS))
            for key, amounts in sorted(self.hours.items(), key=_by_hour)
        ]


def _by_hour(item: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    return tuple(part or "" for part in item[0])


def bill(
    account: Account,
    connection: duckdb.DuckDBPyConnection,
    meters: dict[str, Meter],
    since: datetime,
    until: datetime,
    now: datetime,
) -> Bill:
    """What a stretch came to; moves the meters to its end."""
    found = Bill()
    ran = list(_ran(account, connection, since, until, now))
    late = _late(connection, meters, since)
    _bill_warehouses(
        found, meters, [*late, *ran], settings.settings_of(connection, since, until), since, until
    )
    _bill_tasks(found, ran, since, until)
    found.queries.sort(key=lambda row: (row[7], row[0]))
    return found


def _bill_warehouses(
    found: Bill,
    meters: dict[str, Meter],
    ran: list[queries.Ran],
    changes: dict[str, list[ledger.Setting]],
    since: datetime,
    until: datetime,
) -> None:
    works: dict[str, list[Work]] = defaultdict(list)
    for one in ran:
        if one.rate is not None and one.warehouse is not None:
            works[one.warehouse].append(Work(one.query_id, one.begun, one.ended, one.parent, one.rate))
    by_id = {one.query_id: one for one in ran}
    for name in sorted({*works, *changes, *meters}):
        meter = meters.setdefault(name, Meter())
        result = ledger.advance(meter, works[name], changes.get(name, ()), since, until)
        for hour, on, busy in result.hours:
            found.add((hour, WAREHOUSE, name, None, None, None), on, busy)
        found.queries += [(*by_id[key].told, cost) for key, cost in result.queries.items()]


def _bill_tasks(found: Bill, ran: Sequence[queries.Ran], since: datetime, until: datetime) -> None:
    """Serverless tasks pay for the time of their bodies; what a body calls is within it."""
    for one in ran:
        if one.task is not None and one.parent is None:
            for hour, part in ledger.split(max(one.begun, since), min(one.ended, until)):
                task: Task = one.task
                cost = ledger.credits(part, SERVERLESS_RATE)
                found.add((hour, SERVERLESS, task.name, task.database, task.schema, task.id), cost, cost)


def _ran(
    account: Account, connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime, now: datetime
) -> Iterator[queries.Ran]:
    """What ran on warehouses and in serverless tasks, what still runs among it, as running until now."""
    # In this order: what ends meanwhile is in both, and counted once.
    running = list(queries.running(account, until, now))
    queries.flush(account)
    rows = connection.execute(
        f"SELECT {_RAN} FROM {queries.QUERIES} WHERE end_time > ? AND start_time < ? "
        "AND (warehouse_size IS NOT NULL OR task_id IS NOT NULL)",
        [since, until],
    ).fetchall()
    found = [queries.Ran.of(row) for row in rows]
    known = {one.query_id for one in found}
    yield from found
    yield from (one for one in running if one.query_id not in known)


def _late(
    connection: duckdb.DuckDBPyConnection, meters: dict[str, Meter], since: datetime
) -> list[queries.Ran]:
    """Statements that were taken for running at `since`, and had just ended."""
    pending = [query_id for meter in meters.values() for query_id in meter.pending]
    if not pending:
        return []
    rows = connection.execute(
        f"SELECT {_RAN} FROM {queries.QUERIES} WHERE end_time > ? AND end_time <= ? AND list_contains(?, query_id) "
        "AND warehouse_size IS NOT NULL",
        [since - HOUR, since, pending],
    ).fetchall()
    return [queries.Ran.of(row) for row in rows]
