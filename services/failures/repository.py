"""Failures as the history tells of them, grouped there; what people said of them is in the catalogue."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from services.core.hub import HUB
from services.failures.types import HORIZON_DAYS, FailureKind, Occurrence
from services.history import History
from services.history.fingerprint import fingerprint
from services.history.store import aware, naive, rows_of

Row = dict[str, Any]
SHOWN_DAYS = 14
SHOWN_OCCURRENCES = 100

_AT = "coalesce(completed_at, started_at, scheduled_at)"
_GRAPHS = f"""
    SELECT spoke, environment, graph AS subject, fingerprint, count(*) AS count, min({_AT}) AS first_at,
        max({_AT}) AS last_at, arg_max(first_error_task, {_AT}) AS task, arg_max(first_error_code, {_AT}) AS code,
        arg_max(first_error_message, {_AT}) AS message, arg_max(run_id, {_AT}) AS run_id,
        arg_max(attempt, {_AT}) AS attempt
    FROM graph_runs
    WHERE starts_with(state, 'FAILED') AND spoke IS NOT NULL AND scheduled_at >= ? AND fingerprint IS NOT NULL
    GROUP BY ALL
"""
# What is nobody's in a feature store is a view that the hub shares there.
_PLACED = f"""
    SELECT r.* REPLACE (coalesce(r.spoke, '{HUB}') AS spoke, coalesce(r.environment, s.environment) AS environment)
    FROM refreshes AS r LEFT JOIN (
        SELECT one ->> 'database' AS d, one ->> 'schema' AS s, one ->> 'environment' AS environment
        FROM (SELECT unnest(CAST($stores AS JSON[])) AS one)
    ) AS s ON r.spoke IS NULL AND s.d = r.database_name AND s.s = r.schema_name
    WHERE r.spoke IS NOT NULL OR s.environment IS NOT NULL
"""
# One message is one failure until its fingerprint is known, which DuckDB cannot tell.
_REFRESHES = f"""
    SELECT spoke, environment, name AS subject, state_code AS code, state_message AS message, count(*) AS count,
        min(coalesce(ended_at, started_at)) AS first_at, max(coalesce(ended_at, started_at)) AS last_at,
        arg_max(query_id, started_at) AS query_id, list(coalesce(ended_at, started_at)::DATE) AS days
    FROM ({_PLACED}) WHERE state = 'FAILED' AND started_at >= $since GROUP BY ALL
"""
_SUCCESSES = f"""
    SELECT 'graph' AS kind, spoke, environment, graph AS subject, max(completed_at) AS at FROM graph_runs
    WHERE state = 'SUCCEEDED' AND spoke IS NOT NULL AND scheduled_at >= $since GROUP BY ALL
    UNION ALL
    SELECT 'refresh', spoke, environment, name, max(ended_at) FROM ({_PLACED})
    WHERE state = 'SUCCEEDED' AND started_at >= $since GROUP BY ALL
"""
_OF_REFRESHES = f"""
    SELECT coalesce(ended_at, started_at) AS at_time, NULL AS run_id, NULL AS attempt, state_code AS code,
        state_message AS message, query_id
    FROM ({_PLACED}) WHERE spoke = $spoke AND environment = $environment AND name = $name AND state = 'FAILED'
    ORDER BY at_time DESC LIMIT {SHOWN_OCCURRENCES * 10}
"""
_DAYS = f"""
    SELECT 'graph' AS kind, spoke, environment, graph AS subject, fingerprint, {_AT}::DATE AS day, count(*) AS count
    FROM graph_runs
    WHERE starts_with(state, 'FAILED') AND spoke IS NOT NULL AND scheduled_at >= ? AND fingerprint IS NOT NULL
    GROUP BY ALL
"""


class Failures:
    """Reads the history; four queries, whatever there is. ``stores``: (database, schema) of feature stores and their
    environments.
    """

    def __init__(self, history: History, stores: Mapping[tuple[str, str], str]) -> None:
        self._history = history
        self._stores = json.dumps(
            [
                {"database": database, "schema": schema, "environment": environment}
                for (database, schema), environment in stores.items()
            ]
        )

    def groups(self, now: datetime) -> list[Row]:
        """Every group that occurred within the horizon: kind, spoke, environment, subject, fingerprint, task, count,
        first_at, last_at, code, message, run_id, attempt, query_id, recovered_at, by_day.
        """
        since = naive(now - timedelta(days=HORIZON_DAYS))
        found = [
            {**row, "kind": "graph", "query_id": None} for row in self._history.rows(_GRAPHS, [since])
        ] + _folded(self._named(_REFRESHES, since=since))
        succeeded = {_subject(row): row["at"] for row in self._named(_SUCCESSES, since=since)}
        days = self._days_of_graphs(now)
        first = (now - timedelta(days=SHOWN_DAYS)).date()
        for row in found:
            at = succeeded.get(_subject(row))
            row["recovered_at"] = aware(at) if at is not None and at > row["last_at"] else None
            if row["kind"] == "refresh":
                row["by_day"] = Counter(day for day in row.pop("days") if day >= first)
            else:
                row["by_day"] = days.get((*_subject(row), row["fingerprint"]), {})
            row["first_at"], row["last_at"] = aware(row["first_at"]), aware(row["last_at"])
        return found

    def _days_of_graphs(self, now: datetime) -> dict[tuple[str, ...], dict[date, int]]:
        since = naive(now - timedelta(days=SHOWN_DAYS))
        found: dict[tuple[str, ...], dict[date, int]] = {}
        for row in self._history.rows(_DAYS, [since]):
            found.setdefault((*_subject(row), row["fingerprint"]), {})[row["day"]] = row["count"]
        return found

    def _named(self, text: str, **values: Any) -> list[Row]:
        with self._history.read() as db:
            return rows_of(db.execute(text, {"stores": self._stores, **values}))

    def occurrences(self, group: Row) -> tuple[Occurrence, ...]:
        """The newest failures of one group, newest first."""
        where = [group["spoke"], group["environment"], group["subject"]]
        if group["kind"] == "graph":
            rows = self._history.rows(
                f"SELECT {_AT} AS at_time, run_id, attempt, first_error_code AS code,"
                " first_error_message AS message, NULL AS query_id FROM graph_runs"
                " WHERE spoke = ? AND environment = ? AND graph = ? AND fingerprint = ?"
                f" AND starts_with(state, 'FAILED') ORDER BY at_time DESC LIMIT {SHOWN_OCCURRENCES}",
                [*where, group["fingerprint"]],
            )
        else:
            told = self._named(
                _OF_REFRESHES,
                spoke=group["spoke"],
                environment=group["environment"],
                name=group["subject"],
            )
            rows = [row for row in told if _of_refresh(group["subject"], row) == group["fingerprint"]]
            rows = rows[:SHOWN_OCCURRENCES]
        return tuple(occurrence(row, row["at_time"]) for row in rows)


def occurrence(row: Row, at: datetime) -> Occurrence:
    """One failure of a row with run_id, attempt, code, message and query_id."""
    moment = aware(at)
    assert moment is not None
    return Occurrence(
        moment, row["run_id"], row["attempt"], row["code"], row["message"] or "", row["query_id"]
    )


def group_id(kind: FailureKind, spoke: str, environment: str, subject: str, mark: str) -> str:
    """The same for the same group always; fit for an address."""
    text = "\n".join((kind, spoke, environment, subject, mark))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _folded(rows: Iterable[Row]) -> list[Row]:
    """Refreshes that failed, by fingerprint."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        mark = _of_refresh(row["subject"], row)
        key = (row["spoke"], row["environment"], row["subject"], mark)
        group = {**row, "kind": "refresh", "fingerprint": mark, "task": None, "run_id": None, "attempt": None}
        before = found.get(key)
        if before is not None:
            newest = group if group["last_at"] > before["last_at"] else before
            group = {
                **newest,
                "count": before["count"] + row["count"],
                "days": before["days"] + row["days"],
                "first_at": min(before["first_at"], row["first_at"]),
            }
        found[key] = group
    return list(found.values())


def _of_refresh(subject: str, row: Row) -> str:
    return fingerprint(subject, row["code"], row["message"])


def _subject(row: Row) -> tuple[str, str, str, str]:
    return row["kind"], row["spoke"], row["environment"], row["subject"]
