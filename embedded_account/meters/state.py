"""The meters where the last closed hour left them: one row in the account's own file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from embedded_account.meters.ledger import Meter, Span
from embedded_account.names import duck

STATE = duck("__account", "history", "meter_state")


@dataclass(frozen=True)
class Task:
    """A task that runs on Snowflake's own compute."""

    id: str
    database: str
    schema: str
    name: str


def create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE TABLE IF NOT EXISTS {STATE} (until TIMESTAMPTZ, content VARCHAR)")


def read(connection: duckdb.DuckDBPyConnection) -> tuple[datetime | None, dict[str, Meter]]:
    """Up to when hours are closed, None before the first, and the meters by warehouse."""
    row = connection.execute(f"SELECT until, content FROM {STATE}").fetchone()
    if row is None:
        return None, {}
    return row[0].astimezone(UTC), {name: _meter(body) for name, body in json.loads(row[1]).items()}


def write(connection: duckdb.DuckDBPyConnection, until: datetime, meters: dict[str, Meter]) -> None:
    """Inside the caller's transaction."""
    content = json.dumps({name: _body(meter) for name, meter in meters.items()})
    connection.execute(f"DELETE FROM {STATE}")
    connection.execute(f"INSERT INTO {STATE} VALUES (?, ?)", [until, content])


def _body(meter: Meter) -> dict[str, Any]:
    return {
        "rate": meter.rate,
        "auto_suspend": meter.auto_suspend,
        "on_since": _text(meter.on_since),
        "busy_until": _text(meter.busy_until),
        "stopping": meter.stopping,
        "owed": [(_text(s.begun), _text(s.ended), s.rate) for s in meter.owed],
        "pending": meter.pending,
    }


def _meter(body: dict[str, Any]) -> Meter:
    return Meter(
        rate=body["rate"],
        auto_suspend=body["auto_suspend"],
        on_since=_moment(body["on_since"]),
        busy_until=_moment(body["busy_until"]),
        stopping=body["stopping"],
        owed=[
            Span(datetime.fromisoformat(a), datetime.fromisoformat(b), rate) for a, b, rate in body["owed"]
        ],
        pending=body["pending"],
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
