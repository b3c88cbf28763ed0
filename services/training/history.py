"""Rows of TASK_HISTORY and of the two graph functions put together to runs.

A run is known by GRAPH_RUN_GROUP_ID; each retry of it has its own ATTEMPT_NUMBER and runs what had not
succeeded. TASK_HISTORY tells of tasks, for seven days, with the configuration that a run used; the graph
functions tell of what goes on or ended within the hour, and know whether anything is to come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.core.clock import Clock, utc_now
from services.training.types import Attempt, GraphRun, TaskRun

Row = dict[str, Any]
FINAL = frozenset({"SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"})
# What ended within the hour is in COMPLETE_TASK_GRAPHS; less, as clocks differ.
_TOLD = timedelta(minutes=50)
# SCHEDULED_FROM of what somebody asked for. The documentation writes the first one, accounts the second.
REQUESTED = frozenset({"EXECUTE_TASK", "EXECUTE TASK", "MANUAL RETRY", "AUTOMATIC RETRY"})


def graph_of(task: str) -> str:
    """The graph that a task belongs to: its own name up to the first dollar sign, as the client names them."""
    return task.partition("$")[0]


def runs_of(history: list[Row], graphs: list[Row], clock: Clock = utc_now) -> list[GraphRun]:
    """The runs, each attempt one, newest first; a scheduled one that is only due is none.

    ``graphs`` tells of those that are recent or under way, as of a moment before ``history``; of two rows of
    one attempt the later holds.
    """
    recent = clock() - _TOLD
    known = {
        (str(row["GRAPH_RUN_GROUP_ID"]), int(row["ATTEMPT_NUMBER"])): row
        for row in graphs
        if row["GRAPH_RUN_GROUP_ID"] is not None and not _only_due(row)
    }
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in history:
        if row["GRAPH_RUN_GROUP_ID"] is not None and not (_is_root(row) and _only_due(row)):
            key = (graph_of(row["NAME"]), str(row["GRAPH_RUN_GROUP_ID"]))
            grouped.setdefault(key, []).append(row)
    for (run_id, _), row in known.items():
        # Begun or waiting, with no task yet.
        if row["STATE"] not in FINAL:
            grouped.setdefault((row["ROOT_TASK_NAME"], run_id), [])
    found: list[GraphRun] = []
    for (graph, run_id), rows in grouped.items():
        attempts = {int(row["ATTEMPT_NUMBER"] or 1) for row in rows}
        attempts |= {attempt for group, attempt in known if group == run_id}
        runs = [
            run
            for attempt in sorted(attempts)
            if (run := _run(graph, run_id, attempt, rows, known.get((run_id, attempt)), recent)) is not None
        ]
        marks = tuple(_mark(run) for run in runs)
        found += [replace(run, attempts=marks) for run in runs]
    return sorted(found, key=lambda run: (run.scheduled_at, run.attempt), reverse=True)


def is_live(rows: list[Row]) -> bool:
    """Whether a task of the last attempt among these rows of one run executes or is to be executed."""
    last = max((int(row["ATTEMPT_NUMBER"] or 1) for row in rows), default=1)
    return any(row["STATE"] not in FINAL for row in rows if int(row["ATTEMPT_NUMBER"] or 1) == last)


def _is_root(row: Row) -> bool:
    return bool(row["NAME"] == graph_of(row["NAME"]))


def _only_due(row: Row) -> bool:
    return row["STATE"] == "SCHEDULED" and row["SCHEDULED_FROM"] not in REQUESTED


def _run(
    graph: str, run_id: str, attempt: int, rows: list[Row], told: Row | None, recent: datetime
) -> GraphRun | None:
    latest: dict[str, Row] = {}
    for row in rows:
        number = int(row["ATTEMPT_NUMBER"] or 1)
        before = latest.get(row["NAME"])
        if number <= attempt and (before is None or int(before["ATTEMPT_NUMBER"] or 1) <= number):
            latest[row["NAME"]] = row
    own = [row for row in latest.values() if int(row["ATTEMPT_NUMBER"] or 1) == attempt]
    root = latest.get(graph)
    scheduled = told["SCHEDULED_TIME"] if told else _least(own, "SCHEDULED_TIME")
    if scheduled is None:
        return None
    failed = next((row for row in own if str(row["STATE"]).startswith("FAILED")), None)
    state = str(told["STATE"]) if told else _state(graph, own, recent)
    ended = state in FINAL
    return GraphRun(
        graph=graph,
        run_id=run_id,
        attempt=attempt,
        state=state,
        scheduled_at=scheduled,
        started_at=_least(own, "QUERY_START_TIME") or (told and told["QUERY_START_TIME"]) or None,
        completed_at=((told and told["COMPLETED_TIME"]) or _most(own, "COMPLETED_TIME")) if ended else None,
        scheduled_from=(told or next(iter(own), {})).get("SCHEDULED_FROM"),
        # The graph functions may tell the graph's configuration without that of EXECUTE TASK.
        config=_config(root) or _config(told),
        first_error_task=failed["NAME"] if failed else (told and told["FIRST_ERROR_TASK_NAME"]) or None,
        first_error_code=_text(failed["ERROR_CODE"] if failed else told and told["FIRST_ERROR_CODE"]),
        first_error_message=_text(
            failed["ERROR_MESSAGE"] if failed else told and told["FIRST_ERROR_MESSAGE"]
        ),
        tasks=tuple(_task_run(row) for row in latest.values() if row["STATE"] != "SCHEDULED"),
        root_id=_text((told or next(iter(own), {})).get("ROOT_TASK_ID")),
    )


def _mark(run: GraphRun) -> Attempt:
    return Attempt(
        run.attempt, run.state, run.scheduled_at, run.started_at, run.completed_at, run.scheduled_from
    )


def _task_run(row: Row) -> TaskRun:
    return TaskRun(
        name=row["NAME"],
        state=row["STATE"],
        attempt=int(row["ATTEMPT_NUMBER"] or 1),
        scheduled_at=row["SCHEDULED_TIME"],
        started_at=row["QUERY_START_TIME"],
        completed_at=row["COMPLETED_TIME"],
        return_value=row["RETURN_VALUE"],
        error_code=_text(row["ERROR_CODE"]),
        error_message=row["ERROR_MESSAGE"],
        query_id=row["QUERY_ID"],
        query_text=row["QUERY_TEXT"],
    )


def _state(graph: str, rows: list[Row], recent: datetime) -> str:
    """The state of a run of which its tasks alone tell: it began just now, or ended more than an hour ago."""
    states = {str(row["STATE"]) for row in rows}
    if "SCHEDULED" in states:
        waits = any(row["NAME"] == graph and row["STATE"] == "SCHEDULED" for row in rows)
        return "SCHEDULED" if waits else "EXECUTING"
    if any(row["NAME"] == graph and row["STATE"] == "SKIPPED" for row in rows):
        # The graph functions have no row for it.
        return "SKIPPED"
    if any(row["COMPLETED_TIME"] and row["COMPLETED_TIME"] > recent for row in rows):
        return "EXECUTING"
    for state in ("EXECUTING", "FAILED_AND_AUTO_SUSPENDED", "FAILED", "CANCELLED"):
        if state in states:
            return state
    return "SUCCEEDED"


def read_config(text: str | None) -> Mapping[str, Any] | None:
    """A configuration as the account tells it; None for what is no JSON object."""
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _config(row: Row | None) -> Mapping[str, Any] | None:
    return read_config(row["CONFIG"] if row else None)


def _least(rows: list[Row], column: str) -> datetime | None:
    return min((row[column] for row in rows if row[column] is not None), default=None)


def _most(rows: list[Row], column: str) -> datetime | None:
    return max((row[column] for row in rows if row[column] is not None), default=None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
