"""The sums by day are those of the runs, after any sequence of writes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from filling import fill, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.history import History
from services.history.types import Row

_GRAPH = ("spoke", "environment", "database_name", "schema_name", "graph")


def summed(rows: list[Row], key: tuple[str, ...]) -> dict[Any, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row["scheduled_at"].date(), *(row[one] for one in key)].append(row)
    return found


def quantile(values: list[float | None], part: float) -> float | None:
    known = [value for value in values if value is not None]
    return pytest.approx(float(np.quantile(known, part))) if known else None


def count(rows: list[Row], prefix: str) -> int:
    return sum(row["state"].startswith(prefix) for row in rows)


def of_runs(rows: list[Row]) -> dict[str, Any]:
    took = [row["run_seconds"] for row in rows if row["started_at"]]
    queued = [row["queue_seconds"] for row in rows]
    return {
        "runs": len(rows),
        "succeeded": count(rows, "SUCCEEDED"),
        "failed": count(rows, "FAILED"),
        "cancelled": count(rows, "CANCELLED"),
        "skipped": count(rows, "SKIPPED"),
        "run_p50": quantile(took, 0.5),
        "run_p95": quantile(took, 0.95),
        "queue_p50": quantile(queued, 0.5),
        "queue_p95": quantile(queued, 0.95),
        "run_seconds": pytest.approx(sum(one for one in took if one is not None)),
    }


def of_tasks(rows: list[Row]) -> dict[str, Any]:
    took = [
        (row["completed_at"] - row["started_at"]).total_seconds() if row["completed_at"] else None
        for row in rows
    ]
    return {
        "runs": len(rows),
        "failed": count(rows, "FAILED"),
        "run_p50": quantile(took, 0.5),
        "run_p95": quantile(took, 0.95),
        "run_seconds": pytest.approx(sum(one for one in took if one is not None)),
    }


def agree(history: History) -> None:
    runs = summed(history.rows("SELECT * FROM graph_runs"), _GRAPH)
    tasks = history.rows("SELECT * FROM task_runs WHERE started_at IS NOT NULL")
    for table, key, groups, fold in (
        ("runs_daily", _GRAPH, runs, of_runs),
        ("tasks_daily", (*_GRAPH, "name"), summed(tasks, (*_GRAPH, "name")), of_tasks),
    ):
        rows = history.rows(f"SELECT * FROM {table}")
        kept = {
            (row["day"], *(row[one] for one in key)): {k: v for k, v in row.items() if k not in ("day", *key)}
            for row in rows
        }
        assert (len(rows), kept) == (len(groups), {where: fold(group) for where, group in groups.items()})


rows = st.builds(
    task,
    st.sampled_from(["G", "G$A", "G$B", "H"]),
    st.sampled_from(["SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED", "EXECUTING", "SCHEDULED"]),
    run=st.sampled_from(["1", "2", "3"]),
    attempt=st.integers(1, 2),
    ago=st.sampled_from([60.0, 3600.0, 50_000.0, 130_000.0]),
    queue=st.sampled_from([0.5, 3.0]),
    took=st.floats(0.25, 5000),
    schema=st.sampled_from(["TIDES_DEV", "PUBLIC"]),
    SCHEDULED_FROM=st.sampled_from(["SCHEDULE", "EXECUTE TASK"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.lists(
        st.tuples(st.lists(rows, max_size=6), st.sampled_from(["live", "usage"])), min_size=1, max_size=4
    )
)
def test_sums_equal_those_from_scratch(history: History, writes: list[tuple[list[Row], Any]]) -> None:
    with history.write() as db:
        for table in ("task_runs", "told_runs", "graph_runs", "runs_daily", "tasks_daily"):
            db.execute(f"DELETE FROM {table}")
    for told, source in writes:
        fill(history, told, source=source)
        agree(history)


def test_a_day_that_was_not_touched_is_not_summed_anew(history: History) -> None:
    fill(history, [task("G", ago=90_000)])
    with history.write() as db:
        db.execute("UPDATE runs_daily SET run_seconds = -1")
    fill(history, [task("G", run="2", ago=60)])
    assert history.rows("SELECT run_seconds FROM runs_daily ORDER BY day") == [
        {"run_seconds": -1.0},
        {"run_seconds": 10.0},
    ]
