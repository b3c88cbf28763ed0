"""The copy's side of copying: its tables, and what comes into them; each function within one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from services.history.store import Cursor, naive
from services.predictions.copied import KEY_NUMBERS, Copy, Row, contract_text
from services.predictions.evaluating import body_of, evaluate
from services.predictions.rows import below, numeric
from services.predictions.summaries import times_of

# What there is of a copy beside its tables.
OF_COPY = ("prediction_days", "prediction_times", "prediction_evaluations", "prediction_diagnostics")

Marks = Mapping[date, tuple[int, str]]
"""By day: number of rows, and what changes when one of them does."""


@dataclass(frozen=True)
class Part:
    """Rows or actuals: how each day is in the account, and which days are not so in the copy."""

    name: str
    marks: Marks
    changed: Mapping[date, int] = field(default_factory=dict)
    removed: tuple[date, ...] = ()

    @property
    def rows(self) -> int:
        return sum(self.changed.values())


def _entity_columns(copy: Copy) -> list[str]:
    told = ("PREDICTED", "ACTUAL", "NAIVE", "LOWER_BOUND", "UPPER_BOUND", "V", "MADE_AT")
    return [*KEY_NUMBERS, "DAY", "T", *told]


def actual_columns(copy: Copy) -> dict[str, str]:
    return {**KEY_NUMBERS, "DAY": "DATE", "T": copy.time_type, "ACTUAL": copy.value_type}


def create(db: Cursor, copy: Copy) -> None:
    columns = copy.columns
    tables = {
        copy.rows: columns,
        copy.entities: {name: columns[name] for name in _entity_columns(copy)},
        copy.actuals: actual_columns(copy),
    }
    for table, declared in tables.items():
        told = ", ".join(f"{name} {kind}" for name, kind in declared.items())
        db.execute(f"CREATE TABLE {table} ({told})")


def put(db: Cursor, copy: Copy, part: Part, days: Sequence[date]) -> None:
    """What is staged in the place of what the copy has of the days, and what is counted of it."""
    bound, marks = [*days], ", ".join("?" * len(days))
    told = [(copy.id, part.name, day, *part.marks[day]) for day in days if day in part.marks]
    db.execute(
        f"DELETE FROM prediction_days WHERE copy_id = ? AND part = ? AND day IN ({marks})",
        [copy.id, part.name, *bound],
    )
    insert(db, "prediction_days", told)
    if part.name == "actuals":
        db.execute(f"DELETE FROM {copy.actuals} WHERE DAY IN ({marks})", bound)
        db.execute(f"INSERT INTO {copy.actuals} SELECT * FROM staged_actuals ORDER BY KH")
        return
    for table in (copy.rows, copy.entities):
        db.execute(f"DELETE FROM {table} WHERE DAY IN ({marks})", bound)
    for table in ("prediction_times", "prediction_evaluations"):
        db.execute(f"DELETE FROM {table} WHERE copy_id = ? AND day IN ({marks})", [copy.id, *bound])
    riskiest = "LABEL" if not numeric(copy) else f"PREDICTED {'ASC' if below(copy) else 'DESC'}"
    db.execute(f"INSERT INTO {copy.rows} SELECT * FROM staged_rows ORDER BY T, {riskiest}")
    entity = ", ".join(_entity_columns(copy))
    db.execute(f"INSERT INTO {copy.entities} SELECT {entity} FROM staged_rows ORDER BY KH")
    asks = partial(_asked, db)
    insert(db, "prediction_times", times_of(asks, copy, days))
    insert(
        db,
        "prediction_evaluations",
        [(copy.id, one.day, one.model_version or "", body_of(one)) for one in evaluate(asks, copy, days)],
    )


def register(db: Cursor, copy: Copy) -> None:
    """From here on it is read."""
    scope = copy.relation.scope
    which = (scope.spoke, scope.environment, copy.name)
    db.execute("DELETE FROM prediction_copies WHERE spoke = ? AND environment = ? AND prediction = ?", which)
    types, times = json.dumps(copy.feature_types), (naive(copy.as_of), naive(copy.changed_at))
    row = (copy.id, *which, copy.shape, contract_text(copy.contract), types, *times, None)
    insert(db, "prediction_copies", [row])


def _asked(db: Cursor, text: str, values: Sequence[Any]) -> list[Row]:
    db.execute(text, list(values))
    names = [column[0] for column in db.description or ()]
    return [dict(zip(names, row, strict=True)) for row in db.fetchall()]


def insert(db: Cursor, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        db.execute(f"INSERT INTO {table} SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)
