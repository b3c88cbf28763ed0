"""What the account tells of runs as Arrow tables of the history's columns, many at once.

https://docs.snowflake.com/en/sql-reference/functions/task_history, …/complete_task_graphs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from services.history.fingerprint import fingerprint
from services.history.store import naive
from services.history.types import REQUESTED, Place, Row, Source

_UTC, _TIME, _TEXT = pa.timestamp("us", tz="UTC"), pa.timestamp("us"), pa.string()
_COMMON = {
    "database_name": "DATABASE_NAME",
    "schema_name": "SCHEMA_NAME",
    "root_id": "ROOT_TASK_ID",
    "graph_version": "GRAPH_VERSION",
    "run_id": "GRAPH_RUN_GROUP_ID",
    "attempt": "ATTEMPT_NUMBER",
    "state": "STATE",
    "scheduled_from": "SCHEDULED_FROM",
    "scheduled_at": "SCHEDULED_TIME",
    "started_at": "QUERY_START_TIME",
    "completed_at": "COMPLETED_TIME",
    "config": "CONFIG",
}
_TASK_COLUMNS = {
    **_COMMON,
    "name": "NAME",
    "query_id": "QUERY_ID",
    "query_text": "QUERY_TEXT",
    "condition_text": "CONDITION_TEXT",
    "return_value": "RETURN_VALUE",
    "error_code": "ERROR_CODE",
    "error_message": "ERROR_MESSAGE",
}
_GRAPH_COLUMNS = {
    **_COMMON,
    "graph": "ROOT_TASK_NAME",
    "first_error_task": "FIRST_ERROR_TASK_NAME",
    "first_error_code": "FIRST_ERROR_CODE",
    "first_error_message": "FIRST_ERROR_MESSAGE",
}
_TYPES = {
    **dict.fromkeys(("scheduled_at", "started_at", "completed_at"), _UTC),
    "graph_version": pa.int64(),
    "attempt": pa.int32(),
}
Told: TypeAlias = "Iterable[Row] | pa.Table"
"""By Snowflake's column names: rows, or a table as the connector gives it."""


def tasks_table(told: Told, place: Place, source: Source, seen_at: datetime) -> pa.Table:
    """Task runs; without those that are only due, which are no runs yet."""
    found = _named(told, _TASK_COLUMNS)
    found = found.append_column("graph", pc.replace_substring_regex(found["name"], r"(?s)\$.*", ""))
    only_due = pc.and_(_due(found), pc.equal(found["name"], found["graph"]))
    found = _runs(found, only_due, source, seen_at)
    spokes, environments = _places(found, place)
    marks = _marks(
        found,
        ("name", "error_code", "error_message"),
        fingerprint,
    )
    return (
        found.append_column("spoke", spokes)
        .append_column("environment", environments)
        .append_column("fingerprint", marks)
    )


def graphs_table(told: Told, source: Source, seen_at: datetime) -> pa.Table:
    """Graph runs; without those that are only due."""
    found = _named(told, _GRAPH_COLUMNS)
    found = _runs(found, _due(found), source, seen_at)
    marks = _marks(
        found,
        ("graph", "first_error_task", "first_error_code", "first_error_message"),
        lambda graph, task, code, message: fingerprint(task or graph, code, message),
    )
    return found.append_column("fingerprint", marks)


def is_due(row: Row) -> bool:
    """Whether a row of CURRENT_TASK_GRAPHS tells of a run that a schedule has still to begin."""
    return row["STATE"] == "SCHEDULED" and row["SCHEDULED_FROM"] not in REQUESTED


def _due(found: pa.Table) -> pa.ChunkedArray:
    requested = pc.is_in(found["scheduled_from"], pa.array(sorted(REQUESTED), _TEXT))
    return pc.fill_null(pc.and_(pc.equal(found["state"], "SCHEDULED"), pc.invert(requested)), False)


def _runs(found: pa.Table, due: pa.ChunkedArray, source: Source, seen_at: datetime) -> pa.Table:
    """Those that are runs, and who told of them when."""
    kept = found.filter(pc.and_(pc.is_valid(found["run_id"]), pc.invert(due)))
    rows = kept.num_rows
    return (
        kept.append_column("source", pa.repeat(pa.scalar(source, _TEXT), rows))
        .append_column("seen_at", pa.repeat(pa.scalar(naive(seen_at), _TIME), rows))
        # Of two rows of one thing the later one is told later.
        .append_column("place", pa.array(range(rows), pa.int64()))
    )


def _named(told: Told, names: Mapping[str, str]) -> pa.Table:
    """Our columns of Snowflake's, typed; null where one is missing."""
    if isinstance(told, pa.Table):
        given = {name: told[name] for name in told.column_names}
        rows = told.num_rows
    else:
        listed = told if isinstance(told, list) else list(told)
        rows = len(listed)
        given = {theirs: _column(listed, theirs, _TYPES.get(ours, _TEXT)) for ours, theirs in names.items()}
    columns = {}
    for ours, theirs in names.items():
        kind = _TYPES.get(ours, _TEXT)
        columns[ours] = _typed(given.get(theirs, pa.nulls(rows, kind)), kind)
    columns["attempt"] = pc.fill_null(columns["attempt"], 1)
    return pa.table(columns)


def _column(rows: list[Row], name: str, kind: pa.DataType) -> pa.Array:
    values = [row.get(name) for row in rows]
    try:
        return pa.array(values, kind)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        convert: Callable[[Any], Any] = str if kind == _TEXT else int
        return pa.array([None if value is None else convert(value) for value in values], kind)


def _typed(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if kind == _UTC:
        # The connector's are of nanoseconds in the session's zone.
        return pc.cast(pc.cast(column, _UTC, safe=False), _TIME)
    return column if column.type == kind else pc.cast(column, kind)


def _places(found: pa.Table, place: Place) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Spoke and environment of each row, by its schema."""
    keys = pc.binary_join_element_wise(found["database_name"], found["schema_name"], "\0")
    keys = keys.combine_chunks().dictionary_encode()
    known = []
    for key in keys.dictionary.to_pylist():
        database, _, schema = key.partition("\0")
        known.append(place(database, schema) or (None, None))
    return tuple(pa.array([one[at] for one in known], _TEXT).take(keys.indices) for at in (0, 1))


def _marks(found: pa.Table, asked: tuple[str, ...], of: Callable[..., str]) -> pa.Array:
    """The fingerprint of each failure."""
    failed = pc.starts_with(found["state"], "FAILED").to_pylist()
    places = [at for at, bad in enumerate(failed) if bad]
    few = found.select(list(asked)).take(pa.array(places, pa.int64())).to_pylist()
    marks: list[str | None] = [None] * found.num_rows
    for at, row in zip(places, few, strict=True):
        marks[at] = of(*row.values())
    return pa.array(marks, _TEXT)
