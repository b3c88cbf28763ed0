"""A synthetic history is the same for one seed, and such as reading its task runs would have made it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filling import fill, task

from services.core.errors import Conflict, Invalid
from services.history import History
from services.history.fingerprint import fingerprint
from services.history.runs import RunWriter
from services.history.synthetic import Wanted, generate, summary

WANTED = Wanted(runs=6000, spokes=3, days=4, until=datetime(2025, 7, 20, 12, tzinfo=UTC))
TABLES = (
    "task_runs",
    "graph_runs",
    "runs_daily",
    "tasks_daily",
    "query_credits",
    "warehouse_metering",
    "metering",
)
_AS_TOLD = (
    "name NAME, database_name DATABASE_NAME, schema_name SCHEMA_NAME, state STATE, config CONFIG,"
    " run_id GRAPH_RUN_GROUP_ID, attempt ATTEMPT_NUMBER, scheduled_from SCHEDULED_FROM, scheduled_at SCHEDULED_TIME,"
    " started_at QUERY_START_TIME, completed_at COMPLETED_TIME, query_id QUERY_ID, query_text QUERY_TEXT,"
    " error_code ERROR_CODE, error_message ERROR_MESSAGE, root_id ROOT_TASK_ID, graph_version GRAPH_VERSION"
)


def silent(_line: str) -> None:
    """Say nothing."""


def made(path: Path, wanted: Wanted = WANTED) -> dict[str, Any]:
    generate(path, wanted, told=silent)
    history = History(path)
    history.open()
    found = {table: history.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES}
    history.close()
    return found


def test_one_seed_makes_one_history(tmp_path: Path) -> None:
    first, again = made(tmp_path / "a.duckdb"), made(tmp_path / "b.duckdb")
    assert first == again
    assert all(first.values())
    assert abs(len(first["task_runs"]) / WANTED.runs - 1) < 0.2


def test_few_runs_are_spread_over_the_days(tmp_path: Path) -> None:
    wanted = Wanted(runs=6000, spokes=10, days=60, until=WANTED.until)
    found = made(tmp_path / "a.duckdb", wanted)
    assert abs(len(found["task_runs"]) / wanted.runs - 1) < 0.2
    days = {run["scheduled_at"].date() for run in found["graph_runs"]}
    assert len(days) >= 55


def test_its_graph_runs_and_sums_are_those_of_its_task_runs(tmp_path: Path, history: History) -> None:
    first = made(tmp_path / "a.duckdb", Wanted(6000, 3, 4, WANTED.until, seed=2))
    synthetic = History(tmp_path / "a.duckdb")
    synthetic.open()
    told = [
        {key.upper(): value for key, value in row.items()}
        for row in synthetic.rows(f"SELECT {_AS_TOLD} FROM task_runs")
    ]
    schemas = synthetic.rows("SELECT DISTINCT schema_name, spoke, environment FROM task_runs")
    synthetic.close()
    places = {row["schema_name"]: (row["spoke"], row["environment"]) for row in schemas}
    RunWriter(history).record(lambda _, schema: places[schema], told, source="usage", seen_at=WANTED.until)
    for table in ("task_runs", "graph_runs", "runs_daily", "tasks_daily"):
        assert history.rows(f"SELECT * FROM {table} ORDER BY ALL") == first[table], table
    failed = [row for row in first["task_runs"] if row["error_code"]]
    assert failed
    for row in failed:
        assert row["fingerprint"] == fingerprint(row["name"], row["error_code"], row["error_message"])


def test_its_hours_hold_what_its_queries_cost(tmp_path: Path) -> None:
    found = made(tmp_path / "a.duckdb")
    attributed = sum(row["credits"] for row in found["query_credits"])
    assert attributed == pytest.approx(sum(row["credits_attributed"] for row in found["warehouse_metering"]))
    metered = sum(row["credits"] for row in found["metering"] if row["service_type"] == "WAREHOUSE_METERING")
    assert metered == pytest.approx(sum(row["credits"] for row in found["warehouse_metering"]))
    assert metered > attributed > 0


def test_it_is_not_mixed_with_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    history = History(path)
    history.open()
    fill(history, [task("G")])
    history.close()
    with pytest.raises(Conflict, match="has runs already"):
        generate(path, WANTED, told=silent)
    assert summary(path)[0].startswith("1 task runs of 1 graph runs")
    generate(path, WANTED, replace=True, told=silent)
    assert "9 environments of spokes, 2025-07-16 to 2025-07-2" in summary(path)[1]


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="--spokes is 0"):
        generate(tmp_path / "a.duckdb", Wanted(10, 0, 1, WANTED.until), told=silent)
    assert list(tmp_path.iterdir()) == []
