"""What may go wrong on a simulated day, done for real to the account and undone before its evening.

Each trouble is known by what it leaves in the account, so that whoever comes after a crash can mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.core.errors import Invalid
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import Scope, within

Run = Callable[[str], list[dict[str, Any]]]
"""Runs one statement; its rows."""

# Beside a name, what it was renamed to or put aside as.
_ASIDE = "__PUT_ASIDE"
_ALERTS = "ALERTS"
_PARCELS, _COLUMN = "PARCELS", "DESTINATION_LAT"
# The tables that an evening fills, and the column that says of which day.
_EVENING = {"PUDO_OCCUPANCY": "DATE", "DELIVERY_ATTEMPTS": "ATTEMPT_DATE"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """``make(run, scopes, day)`` once the morning of ``day`` has come; ``mend(run, scopes)`` undoes it, or nothing."""

    name: str
    title: str
    description: str
    make: Callable[[Run, list[Scope], date], str]
    mend: Callable[[Run, list[Scope]], bool]


def _rename_alerts(run: Run, scopes: list[Scope], day: date) -> str:
    scope = scopes[0]
    if not _has(run, scope.schema, _ALERTS + _ASIDE):
        run(f"ALTER TABLE {scope.own(_ALERTS)} RENAME TO {scope.own(_ALERTS + _ASIDE)}")
    return f"Somebody renamed {scope.own(_ALERTS)}"


def _name_alerts_back(run: Run, scopes: list[Scope]) -> bool:
    mended = False
    for scope in scopes:
        if _has(run, scope.schema, _ALERTS + _ASIDE):
            run(f"ALTER TABLE {scope.own(_ALERTS + _ASIDE)} RENAME TO {scope.own(_ALERTS)}")
            mended = True
    return mended


def _rename_column(run: Run, scopes: list[Scope], day: date) -> str:
    table = scopes[0].source(_PARCELS)
    if _COLUMN + _ASIDE not in _columns(run, table):
        run(f"ALTER TABLE {table} RENAME COLUMN {quote(_COLUMN)} TO {quote(_COLUMN + _ASIDE)}")
    return f"Somebody renamed the column {_COLUMN} of {table}, which feature views read"


def _name_column_back(run: Run, scopes: list[Scope]) -> bool:
    table = scopes[0].source(_PARCELS)
    if _COLUMN + _ASIDE not in _columns(run, table):
        return False
    run(f"ALTER TABLE {table} RENAME COLUMN {quote(_COLUMN + _ASIDE)} TO {quote(_COLUMN)}")
    return True


def _hold_back(run: Run, scopes: list[Scope], day: date) -> str:
    """The evening before is not in yet: its rows wait in a table of their own."""
    shared = scopes[0].shared
    for name, column in _EVENING.items():
        table, aside = within(shared, name), within(shared, name + _ASIDE)
        before = f"{quote(column)} = (SELECT MAX({quote(column)}) FROM {table})"
        if not _has(run, shared, name + _ASIDE):
            run(f"CREATE TABLE {aside} AS SELECT * FROM {table} WHERE {before}")
        run(f"DELETE FROM {table} WHERE {quote(column)} IN (SELECT {quote(column)} FROM {aside})")
    return f"What happened on the evening before {day} is late"


def _let_arrive(run: Run, scopes: list[Scope]) -> bool:
    shared = scopes[0].shared
    mended = False
    for name, column in _EVENING.items():
        table, aside = within(shared, name), within(shared, name + _ASIDE)
        if not _has(run, shared, name + _ASIDE):
            continue
        # Interrupted before it dropped the table, it finds the rows in.
        run(
            f"INSERT INTO {table} SELECT * FROM {aside} AS A"
            f" WHERE A.{quote(column)} NOT IN (SELECT {quote(column)} FROM {table})"
        )
        run(f"DROP TABLE {aside}")
        mended = True
    return mended


TROUBLES: Mapping[str, Trouble] = {
    one.name: one
    for one in (
        Trouble(
            "failing-task",
            "A task fails",
            "A table that the first spoke's graph writes its alerts to is renamed: the task that writes them fails.",
            _rename_alerts,
            _name_alerts_back,
        ),
        Trouble(
            "broken-feature",
            "A feature view breaks",
            "A column of the parcels is renamed: feature views that read it cannot be refreshed, and no forecast"
            " is made with them.",
            _rename_column,
            _name_column_back,
        ),
        Trouble(
            "late-data",
            "Data is late",
            "What the evening before brought is not in when the forecast is due: it refuses to forecast from old data.",
            _hold_back,
            _let_arrive,
        ),
    )
}


def trouble(name: str) -> Trouble:
    """The trouble of this name; Invalid 422 for an unknown one."""
    if name not in TROUBLES:
        raise Invalid(
            f"There is no trouble {name!r}", hint=f"Use one of {', '.join(TROUBLES)}.", code="unknown_trouble"
        )
    return TROUBLES[name]


def mend_all(run: Run, scopes: list[Scope]) -> Iterator[str]:
    """Undo whatever was left; what it was."""
    for one in TROUBLES.values():
        if scopes and one.mend(run, scopes):
            yield one.name


def _has(run: Run, schema: QualifiedName, table: str) -> bool:
    rows = run(f"SHOW TABLES LIKE {literal(table)} IN SCHEMA {schema}")
    return any(row["name"] == table for row in rows)


def _columns(run: Run, table: QualifiedName) -> set[str]:
    return {str(row["name"]) for row in run(f"DESCRIBE TABLE {table}")}
