"""Runs as the history has them: the newest from the row index, the rows of a graph as the account would tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.history.row_index import NEWEST
from services.history.store import RUN_COLUMNS, History, aware, graph_run
from services.history.types import GraphRunRow, Row

_AS_TOLD = """
    graph AS "ROOT_TASK_NAME", state AS "STATE", scheduled_from AS "SCHEDULED_FROM",
    first_error_task AS "FIRST_ERROR_TASK_NAME", first_error_code AS "FIRST_ERROR_CODE",
    first_error_message AS "FIRST_ERROR_MESSAGE", scheduled_at AS "SCHEDULED_TIME",
    started_at AS "QUERY_START_TIME", completed_at AS "COMPLETED_TIME", config AS "CONFIG",
    run_id AS "GRAPH_RUN_GROUP_ID", attempt AS "ATTEMPT_NUMBER", root_id AS "ROOT_TASK_ID",
    graph_version AS "GRAPH_VERSION"
"""
_AS_TASKS = """
    name AS "NAME", state AS "STATE", return_value AS "RETURN_VALUE", error_code AS "ERROR_CODE",
    error_message AS "ERROR_MESSAGE", config AS "CONFIG", run_id AS "GRAPH_RUN_GROUP_ID",
    attempt AS "ATTEMPT_NUMBER", scheduled_from AS "SCHEDULED_FROM", scheduled_at AS "SCHEDULED_TIME",
    started_at AS "QUERY_START_TIME", completed_at AS "COMPLETED_TIME", query_id AS "QUERY_ID",
    query_text AS "QUERY_TEXT", root_id AS "ROOT_TASK_ID", graph_version AS "GRAPH_VERSION"
"""


class RunReader:
    """Reads runs. ``newest`` is no query of the history while its row index is current; the others are two at most."""

    def __init__(self, history: History) -> None:
        self._history = history

    def newest(
        self,
        spoke: str | None = None,
        environment: str | None = None,
        graph: str | None = None,
        limit: int = 50,
    ) -> tuple[GraphRunRow, ...]:
        """The newest attempts, newest first; of all graphs unless it is said which."""
        named = (("spoke", spoke), ("environment", environment), ("graph", graph))
        given = {name: value for name, value in named if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "true"
        found = self._history.index.newest(where, list(given.values()), limit)
        if found is not None:
            return tuple(found)
        with self._history.read() as db:
            rows = db.execute(
                f"SELECT {RUN_COLUMNS} FROM graph_runs WHERE {where} ORDER BY {NEWEST} LIMIT {limit:d}",
                list(given.values()),
            ).fetchall()
        return tuple(map(graph_run, rows))

    def task_rows(
        self, database: str, schema: str, graph: str, run_id: str | None = None, runs: int = 30
    ) -> list[Row]:
        """Task runs of one run, or of the newest runs of a graph, by Snowflake's column names, in order of time."""
        where, values, since = self._of(database, schema, graph, run_id, runs)
        return _aware(
            self._history.rows(
                f"SELECT {_AS_TASKS} FROM task_runs WHERE scheduled_at >= ? AND {where}"
                " ORDER BY scheduled_at, started_at NULLS FIRST, attempt, name",
                [since, *values],
            )
            if since is not None
            else []
        )

    def graph_rows(
        self, database: str, schema: str, graph: str, run_id: str | None = None, runs: int = 30
    ) -> list[Row]:
        """The attempts of the same runs as the graph functions would tell them, newest first."""
        where, values, since = self._of(database, schema, graph, run_id, runs)
        return _aware(
            self._history.rows(
                f"SELECT {_AS_TOLD} FROM graph_runs WHERE scheduled_at >= ? AND {where}"
                " ORDER BY scheduled_at DESC, attempt DESC",
                [since, *values],
            )
            if since is not None
            else []
        )

    def _of(
        self, database: str, schema: str, graph: str, run_id: str | None, runs: int
    ) -> tuple[str, list[Any], datetime | None]:
        """A condition for the runs that are meant, its values, and when the first of them was due."""
        values: list[Any] = [database, schema, graph]
        only = "database_name = ? AND schema_name = ? AND graph = ?"
        if run_id is not None:
            only, values = f"{only} AND run_id = ?", [*values, run_id]
        found = self._history.rows(
            f"SELECT run_id, min(scheduled_at) AS due FROM graph_runs WHERE {only} GROUP BY run_id"
            f" ORDER BY max(scheduled_at) DESC LIMIT {runs:d}",
            values,
        )
        ids = [row["run_id"] for row in found]
        marks = ", ".join("?" * len(ids))
        since = min((row["due"] for row in found), default=None)
        return f"{only} AND run_id IN ({marks})", [*values, *ids], since


def _aware(rows: list[Row]) -> list[Row]:
    return [
        {name: aware(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in rows
    ]
