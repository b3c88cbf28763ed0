"""What is kept of the views: a table holds of a window what the view told, refreshes are there once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from services.history import History
from services.sync import columns
from services.sync.marks import Mark, Reading
from services.sync.repository import Readings
from services.sync.sources import CREDITS, DAY, METERING, POOLS, QUERIES, SERVERLESS, WAREHOUSES, UsageView
from services.sync.types import SyncCost

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def history() -> Iterator[History]:
    history = History(Path(":memory:"))
    history.open()
    yield history
    history.close()


@pytest.fixture
def readings(history: History) -> Readings:
    return Readings(history)


def place(database: str, schema: str, name: str | None = None) -> tuple[str, str] | None:
    if (database, schema) == ("HUB", "STORE_DEV"):
        return ("beta", "DEV") if name and name.startswith("BETA__") else None
    return ("alpha", "DEV") if (database, schema) == ("HUB", "ALPHA_DEV") else None


def told(view: UsageView, *rows: dict[str, Any]) -> Any:
    whole = [{**dict.fromkeys(view.columns), **row} for row in rows]
    return columns.of_view(view, whole, place, NOON)


def hour(name: str, at: datetime, credits: float | None) -> dict[str, Any]:
    return {"WAREHOUSE_NAME": name, "START_TIME": at, "CREDITS_USED": credits}


def metered(history: History) -> list[tuple[str, datetime, float]]:
    rows = history.rows("SELECT * FROM warehouse_metering ORDER BY hour, warehouse_name")
    return [(row["warehouse_name"], row["hour"].replace(tzinfo=UTC), row["credits"]) for row in rows]


def test_a_window_is_what_the_view_told_of_it(history: History, readings: Readings) -> None:
    first = told(WAREHOUSES, hour("A", NOON, 1.0), hour("A", NOON + HOUR, 2.0), hour("B", NOON, None))
    mark = Mark(WAREHOUSES.name, NOON + 2 * HOUR, NOON + 2 * HOUR, NOON)
    assert readings.mirror(WAREHOUSES, first, NOON, NOON + 2 * HOUR, mark) == 3
    # One is corrected, one withdrawn, one new; what is before the window stays.
    second = told(WAREHOUSES, hour("A", NOON + HOUR, 2.5), hour("C", NOON + 2 * HOUR, 7.0))
    assert readings.mirror(WAREHOUSES, second, NOON + HOUR, None, None) == 1
    assert metered(history) == [
        ("A", NOON, 1.0), ("B", NOON, 0.0), ("A", NOON + HOUR, 2.5), ("C", NOON + 2 * HOUR, 7.0),
    ]  # fmt: skip
    assert readings.marks() == {WAREHOUSES.name: mark}


def test_costs_of_the_days_that_changed_are_due(history: History, readings: Readings) -> None:
    """Of what is told, and of what it took the place of."""
    days = [NOON - number * DAY for number in (400, 399, 398)]
    for day in days[:2]:
        readings.mirror(WAREHOUSES, told(WAREHOUSES, hour("A", day, 1.0)), day, day + HOUR, None)
    readings.reckon({}, NOON.date())
    assert history.rows("SELECT * FROM costs_due") == []
    readings.mirror(WAREHOUSES, told(WAREHOUSES, hour("A", days[2], 1.0)), days[1], days[2] + HOUR, None)
    due = history.rows("SELECT DISTINCT day FROM costs_due ORDER BY day")
    assert [row["day"] for row in due] == [days[1].date(), days[2].date()]
    assert readings.reckon({}, NOON.date()) == 5


def test_what_fails_half_way_leaves_no_trace(history: History, readings: Readings) -> None:
    readings.mirror(WAREHOUSES, told(WAREHOUSES, hour("A", NOON, 1.0)), NOON, None, None)
    bad = told(WAREHOUSES, {"WAREHOUSE_NAME": None, "START_TIME": NOON})
    mark = Mark(WAREHOUSES.name, NOON, NOON)
    with pytest.raises(Exception, match="NOT NULL"):
        readings.mirror(WAREHOUSES, bad, NOON, None, mark)
    assert metered(history) == [("A", NOON, 1.0)]
    assert readings.marks() == {}


def test_every_view_fits_its_table(readings: Readings, history: History) -> None:
    given = {
        CREDITS: {"QUERY_ID": "q", "START_TIME": NOON, "END_TIME": NOON, "CREDITS_ATTRIBUTED_COMPUTE": 0.5},
        METERING: {"SERVICE_TYPE": "PIPE", "START_TIME": NOON, "CREDITS_USED": 1},
        POOLS: {"COMPUTE_POOL_NAME": "P", "START_TIME": NOON, "CREDITS_USED": 1},
        SERVERLESS: {
            "DATABASE_NAME": "HUB", "SCHEMA_NAME": "ALPHA_DEV", "TASK_NAME": "G", "START_TIME": NOON,
            "END_TIME": NOON, "CREDITS_USED": 1,
        },
    }  # fmt: skip
    for view, row in given.items():
        assert readings.mirror(view, told(view, row), NOON, None, None) == 1, view.name
        [kept] = history.rows(f"SELECT * FROM {view.table}")
        assert kept["seen_at"] == NOON.replace(tzinfo=None)
    assert kept["spoke"] == "alpha"
    assert readings.days(METERING, NOON, NOON + HOUR) == {NOON.date(): (1, 1.0)}


def test_statements_belong_where_their_tag_or_their_task_says(history: History, readings: Readings) -> None:
    with history.write() as connection:
        connection.execute(
            "INSERT INTO task_runs BY NAME SELECT 'alpha' AS spoke, 'DEV' AS environment, 'HUB' AS database_name,"
            " 'ALPHA_DEV' AS schema_name, 'G' AS graph, 'G' AS name, 'r1' AS run_id, 1 AS attempt,"
            " 'SUCCEEDED' AS state, ?::TIMESTAMP AS scheduled_at, 'q2' AS query_id, 'usage' AS source,"
            " now()::TIMESTAMP AS seen_at",
            [NOON.replace(tzinfo=None)],
        )

    def query(name: str, tag: str | None, **more: Any) -> dict[str, Any]:
        return {"QUERY_ID": name, "QUERY_TAG": tag, "START_TIME": NOON, "END_TIME": NOON + SECOND, **more}

    rows = (
        query("q1", '{"app": "spokehub", "operation": "o1", "spoke": "beta", "environment": "PROD"}'),
        query("q2", None),
        query("q2", None),
        query("q3", "not JSON"),
        query("q4", '{"app": "other", "spoke": "gamma"}'),
    )
    for _ in range(2):
        readings.mirror(QUERIES, told(QUERIES, *rows), NOON, None, None)
    kept = history.rows(
        "SELECT query_id, spoke, environment, graph, run_id, operation_id FROM queries ORDER BY query_id"
    )
    assert [tuple(row.values()) for row in kept] == [
        ("q1", "beta", "PROD", None, None, "o1"),
        ("q2", "alpha", "DEV", "G", "r1", None),
        ("q3", None, None, None, None, None),
        ("q4", None, None, None, None, None),
    ]


def refresh(state: str, began: datetime | None, ended: datetime | None = None, **more: Any) -> dict[str, Any]:
    from services.sync.sources import REFRESH_COLUMNS

    return {
        **dict.fromkeys(REFRESH_COLUMNS), "NAME": "D", "SCHEMA_NAME": "ALPHA_DEV", "DATABASE_NAME": "HUB",
        "STATE": state, "REFRESH_START_TIME": began, "REFRESH_END_TIME": ended, **more,
    }  # fmt: skip


def test_refreshes_are_there_once_and_what_is_final_holds(history: History, readings: Readings) -> None:
    def write(source: Literal["live", "usage"], *rows: dict[str, Any]) -> int:
        return readings.refreshes(columns.of_refreshes(rows, place, source, NOON), None)

    def kept() -> list[tuple[Any, ...]]:
        rows = history.rows("SELECT state, rows_inserted, source, spoke FROM refreshes ORDER BY started_at")
        return [tuple(row.values()) for row in rows]

    end = NOON + SECOND
    counted = {"STATISTICS": '{"numInsertedRows": 3, "numDeletedRows": 1}'}
    assert write("live", refresh("EXECUTING", NOON), refresh("SCHEDULED", None)) == 1
    assert kept() == [("EXECUTING", None, "live", "alpha")]
    over = refresh("SUCCEEDED", NOON, end, **counted)
    # In any order, and twice.
    assert write("live", over, refresh("EXECUTING", NOON), over) == 0
    assert kept() == [("SUCCEEDED", 3, "live", "alpha")]
    assert write("usage", refresh("FAILED", NOON, end)) == 0
    assert write("live", over, refresh("UPSTREAM_FAILED", None, None, DATA_TIMESTAMP=end)) == 1
    assert kept() == [("FAILED", None, "usage", "alpha"), ("UPSTREAM_FAILED", None, "live", "alpha")]


def test_a_refresh_in_a_feature_store_is_of_the_spoke_of_its_view(
    history: History, readings: Readings
) -> None:
    store = {"SCHEMA_NAME": "STORE_DEV"}
    rows = [
        refresh("SUCCEEDED", NOON, NOON + SECOND, **store, NAME="BETA__L$V1"),
        refresh("SUCCEEDED", NOON, NOON + SECOND, **store, NAME="SHARED__L$V1"),
    ]
    readings.refreshes(columns.of_refreshes(rows, place, "live", NOON), None)
    kept = history.rows("SELECT name, spoke, environment FROM refreshes ORDER BY name")
    assert [tuple(row.values()) for row in kept] == [
        ("BETA__L$V1", "beta", "DEV"),
        ("SHARED__L$V1", None, None),
    ]


def test_the_log_says_what_was_last_and_what_a_day_cost(readings: Readings) -> None:
    readings.log(NOON - 40 * 24 * HOUR, [Reading("a", 9, 9, 9, 9.0)])
    readings.log(NOON, [Reading("a", 5, 2, 1, 0.5), Reading("warehouse", 1, 0, 1, 0.1, True)])
    readings.log(NOON + HOUR, [Reading("a", 1, 0, 1, 0.25, False, "refused")])
    latest = readings.latest()
    assert (latest["a"]["rows_read"], latest["a"]["error"]) == (1, "refused")
    assert readings.cost(NOON) == SyncCost(2, 3, 0.85, 7, 1, 1)
    # The first is older than a month.
    assert readings.cost(NOON - 100 * 24 * HOUR) == SyncCost(2, 3, 0.85, 7, 1, 1)
