"""What a warehouse was set to, and when: one row for each change, so that later ones do not change what it has cost.

Written in the transaction that changes the warehouse's record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb

from embedded_account.catalog import Record
from embedded_account.meters.ledger import DEFAULT_AUTO_SUSPEND, Setting
from embedded_account.names import duck

_SCHEMA = duck("__account", "history")
SETTINGS = duck("__account", "history", "warehouse_settings")
_INSERT = f"INSERT INTO {SETTINGS} VALUES (?, ?, ?, ?, ?)"
Change = tuple[str, list[Any]]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {SETTINGS} (since TIMESTAMPTZ, warehouse VARCHAR, rate DOUBLE, "
        "auto_suspend BIGINT, stops BOOLEAN)"
    )


def change(record: Record, rate: float, at: datetime, *, stops: bool = False) -> Change:
    """The statement, with its values, that notes what the record says from `at` on."""
    return _INSERT, [at, record.name, rate, _auto_suspend(record), stops]


def _auto_suspend(record: Record) -> int | None:
    """Seconds; 0 and NULL mean that it never suspends."""
    value = str(record.body["options"].get("AUTO_SUSPEND", DEFAULT_AUTO_SUSPEND))
    return int(value) or None if value.isdigit() else None


def note_missing(connection: duckdb.DuckDBPyConnection, records: Iterable[tuple[Record, float]]) -> None:
    """Of warehouses that nothing is noted of, as an earlier version left them: what holds now, since their creation."""
    known = {name for (name,) in connection.execute(f"SELECT DISTINCT warehouse FROM {SETTINGS}").fetchall()}
    for record, rate in records:
        if record.name not in known:
            connection.execute(*change(record, rate, record.created_on))


def settings_of(
    connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime
) -> dict[str, list[Setting]]:
    """The changes in a stretch of time, by warehouse."""
    found: dict[str, list[Setting]] = defaultdict(list)
    rows = connection.execute(
        f"SELECT warehouse, since, rate, auto_suspend, stops FROM {SETTINGS} "
        "WHERE since >= ? AND since < ? ORDER BY since",
        [since, until],
    ).fetchall()
    for name, at, rate, auto_suspend, stops in rows:
        found[name].append(Setting(at.astimezone(UTC), rate, auto_suspend, stops))
    return found
