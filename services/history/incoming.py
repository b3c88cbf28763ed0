"""Rows of the account as Arrow tables of the history's columns, many at once.

https://docs.snowflake.com/en/sql-reference/functions/task_history, …/complete_task_graphs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.history.fingerprint import fingerprint
from services.history.store import naive
from services.history.types import REQUESTED, Place, Row, Source

_TIME, _TEXT = pa.timestamp("us", tz="UTC"), pa.string()
_TASK_COLUMNS = {
    "root_id": "ROOT_TASK_ID",
    "graph_version": "GRAPH_VERSION",
    "state": "STATE",
    "scheduled_from": "SCHEDULED_FROM",
    "scheduled_at": "SCHEDULED_TIME",
    "started_at": "QUERY_START_TIME",
    "completed_at": "COMPLETED_TIME",
    "query_id": "QUERY_ID",
    "query_text": "QUERY_TEXT",
    "condition_text": "CONDITION_TEXT",
    "return_value": "RETURN_VALUE",
    "error_code": "ERROR_CODE",
    "error_message": "ERROR_MESSAGE",
    "config": "CONFIG",
}
_GRAPH_COLUMNS = {
    "root_id": "ROOT_TASK_ID",
    "graph_version": "GRAPH_VERSION",
    "state": "STATE",
    "scheduled_from": "SCHEDULED_FROM",
    "scheduled_at": "SCHEDULED_TIME",
    "started_at": "QUERY_START_TIME",
    "completed_at": "COMPLETED_TIME",
    "first_error_task": "FIRST_ERROR_TASK_NAME",
    "first_error_code": "FIRST_ERROR_CODE",
    "first_error_message": "FIRST_ERROR_MESSAGE",
    "config": "CONFIG",
}
_TIMES = frozenset({"scheduled_at", "started_at", "completed_at"})


def graph_of(task: str) -> str:
    """The graph that a task belongs to: its own name up to the first dollar sign, as the client names them."""
    return task.partition("$")[0]


def tasks_table(rows: Iterable[Row], place: Place, source: Source, seen_at: datetime) -> pa.Table:
    """Task runs; without those that are only due, which are no runs yet."""
    found = [row for row in rows if row["GRAPH_RUN_GROUP_ID"] is not None and not _only_due(row)]
    places = _places(found, place)
    columns = {
        "spoke": pa.array([p[0] for p in places], _TEXT),
        "environment": pa.array([p[1] for p in places], _TEXT),
        "graph": pa.array([graph_of(row["NAME"]) for row in found], _TEXT),
        "name": pa.array([row["NAME"] for row in found], _TEXT),
        "fingerprint": pa.array([_mark(row) for row in found], _TEXT),
    }
    return _table(found, columns, _TASK_COLUMNS, source, seen_at)


def graphs_table(rows: Iterable[Row], source: Source, seen_at: datetime) -> pa.Table:
    """Graph runs; without those that are only due."""
    found = [row for row in rows if row["GRAPH_RUN_GROUP_ID"] is not None and not is_due(row)]
    columns = {
        "graph": pa.array([row["ROOT_TASK_NAME"] for row in found], _TEXT),
        "fingerprint": pa.array([_graph_mark(row) for row in found], _TEXT),
    }
    return _table(found, columns, _GRAPH_COLUMNS, source, seen_at)


def _table(
    rows: list[Row], columns: dict[str, pa.Array], named: Mapping[str, str], source: Source, seen_at: datetime
) -> pa.Table:
    for name, theirs in named.items():
        values = _values(rows, theirs)
        if name in _TIMES:
            columns[name] = pc.cast(pa.array(values, _TIME), pa.timestamp("us"))
        elif name == "graph_version":
            columns[name] = pa.array([None if value is None else int(value) for value in values], pa.int64())
        else:
            columns[name] = _texts(values)
    columns |= {
        "database_name": pa.array([row["DATABASE_NAME"] for row in rows], _TEXT),
        "schema_name": pa.array([row["SCHEMA_NAME"] for row in rows], _TEXT),
        "run_id": pa.array([str(row["GRAPH_RUN_GROUP_ID"]) for row in rows], _TEXT),
        "attempt": pa.array([int(row["ATTEMPT_NUMBER"] or 1) for row in rows], pa.int32()),
        "source": pa.repeat(pa.scalar(source, _TEXT), len(rows)),
        "seen_at": pa.repeat(pa.scalar(naive(seen_at), pa.timestamp("us")), len(rows)),
        # Of two rows of one thing the later one is told later.
        "place": pa.array(range(len(rows)), pa.int64()),
    }
    return pa.table(columns)


def _values(rows: list[Row], column: str) -> list[Any]:
    try:
        return [row[column] for row in rows]
    except KeyError:
        return [row.get(column) for row in rows]


def _texts(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, _TEXT)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([_text(value) for value in values], _TEXT)


def _only_due(row: Row) -> bool:
    return is_due(row) and row["NAME"] == graph_of(row["NAME"])


def is_due(row: Row) -> bool:
    """Whether a row of CURRENT_TASK_GRAPHS tells of a run that a schedule has still to begin."""
    return row["STATE"] == "SCHEDULED" and row["SCHEDULED_FROM"] not in REQUESTED


def _places(rows: list[Row], place: Place) -> list[tuple[str | None, str | None]]:
    known: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    found = []
    for row in rows:
        where = (row["DATABASE_NAME"], row["SCHEMA_NAME"])
        if where not in known:
            known[where] = place(*where) or (None, None)
        found.append(known[where])
    return found


def _mark(row: Row) -> str | None:
    if not str(row["STATE"]).startswith("FAILED"):
        return None
    return fingerprint(row["NAME"], _text(row["ERROR_CODE"]), row["ERROR_MESSAGE"])


def _graph_mark(row: Row) -> str | None:
    if not str(row["STATE"]).startswith("FAILED"):
        return None
    task = row["FIRST_ERROR_TASK_NAME"] or row["ROOT_TASK_NAME"]
    return fingerprint(task, _text(row["FIRST_ERROR_CODE"]), row["FIRST_ERROR_MESSAGE"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
