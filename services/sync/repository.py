"""What the readings keep in the history: the rows of the views, how far each source was read, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from services.costs.rolling import catch_up, note_due
from services.history import History
from services.history.store import Row, aware, naive
from services.sync.marks import Mark, Reading
from services.sync.sources import COSTING, DAY, QUERIES, TASKS, WAREHOUSE, UsageView
from services.sync.types import SyncCost

if TYPE_CHECKING:
    import duckdb
    import pyarrow

_LOG_KEPT = 30 * DAY
# The account's states of what is over. https://docs.snowflake.com/en/sql-reference/functions/task_history
_OVER = "('SUCCEEDED', 'FAILED', 'FAILED_AND_AUTO_SUSPENDED', 'CANCELLED', 'SKIPPED', 'UPSTREAM_FAILED')"
_SAME_REFRESH = " AND ".join(
    f"kept.{name} = told.{name}" for name in ("database_name", "schema_name", "name", "started_at")
)


class Readings:
    """The readings' part of the history. Each method that writes is one transaction, its mark included."""

    def __init__(self, history: History) -> None:
        self._history = history

    def marks(self) -> dict[str, Mark]:
        """How far each source was read."""
        return {row["source"]: _mark(row) for row in self._history.rows("SELECT * FROM sync_marks")}

    def advance(self, mark: Mark) -> None:
        """Keep a mark alone, for what was written before it."""
        with self._history.write(runs=False) as connection:
            _keep(connection, mark)

    def log(self, read_at: datetime, readings: Sequence[Reading]) -> None:
        """Write down what readings brought and cost; what is older than a month is dropped."""
        values = [
            (
                naive(read_at), one.source, one.rows, one.new, one.statements, round(one.seconds, 4),
                one.warehouse, one.error,
            )
            for one in readings
        ]  # fmt: skip
        with self._history.write(runs=False) as connection:
            connection.execute("DELETE FROM sync_log WHERE read_at < ?", [naive(read_at - _LOG_KEPT)])
            if values:
                connection.executemany("INSERT INTO sync_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def latest(self) -> dict[str, Row]:
        """The last line of each source in the log."""
        rows = self._history.rows(
            "SELECT * FROM sync_log QUALIFY row_number() OVER (PARTITION BY source ORDER BY read_at DESC) = 1"
        )
        return {row["source"]: row for row in rows}

    def cost(self, since: datetime) -> SyncCost:
        """What was read since then."""
        [row] = self._history.rows(
            "SELECT count(DISTINCT read_at) AS readings, coalesce(sum(statements), 0) AS statements,"
            " coalesce(sum(seconds), 0) AS seconds, coalesce(sum(rows_read), 0) AS rows,"
            " count(DISTINCT CASE WHEN warehouse AND source <> ? THEN read_at END) AS warehouse,"
            " count(*) FILTER (WHERE warehouse AND source = ?) AS woken FROM sync_log WHERE read_at >= ?",
            [WAREHOUSE, WAREHOUSE, naive(since)],
        )
        return SyncCost(
            row["readings"],
            int(row["statements"]),
            row["seconds"],
            int(row["rows"]),
            row["warehouse"],
            row["woken"],
        )

    def oldest_open(self, table: str, database: str, since: datetime) -> datetime | None:
        """When the oldest of what goes on was due, of task_runs or refreshes."""
        due = "scheduled_at" if table == TASKS.table else "coalesce(data_timestamp, started_at)"
        [row] = self._history.rows(
            f"SELECT min({due}) AS due FROM {table} WHERE source = 'live' AND database_name = ?"
            f" AND state NOT IN {_OVER} AND {due} >= ?",
            [database, naive(since)],
        )
        return aware(row["due"])

    def days(self, view: UsageView, start: datetime, end: datetime) -> dict[date, tuple[int, float]]:
        """(rows, total) by day of what is kept of a view, as ``statements.usage_by_day`` counts."""
        total = f"sum({view.total[1]})" if view.total else "0"
        final = " AND source = 'usage'" if view.key else ""
        rows = self._history.rows(
            f"SELECT CAST({view.kept_time} AS DATE) AS day, count(*) AS rows, coalesce({total}, 0) AS total"
            f" FROM {view.table} WHERE {view.kept_time} >= ? AND {view.kept_time} < ?{final} GROUP BY day",
            [naive(start), naive(end)],
        )
        return {row["day"]: (row["rows"], float(row["total"])) for row in rows}

    def mirror(
        self, view: UsageView, told: pyarrow.Table, start: datetime, end: datetime | None, mark: Mark | None
    ) -> int:
        """Let the table hold of [start, end) what the view told, no more and no less; the number of rows more."""
        until, values = "", [naive(start)]
        if end is not None:
            until, values = f" AND {view.kept_time} < ?", [naive(start), naive(end)]
        with self._history.write(runs=False) as connection, _registered(connection, told):
            before = _count(connection, view.table)
            if view in COSTING:
                note_due(connection, _days(connection, view, f"{view.kept_time} >= ?{until}", values))
            final = " AND source = 'usage'" if view is QUERIES else ""
            connection.execute(f"DELETE FROM {view.table} WHERE {view.kept_time} >= ?{until}{final}", values)
            if view is QUERIES:
                _insert_queries(connection, start)
            else:
                connection.execute(f"INSERT INTO {view.table} BY NAME SELECT * FROM told")
            new = _count(connection, view.table) - before
            if mark is not None:
                _keep(connection, mark)
        return max(new, 0)

    def reckon(self, places: Mapping[tuple[str, str], tuple[str, str]], today: date) -> int:
        """Bring the costs to what was read; how many days that were."""
        return catch_up(self._history, places, today)

    def refreshes(self, told: pyarrow.Table, mark: Mark | None) -> int:
        """Write refreshes: each is there once, and what was told late holds over what was told at once.

        ``told`` is of one source and has each refresh once.
        """
        with self._history.write(runs=False) as connection, _registered(connection, told):
            before = _count(connection, "refreshes")
            connection.execute(
                f"DELETE FROM refreshes AS kept USING told WHERE {_SAME_REFRESH}"
                " AND (told.source = 'usage' OR kept.source = 'live')"
            )
            connection.execute(
                "INSERT INTO refreshes BY NAME SELECT told.* FROM told WHERE NOT EXISTS"
                f" (SELECT 1 FROM refreshes AS kept WHERE {_SAME_REFRESH})"
            )
            new = _count(connection, "refreshes") - before
            if mark is not None:
                _keep(connection, mark)
        return new


@contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, told: pyarrow.Table) -> Iterator[None]:
    """Columns as a table called ``told``. After an error it stays until the next takes its place."""
    connection.register("told", told)
    yield
    connection.unregister("told")


def _insert_queries(connection: duckdb.DuckDBPyConnection, start: datetime) -> None:
    """Each statement once; a task's own statement belongs where its task does, whatever its tag."""
    connection.execute("DELETE FROM queries USING told WHERE queries.query_id = told.query_id")
    connection.execute(
        """
        INSERT INTO queries BY NAME
        SELECT told.* REPLACE (
            coalesce(told.spoke, ran.spoke) AS spoke, coalesce(told.environment, ran.environment) AS environment,
            coalesce(told.graph, ran.graph) AS graph, coalesce(told.run_id, ran.run_id) AS run_id
        )
        FROM told LEFT JOIN (
            SELECT query_id, any_value(spoke) AS spoke, any_value(environment) AS environment,
                any_value(graph) AS graph, any_value(run_id) AS run_id
            FROM task_runs WHERE query_id IS NOT NULL AND scheduled_at >= ? GROUP BY query_id
        ) AS ran ON ran.query_id = told.query_id
        QUALIFY row_number() OVER (PARTITION BY told.query_id ORDER BY told.ended_at DESC) = 1
        """,
        [naive(start - timedelta(days=2))],
    )


def _days(
    connection: duckdb.DuckDBPyConnection, view: UsageView, within: str, values: list[Any]
) -> list[date]:
    """The days of what is told, and of what it takes the place of."""
    rows = connection.execute(
        f"SELECT CAST({view.kept_time} AS DATE) FROM told"
        f" UNION SELECT CAST({view.kept_time} AS DATE) FROM {view.table} WHERE {within}",
        values,
    ).fetchall()
    return [row[0] for row in rows if row[0] is not None]


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    # Fetched to its end: a result that is not holds its connection.
    [(count,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(count)


def _keep(connection: duckdb.DuckDBPyConnection, mark: Mark) -> None:
    detail = {
        key: value.isoformat()
        for key, value in (("since", mark.since), ("checked_at", mark.checked_at))
        if value is not None
    }
    connection.execute(
        "INSERT OR REPLACE INTO sync_marks VALUES (?, ?, ?, ?)",
        [mark.source, naive(mark.read_to), naive(mark.as_of), json.dumps(detail)],
    )


def _mark(row: Row) -> Mark:
    detail: dict[str, Any] = json.loads(row["detail"] or "{}")

    def moment(key: str) -> datetime | None:
        return datetime.fromisoformat(detail[key]) if key in detail else None

    read_to, as_of = aware(row["read_to"]), aware(row["as_of"])
    assert read_to is not None
    assert as_of is not None
    return Mark(row["source"], read_to, as_of, moment("since"), moment("checked_at"))
