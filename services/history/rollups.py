"""Sums by day (of SCHEDULED_TIME, in UTC), kept with each write: a day is summed anew when a run of it was touched.

``runs_daily`` counts attempts at runs, those under way in ``runs`` alone; ``tasks_daily`` counts task runs that were
begun. Medians and 95th percentiles are exact, by linear interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

_GRAPH = "spoke, environment, database_name, schema_name, graph"
RUNS = f"""
    SELECT CAST(scheduled_at AS DATE) AS day, {_GRAPH}, CAST(count(*) AS INTEGER) AS runs,
        CAST(count(*) FILTER (state = 'SUCCEEDED') AS INTEGER) AS succeeded,
        CAST(count(*) FILTER (starts_with(state, 'FAILED')) AS INTEGER) AS failed,
        CAST(count(*) FILTER (state = 'CANCELLED') AS INTEGER) AS cancelled,
        CAST(count(*) FILTER (state = 'SKIPPED') AS INTEGER) AS skipped,
        quantile_cont(run_seconds, 0.5) FILTER (started_at IS NOT NULL) AS run_p50,
        quantile_cont(run_seconds, 0.95) FILTER (started_at IS NOT NULL) AS run_p95,
        quantile_cont(queue_seconds, 0.5) AS queue_p50, quantile_cont(queue_seconds, 0.95) AS queue_p95,
        coalesce(sum(run_seconds ORDER BY run_seconds) FILTER (started_at IS NOT NULL), 0) AS run_seconds
    FROM graph_runs WHERE {{where}} GROUP BY ALL
"""
TASKS = f"""
    WITH begun AS (
        SELECT *, CASE WHEN completed_at IS NOT NULL THEN greatest(epoch(completed_at - started_at), 0) END AS took
        FROM task_runs WHERE started_at IS NOT NULL AND {{where}}
    )
    SELECT CAST(scheduled_at AS DATE) AS day, {_GRAPH}, name, CAST(count(*) AS INTEGER) AS runs,
        CAST(count(*) FILTER (starts_with(state, 'FAILED')) AS INTEGER) AS failed,
        quantile_cont(took, 0.5) AS run_p50, quantile_cont(took, 0.95) AS run_p95,
        coalesce(sum(took ORDER BY took), 0) AS run_seconds
    FROM begun GROUP BY ALL
"""
_TABLES = {"runs_daily": RUNS, "tasks_daily": TASKS}


def sum_days(db: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Sum these days anew, in the transaction that touched them."""
    for first, last in _spans(sorted(set(days))):
        for table, text in _TABLES.items():
            db.execute(f"DELETE FROM {table} WHERE day BETWEEN ? AND ?", [first, last])
            where = "scheduled_at >= CAST(? AS DATE) AND scheduled_at < CAST(? AS DATE) + INTERVAL 1 DAY"
            db.execute(f"INSERT INTO {table} BY NAME {text.format(where=where)} ORDER BY day", [first, last])


def _spans(days: list[date]) -> list[tuple[date, date]]:
    """Days that follow one another are summed at once, thirty at most: so much fits into memory."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and (day - found[-1][1]).days == 1 and (day - found[-1][0]).days < 30:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
