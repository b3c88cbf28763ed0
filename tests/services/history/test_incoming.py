"""Rows and the connector's tables of the same runs become the same columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from filling import NOW, task

from services.history.fingerprint import fingerprint
from services.history.incoming import graphs_table, tasks_table
from services.history.types import Row

SCHEMAS = {"TIDES_DEV": ("tides", "DEV"), "TIDES_PROD": ("tides", "PROD")}


def place(database: str, schema: str, name: str | None = None) -> tuple[str, str] | None:
    return SCHEMAS.get(schema) if database == "SPOKEHUB" else None


def as_the_connector_gives_it(rows: list[Row]) -> pa.Table:
    """Numbers are numbers, times of the session's zone."""
    zone = pa.timestamp("us", "America/Los_Angeles")
    found = pa.Table.from_pylist(rows)
    for at, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type):
            found = found.set_column(at, field.name, found.column(at).cast(zone))
        elif field.name in ("GRAPH_RUN_GROUP_ID", "GRAPH_VERSION", "ATTEMPT_NUMBER"):
            found = found.set_column(at, field.name, found.column(at).cast(pa.decimal128(38, 0)))
    return found


def plain(table: pa.Table) -> list[dict[str, Any]]:
    return [dict(sorted(row.items())) for row in table.to_pylist()]


ROWS = [
    task("G", run="1"),
    task("G$FIT", "FAILED", run="1", ERROR_CODE="100183", ERROR_MESSAGE="ValueError: row 7 is bad"),
    task("G", "FAILED_AND_AUTO_SUSPENDED", run="2", ERROR_CODE=None, ERROR_MESSAGE=None),
    task("G", run="3", schema="TIDES_PROD", attempt=2),
    task("G", run="4", database="OTHER"),
    task("A$B\nC$D", run="5"),
    task("G", "SCHEDULED", run="6", took=None, SCHEDULED_FROM="EXECUTE_TASK"),
    # These two are only due, the third begins with another task.
    task("G", "SCHEDULED", run="7", took=None, SCHEDULED_FROM="SCHEDULE"),
    task("G", "SCHEDULED", run="8", took=None, SCHEDULED_FROM=None),
    task("G$FIT", "SCHEDULED", run="9", took=None, SCHEDULED_FROM="SCHEDULE"),
    {**task("G"), "GRAPH_RUN_GROUP_ID": None},
]


@pytest.mark.parametrize("rows", [ROWS, [], ROWS[7:8]], ids=["some", "none", "none left"])
def test_tasks_by_rows_and_by_table(rows: list[Row]) -> None:
    found = tasks_table(rows, place, "usage", NOW)
    told = as_the_connector_gives_it(rows) if rows else pa.table({})
    assert found.schema == tasks_table(told, place, "usage", NOW).schema
    assert plain(found) == plain(tasks_table(told, place, "usage", NOW))
    if rows is not ROWS:
        assert found.num_rows == 0
        return
    assert [(row["run_id"], row["graph"], row["spoke"], row["environment"]) for row in plain(found)] == [
        ("1", "G", "tides", "DEV"), ("1", "G", "tides", "DEV"), ("2", "G", "tides", "DEV"),
        ("3", "G", "tides", "PROD"), ("4", "G", None, None), ("5", "A", "tides", "DEV"),
        ("6", "G", "tides", "DEV"), ("9", "G", "tides", "DEV"),
    ]  # fmt: skip
    assert [row["fingerprint"] for row in plain(found)] == [
        None,
        fingerprint("G$FIT", "100183", "ValueError: row 9 is bad"),
        fingerprint("G", None, None),
        *[None] * 5,
    ]
    assert [row["place"] for row in plain(found)] == list(range(8))
    first = plain(found)[0]
    assert first["scheduled_at"] == (NOW - timedelta(hours=1)).replace(tzinfo=None)
    assert (first["source"], first["seen_at"]) == ("usage", NOW.replace(tzinfo=None))


def test_what_is_no_text_becomes_one_and_times_of_any_zone_are_of_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2025, 7, 20, 3, 30, tzinfo=there)
    row = {
        **task("G"),
        "RETURN_VALUE": 7,
        "GRAPH_VERSION": "3",
        "SCHEDULED_TIME": moment,
        "ATTEMPT_NUMBER": None,
    }
    other = {**task("H"), "RETURN_VALUE": "x"}
    (found, _) = plain(tasks_table([row, other], place, "live", NOW))
    assert (found["return_value"], found["graph_version"], found["attempt"]) == ("7", 3, 1)
    assert found["scheduled_at"] == moment.astimezone(UTC).replace(tzinfo=None)


def test_graphs_by_rows_and_by_table() -> None:
    common = {
        "DATABASE_NAME": "SPOKEHUB", "SCHEMA_NAME": "TIDES_DEV", "ROOT_TASK_ID": "id", "GRAPH_VERSION": 1,
        "ATTEMPT_NUMBER": 1, "ROOT_TASK_NAME": "G", "SCHEDULED_TIME": NOW, "QUERY_START_TIME": NOW,
        "COMPLETED_TIME": NOW, "CONFIG": '{"a": 1}', "FIRST_ERROR_CODE": "1",
    }  # fmt: skip
    rows = [
        {**common, "GRAPH_RUN_GROUP_ID": 1, "STATE": "FAILED", "SCHEDULED_FROM": "SCHEDULE",
         "FIRST_ERROR_TASK_NAME": "G$FIT", "FIRST_ERROR_MESSAGE": "bad"},
        {**common, "GRAPH_RUN_GROUP_ID": 2, "STATE": "FAILED", "SCHEDULED_FROM": "SCHEDULE",
         "FIRST_ERROR_TASK_NAME": None, "FIRST_ERROR_MESSAGE": "bad"},
        {**common, "GRAPH_RUN_GROUP_ID": 3, "STATE": "SUCCEEDED", "SCHEDULED_FROM": "SCHEDULE",
         "FIRST_ERROR_TASK_NAME": None, "FIRST_ERROR_MESSAGE": None},
        {**common, "GRAPH_RUN_GROUP_ID": 4, "STATE": "SCHEDULED", "SCHEDULED_FROM": "SCHEDULE",
         "FIRST_ERROR_TASK_NAME": None, "FIRST_ERROR_MESSAGE": None},
    ]  # fmt: skip
    found = plain(graphs_table(rows, "live", NOW))
    assert found == plain(graphs_table(as_the_connector_gives_it(rows), "live", NOW))
    assert [(row["run_id"], row["graph"], row["fingerprint"]) for row in found] == [
        ("1", "G", fingerprint("G$FIT", "1", "bad")),
        ("2", "G", fingerprint("G", "1", "bad")),
        ("3", "G", None),
    ]
