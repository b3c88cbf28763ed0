"""Rows as the account tells them, and a history filled with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.history.runs import RunWriter
from services.history.store import History
from services.history.types import Recorded, Row, Source

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)
ENVIRONMENTS = ("DEV", "STAGING", "PROD")


def place(database: str, schema: str) -> tuple[str, str] | None:
    """SPOKE_ENVIRONMENT as the layout names a spoke's schema; None for other schemas."""
    spoke, _, environment = schema.rpartition("_")
    return (spoke.lower(), environment) if spoke and environment in ENVIRONMENTS else None


def task(
    name: str,
    state: str = "SUCCEEDED",
    *,
    run: str = "1001",
    attempt: int = 1,
    ago: float = 3600.0,
    queue: float = 1.0,
    took: float | None = 10.0,
    schema: str = "TIDES_DEV",
    database: str = "SPOKEHUB",
    now: datetime = NOW,
    **more: Any,
) -> Row:
    """A row of TASK_HISTORY; it was due ``ago`` seconds before ``now``, began ``queue`` later and took ``took``."""
    due = now - timedelta(seconds=ago)
    began = None if state in ("SCHEDULED", "SKIPPED") else due + timedelta(seconds=queue)
    ended = (
        None
        if state in ("SCHEDULED", "EXECUTING") or took is None
        else (began or due) + timedelta(seconds=took)
    )
    failed = state.startswith("FAILED")
    return {
        "NAME": name,
        "DATABASE_NAME": database,
        "SCHEMA_NAME": schema,
        "STATE": state,
        "RETURN_VALUE": None,
        "ERROR_CODE": "100357" if failed else None,
        "ERROR_MESSAGE": f"ValueError: {name} broke" if failed else None,
        "CONFIG": None,
        "GRAPH_RUN_GROUP_ID": run,
        "ATTEMPT_NUMBER": attempt,
        "SCHEDULED_FROM": "SCHEDULE",
        "SCHEDULED_TIME": due,
        "QUERY_START_TIME": began,
        "COMPLETED_TIME": ended,
        "QUERY_ID": f"q-{run}-{attempt}-{name}",
        "QUERY_TEXT": "CALL X()",
        "CONDITION_TEXT": None,
        "ROOT_TASK_ID": f"root-{name.partition('$')[0]}",
        "GRAPH_VERSION": 1,
        **more,
    }


def graph(root: str, state: str = "SUCCEEDED", **more: Any) -> Row:
    """A row of the graph functions; arguments as for ``task``."""
    row = task(root, state, **more)
    failed = state.startswith("FAILED")
    return {
        **{key: value for key, value in row.items() if key not in ("NAME", "ERROR_CODE", "ERROR_MESSAGE")},
        "ROOT_TASK_NAME": root,
        "FIRST_ERROR_TASK_NAME": root if failed else None,
        "FIRST_ERROR_CODE": row["ERROR_CODE"],
        "FIRST_ERROR_MESSAGE": row["ERROR_MESSAGE"],
    }


def fill(
    history: History,
    tasks: Iterable[Row],
    graphs: Iterable[Row] = (),
    *,
    source: Source = "usage",
    seen_at: datetime = NOW,
) -> Recorded:
    """Write rows as a sync does."""
    return RunWriter(history).record(place, tasks, graphs, source=source, seen_at=seen_at)
