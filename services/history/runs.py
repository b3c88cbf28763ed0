"""Runs of tasks and graphs: written as the account tells them, late, repeatedly and in any order.

A task run is known by GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER and NAME. What ACCOUNT_USAGE tells is final; what was told
live is replaced by what was told later, unless that is less final. Each attempt at a run of a graph is derived from its
tasks and from what the graph functions told, by the rules of ``services/training/history.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from services.history.retention import kept_from
from services.history.rollups import sum_days
from services.history.row_file import Cells
from services.history.row_index import CELLS
from services.history.store import History, naive
from services.history.task_index import GROUPS, UNSUCCESSFUL, TaskChange, packed
from services.history.types import REQUESTED, Place, Recorded, Row, Source

if TYPE_CHECKING:
    import pyarrow as pa

_FINAL = "('SUCCEEDED', 'FAILED', 'FAILED_AND_AUTO_SUSPENDED', 'CANCELLED', 'SKIPPED')"
_REQUESTED = ", ".join(f"'{one}'" for one in sorted(REQUESTED))
_TASK = (
    "spoke, environment, database_name, schema_name, graph, name, root_id, graph_version, run_id, attempt, state,"
    " scheduled_from, scheduled_at, started_at, completed_at, query_id, query_text, condition_text, return_value,"
    " error_code, error_message, fingerprint, config, source, seen_at"
)
_TOLD = (
    "database_name, schema_name, graph, root_id, graph_version, run_id, attempt, state, scheduled_from, scheduled_at,"
    " started_at, completed_at, first_error_task, first_error_code, first_error_message, fingerprint, config, source,"
    " seen_at"
)
# What a call works with. They take some megabytes even when they are empty.
_TEMPORARY = ("fresh", "touched", "days", "rewritten", "places")
_RUN = "database_name, schema_name, graph, run_id"
# The first attempt of a run may be so much older than what is told of its last one.
# https://docs.snowflake.com/en/sql-reference/sql/execute-task
_RETRIED = timedelta(days=15)
# What ended within the hour is told by COMPLETE_TASK_GRAPHS; less, as clocks differ.
_RECENT = timedelta(minutes=50)
# With more changed runs than these the row index is made anew.
_FOLLOWED = 20_000
# Of so many the task runs are given to their index within the commit, of more after it.
_WITHIN = 500
# More than the rows that are told at once: a final state is better than any that came later.
_AFTER_ALL = 2**40


class RunWriter:
    """Writes runs. Each call is one transaction."""

    def __init__(self, history: History) -> None:
        self._history = history

    def record(
        self,
        place: Place,
        tasks: Iterable[Row] | pa.Table,
        graphs: Iterable[Row] = (),
        *,
        source: Source,
        seen_at: datetime,
    ) -> Recorded:
        """Of TASK_HISTORY, and rows of CURRENT_TASK_GRAPHS or COMPLETE_TASK_GRAPHS, by Snowflake's column names.

        ``place(database, schema)`` gives the spoke and the environment that they belong to. Doing so twice is doing
        so once.
        """
        graphs = list(graphs)
        # Imported here: what it brings takes long to load, and who only reads does without.
        from services.history.incoming import graphs_table, is_due, tasks_table

        incoming = tasks_table(tasks, place, source, seen_at)
        told = graphs_table(graphs, source, seen_at)
        due = [row for row in graphs if is_due(row)]
        now = naive(seen_at)
        assert now is not None
        with self._history.write() as db:
            first = kept_from(db)
            if first is not None:
                import pyarrow.compute as pc

                incoming, told = (one.filter(pc.field("scheduled_at") >= first) for one in (incoming, told))
            since = _earliest(incoming, told) or now
            _schedule(db, due, now)
            new, changed = _merge(db, incoming, "task_runs", _TASK, "run_id, attempt, name", since)
            _merge(db, told, "told_runs", _TOLD, "run_id, attempt", since)
            _drop_replaced(db, since)
            bound = self._derive(db, place, since, now)
            followed = _followed(db, bound)
            tasks = _followed_tasks(db, since - _RETRIED) if followed is not None else None
            days = [day for (day,) in db.execute("SELECT DISTINCT day FROM days").fetchall()]
            sum_days(db, [day for day in days if first is None or day >= first.date()])
            if followed is not None and tasks is not None:
                self._history.changed_runs(*followed, tasks)
            for name in _TEMPORARY:
                db.execute(f"DROP TABLE IF EXISTS temp.{name}")
        return Recorded(new, changed)

    def _derive(
        self, db: duckdb.DuckDBPyConnection, place: Place, since: datetime, now: datetime
    ) -> datetime | None:
        """graph_runs of what was touched, and of those that had not ended; when the first of them was due."""
        db.execute(
            "INSERT INTO touched SELECT DISTINCT run_id FROM graph_runs"
            f" WHERE state NOT IN {_FINAL} AND run_id NOT IN (SELECT run_id FROM touched)"
        )
        (count, first) = db.execute(
            "SELECT (SELECT count(*) FROM touched), (SELECT min(scheduled_at) FROM graph_runs"
            f" WHERE state NOT IN {_FINAL})"
        ).fetchall()[0]
        if not count:
            return None
        bound = min(since, first or since) - _RETRIED
        places = {
            (row[0], row[1]): place(row[0], row[1]) or (None, None)
            for row in db.execute(
                "SELECT DISTINCT database_name, schema_name FROM told_runs SEMI JOIN touched USING (run_id)"
                " WHERE scheduled_at >= ?",
                [bound],
            ).fetchall()
        }
        db.execute(
            "CREATE OR REPLACE TEMP TABLE places (d VARCHAR, s VARCHAR, spoke VARCHAR, environment VARCHAR)"
        )
        if places:
            db.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", [[*k, *v] for k, v in places.items()])
        _note_days(db, "graph_runs", bound)
        db.execute(
            "DELETE FROM graph_runs WHERE scheduled_at >= $since AND run_id IN (SELECT run_id FROM touched)",
            {"since": bound},
        )
        db.execute(_DERIVE, {"since": bound, "recent": now - _RECENT, "now": now})
        _note_days(db, "graph_runs", bound)
        return bound


def _note_days(db: duckdb.DuckDBPyConnection, table: str, since: datetime) -> None:
    """Of what is touched, the days whose sums hold no more."""
    db.execute(
        f"INSERT INTO days SELECT DISTINCT CAST(scheduled_at AS DATE) FROM {table}"
        " WHERE scheduled_at >= ? AND run_id IN (SELECT run_id FROM touched)",
        [since],
    )


def _followed(db: duckdb.DuckDBPyConnection, bound: datetime | None) -> tuple[set[str], list[Cells]] | None:
    """The touched runs and their attempts now, for the row index; None when they are many."""
    touched = db.execute(f"SELECT DISTINCT run_id FROM touched LIMIT {_FOLLOWED + 1}").fetchall()
    if len(touched) > _FOLLOWED:
        return None
    if bound is None:
        return set(), []
    answer = db.execute(
        f"SELECT {CELLS} FROM graph_runs WHERE scheduled_at >= ? AND run_id IN (SELECT run_id FROM touched)",
        [bound],
    )
    return {run for (run,) in touched}, answer.fetchall()


def _followed_tasks(db: duckdb.DuckDBPyConnection, since: datetime) -> TaskChange | None:
    """The runs whose task runs were written, and what is due of them now from ``since`` on; None when they are so many
    that all is better made anew.
    """
    runs = db.execute(
        f"SELECT run_id FROM rewritten UNION SELECT run_id FROM touched LIMIT {_FOLLOWED + 1}"
    ).fetchall()
    if len(runs) > _FOLLOWED:
        return None
    if not runs:
        return TaskChange()
    found = frozenset(run for (run,) in runs)
    if len(found) > _WITHIN:
        return TaskChange(found, since, None)
    where = (
        "scheduled_at >= ? AND run_id IN (SELECT run_id FROM rewritten UNION ALL SELECT run_id FROM touched)"
    )
    groups = db.execute(GROUPS.format(where=where), [since]).fetchall()
    others = db.execute(UNSUCCESSFUL.format(where=where), [since]).fetchall()
    return TaskChange(found, since, [packed(row) for row in groups], others)


def _schedule(db: duckdb.DuckDBPyConnection, due: list[Row], now: datetime) -> None:
    """When each graph runs next by its schedule."""
    first: dict[tuple[str, str, str], Row] = {}
    for row in due:
        key = (row["DATABASE_NAME"], row["SCHEMA_NAME"], row["ROOT_TASK_NAME"])
        if key not in first or row["SCHEDULED_TIME"] < first[key]["SCHEDULED_TIME"]:
            first[key] = row
    for key, row in first.items():
        db.execute(
            "DELETE FROM graph_schedules WHERE database_name = ? AND schema_name = ? AND graph = ?", [*key]
        )
        db.execute(
            "INSERT INTO graph_schedules VALUES (?, ?, ?, ?, 'started', NULL, ?, ?)",
            [*key, row["ROOT_TASK_ID"], naive(row["SCHEDULED_TIME"]), now],
        )


def _earliest(*tables: pa.Table) -> datetime | None:
    """When the earliest of what is told was due."""
    import pyarrow.compute as pc

    found = [pc.min(table["scheduled_at"]).as_py() for table in tables if table.num_rows]
    return min((one for one in found if one is not None), default=None)


def _merge(
    db: duckdb.DuckDBPyConnection, incoming: pa.Table, table: str, columns: str, key: str, since: datetime
) -> tuple[int, int]:
    """Put what is told into a table; how many rows are new, and how many told differently. Fills ``touched``."""
    if table == "task_runs":
        db.execute("CREATE OR REPLACE TEMP TABLE touched (run_id VARCHAR)")
        db.execute("CREATE OR REPLACE TEMP TABLE days (day DATE)")
        # All that is told, as it may be written without being different.
        db.execute("CREATE OR REPLACE TEMP TABLE rewritten (run_id VARCHAR)")
    if not incoming.num_rows:
        return 0, 0
    same = [name.strip() for name in columns.split(",")]
    compared = [
        name for name in same if name not in ("seen_at", "source", "spoke", "environment", "fingerprint")
    ]
    differs = " OR ".join(f"i.{name} IS DISTINCT FROM e.{name}" for name in compared)
    on = " AND ".join(f"i.{name.strip()} = e.{name.strip()}" for name in key.split(","))
    keys = ", ".join(f"i.{name.strip()}" for name in key.split(","))
    db.register("told", incoming)
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE fresh AS
        WITH last AS (
            SELECT max_by(place, CASE WHEN state IN {_FINAL} THEN {_AFTER_ALL} ELSE 0 END + place) AS place
            FROM told GROUP BY {key}
        ), best AS (
            SELECT place, {columns} FROM told SEMI JOIN last USING (place)
        ), known AS (SELECT * FROM {table} WHERE scheduled_at >= $since AND run_id IN (SELECT run_id FROM told))
        SELECT i.place, i.scheduled_at, {keys}, e.run_id IS NULL AS is_new, ({differs}) AS differs
        FROM best AS i LEFT JOIN known AS e ON {on}
        WHERE e.run_id IS NULL OR (
            NOT (e.source = 'usage' AND e.state IN {_FINAL} AND i.source = 'live')
            AND NOT (e.state IN {_FINAL} AND i.state NOT IN {_FINAL})
            AND (({differs}) OR (e.source <> i.source) OR ('{table}' = 'told_runs' AND e.state NOT IN {_FINAL}))
        )
        """,
        {"since": since - _RETRIED},
    )
    (new, changed) = db.execute(
        "SELECT count(*) FILTER (is_new), count(*) FILTER (NOT is_new AND differs) FROM fresh"
    ).fetchall()[0]
    if table == "task_runs":
        db.execute("INSERT INTO rewritten SELECT DISTINCT run_id FROM fresh")
        db.execute(
            "INSERT INTO days SELECT CAST(scheduled_at AS DATE) FROM fresh UNION SELECT CAST(e.scheduled_at AS DATE)"
            f" FROM task_runs AS e JOIN fresh AS i ON {on} WHERE NOT i.is_new AND e.scheduled_at >= ?",
            [since - _RETRIED],
        )
    db.execute(
        f"DELETE FROM {table} AS e USING fresh AS i WHERE NOT i.is_new AND e.scheduled_at >= $since AND {on}",
        {"since": since - _RETRIED},
    )
    db.execute(
        f"INSERT INTO {table} ({columns})"
        f" SELECT {columns} FROM told WHERE place IN (SELECT place FROM fresh) ORDER BY scheduled_at"
    )
    db.unregister("told")
    db.execute("INSERT INTO touched SELECT DISTINCT run_id FROM fresh WHERE is_new OR differs")
    return int(new), int(changed)


def _drop_replaced(db: duckdb.DuckDBPyConnection, since: datetime) -> None:
    """A run that waited gave way to a later EXECUTE TASK, once a later run of its graph has begun."""
    waiting = f"""
        WITH waits AS (
            SELECT {_RUN}, min(scheduled_at) AS due FROM {{table}}
            WHERE scheduled_at >= $since AND state = 'SCHEDULED' GROUP BY ALL
        ), begun AS (
            SELECT {_RUN} FROM {{table}}
            WHERE scheduled_at >= $since AND state <> 'SCHEDULED' AND run_id IN (SELECT run_id FROM waits)
        )
        SELECT DISTINCT w.run_id FROM (SELECT * FROM waits ANTI JOIN begun USING ({_RUN})) AS w
        JOIN task_runs AS later ON later.database_name = w.database_name AND later.schema_name = w.schema_name
            AND later.graph = w.graph AND later.scheduled_at > w.due AND later.started_at IS NOT NULL
            AND later.scheduled_at >= $since AND later.scheduled_from IN ({_REQUESTED})
    """
    bound = {"since": since - timedelta(days=1)}
    for table in ("task_runs", "told_runs"):
        found = db.execute(waiting.format(table=table), bound).fetchall()
        for (run_id,) in found:
            db.execute(
                "INSERT INTO days SELECT CAST(scheduled_at AS DATE) FROM graph_runs WHERE run_id = ?",
                [run_id],
            )
            db.execute(f"DELETE FROM {table} WHERE run_id = ? AND state = 'SCHEDULED'", [run_id])
            db.execute("DELETE FROM graph_runs WHERE run_id = ? AND state = 'SCHEDULED'", [run_id])
            db.execute("INSERT INTO touched VALUES (?)", [run_id])


_DERIVE = f"""
INSERT INTO graph_runs
WITH own AS (
    SELECT * EXCLUDE (query_id, query_text, condition_text, return_value) FROM task_runs
    WHERE scheduled_at >= $since AND run_id IN (SELECT run_id FROM touched)
),
told AS (
    SELECT * FROM told_runs
    WHERE scheduled_at >= $since AND run_id IN (SELECT run_id FROM touched)
        AND (state IN {_FINAL} OR seen_at >= $recent)
),
numbers AS (
    SELECT DISTINCT run_id, attempt FROM (SELECT run_id, attempt FROM own UNION ALL SELECT run_id, attempt FROM told)
),
attempts AS (SELECT *, count(*) OVER (PARTITION BY run_id) AS attempts FROM numbers),
-- The newest run of each task up to an attempt: what had succeeded is not run again.
latest AS (
    SELECT a.run_id, a.attempt AS number, o.* EXCLUDE (run_id, error_code, error_message, fingerprint)
    FROM attempts AS a JOIN own AS o ON o.run_id = a.run_id AND o.attempt <= a.attempt
    QUALIFY row_number() OVER (PARTITION BY a.run_id, a.attempt, o.name ORDER BY o.attempt DESC) = 1
),
grouped AS (
    SELECT run_id, number AS attempt, any_value(spoke) AS spoke, any_value(environment) AS environment,
        any_value(database_name) AS database_name, any_value(schema_name) AS schema_name,
        any_value(graph) AS graph, any_value(root_id) AS root_id,
        max(graph_version) AS graph_version,
        any_value(scheduled_from) FILTER (attempt = number) AS scheduled_from,
        min(scheduled_at) FILTER (attempt = number) AS scheduled_at,
        min(started_at) FILTER (attempt = number) AS started_at,
        max(completed_at) FILTER (attempt = number) AS completed_at,
        count(*) FILTER (state <> 'SCHEDULED') AS tasks,
        count(*) FILTER (attempt = number AND starts_with(state, 'FAILED')) AS tasks_failed,
        any_value(config) FILTER (name = graph) AS config,
        min_by(name, coalesce(completed_at, scheduled_at)) FILTER (attempt = number AND starts_with(state, 'FAILED'))
            AS error_task,
        bool_or(state = 'SCHEDULED') FILTER (attempt = number) AS is_scheduled,
        bool_or(state = 'SCHEDULED' AND name = graph) FILTER (attempt = number) AS waits,
        bool_or(state = 'SKIPPED' AND name = graph) FILTER (attempt = number) AS is_skipped,
        bool_or(state = 'EXECUTING') FILTER (attempt = number) AS is_executing,
        bool_or(state = 'FAILED_AND_AUTO_SUSPENDED') FILTER (attempt = number) AS is_suspended,
        bool_or(state = 'FAILED') FILTER (attempt = number) AS is_failed,
        bool_or(state = 'CANCELLED') FILTER (attempt = number) AS is_cancelled,
        -- What is told late has ended.
        bool_or(completed_at > $recent AND source = 'live') FILTER (attempt = number) AS is_recent,
        max(source) AS source, max(seen_at) AS seen_at
    FROM latest GROUP BY run_id, number
),
errors AS (
    SELECT g.run_id, g.attempt, o.error_code, o.error_message, o.fingerprint
    FROM grouped AS g JOIN own AS o ON o.run_id = g.run_id AND o.attempt = g.attempt AND o.name = g.error_task
),
put AS (
    SELECT coalesce(g.spoke, p.spoke) AS spoke, coalesce(g.environment, p.environment) AS environment,
        coalesce(g.database_name, t.database_name) AS database_name,
        coalesce(g.schema_name, t.schema_name) AS schema_name, coalesce(g.graph, t.graph) AS graph,
        coalesce(t.root_id, g.root_id) AS root_id, coalesce(t.graph_version, g.graph_version) AS graph_version,
        a.run_id, a.attempt, a.attempts,
        CASE
            -- It waited when that was told, and has begun since.
            WHEN t.state IS NOT NULL AND NOT (t.state = 'SCHEDULED' AND g.started_at IS NOT NULL) THEN t.state
            WHEN g.is_scheduled THEN CASE WHEN g.waits THEN 'SCHEDULED' ELSE 'EXECUTING' END
            WHEN g.is_skipped THEN 'SKIPPED'
            WHEN g.is_recent THEN 'EXECUTING'
            WHEN g.is_executing THEN 'EXECUTING'
            WHEN g.is_suspended THEN 'FAILED_AND_AUTO_SUSPENDED'
            WHEN g.is_failed THEN 'FAILED'
            WHEN g.is_cancelled THEN 'CANCELLED'
            ELSE 'SUCCEEDED'
        END AS state,
        coalesce(t.scheduled_from, g.scheduled_from) AS scheduled_from,
        coalesce(t.scheduled_at, g.scheduled_at) AS scheduled_at, coalesce(g.started_at, t.started_at) AS started_at,
        coalesce(t.completed_at, g.completed_at) AS completed_at, coalesce(g.tasks, 0) AS tasks,
        coalesce(g.tasks_failed, 0) AS tasks_failed, coalesce(g.error_task, t.first_error_task) AS first_error_task,
        CASE WHEN g.error_task IS NULL THEN t.first_error_code ELSE e.error_code END AS first_error_code,
        CASE WHEN g.error_task IS NULL THEN t.first_error_message ELSE e.error_message END AS first_error_message,
        CASE WHEN g.error_task IS NULL THEN t.fingerprint ELSE e.fingerprint END AS fingerprint,
        coalesce(g.config, t.config) AS config, greatest(g.source, t.source) AS source,
        coalesce(greatest(g.seen_at, t.seen_at), $now) AS seen_at
    FROM attempts AS a
    LEFT JOIN grouped AS g ON g.run_id = a.run_id AND g.attempt = a.attempt
    LEFT JOIN told AS t ON t.run_id = a.run_id AND t.attempt = a.attempt
    LEFT JOIN errors AS e ON e.run_id = a.run_id AND e.attempt = a.attempt
    LEFT JOIN places AS p ON p.d = t.database_name AND p.s = t.schema_name
),
ended AS (SELECT * REPLACE (CASE WHEN state IN {_FINAL} THEN completed_at END AS completed_at) FROM put)
SELECT spoke, environment, database_name, schema_name, graph, root_id, graph_version, run_id, attempt, attempts, state,
    scheduled_from, scheduled_at, started_at, completed_at,
    CASE WHEN started_at IS NOT NULL THEN greatest(epoch(started_at - scheduled_at), 0) END,
    CASE WHEN completed_at IS NOT NULL
        THEN greatest(epoch(completed_at - coalesce(started_at, scheduled_at)), 0) END,
    tasks, tasks_failed, first_error_task, first_error_code, first_error_message,
    CASE WHEN starts_with(state, 'FAILED') THEN fingerprint END,
    config, CASE WHEN json_valid(config) THEN config ->> '$.request_id' END, source, seen_at
FROM ended WHERE scheduled_at IS NOT NULL ORDER BY scheduled_at
"""
