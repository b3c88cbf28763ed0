"""A graph and its runs: how does it run, why did it fail, where did the time go, what is different?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.addresses import Name, path
from app.charts.gantt import gantt
from app.charts.runs import durations
from app.charts.tiles import picture
from app.dependencies import HealthDep, SpokesDep
from app.limits import Attempt, Text
from app.pages.frame import EnvironmentDep
from app.pages.render import render
from app.pages.spokes import spoke_context
from app.pages.states import is_final
from services.core.clock import utc_now
from services.core.errors import NotFound
from services.health.courses import last_tasks
from services.health.service import GRID_RUNS, Health
from services.health.types import GraphHealth, RunHealth
from services.hub.types import Environment
from services.snowflake.failures import cause
from services.spokes.service import Spokes
from services.spokes.types import Spoke
from services.training.types import Task, TaskRun

router = APIRouter()
Shown = Annotated[int, Query(ge=1, le=120)]
First = Annotated[int, Query(ge=0, le=100_000)]
FirstOrNone = Annotated[int | None, Query(ge=0, le=100_000)]
SHOWN_TASKS, ALL_TASKS = 60, 200


@router.get("/spokes/{spoke}/graphs/{graph}/runs/{run_id}", name="run")
def show_run(
    request: Request,
    health: HealthDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    attempt: Attempt = None,
    tasks_from: FirstOrNone = None,
) -> Response:
    """One run of a graph, live until it ends; by what it was requested as, the address of the run."""
    context = run_context(health, spokes, environment, (spoke, graph, run_id, attempt, tasks_from))
    known: str = context["run"].run_id
    if known != run_id:
        asked = {"environment": environment.name, "attempt": attempt, "tasks_from": tasks_from}
        return RedirectResponse(path("/spokes/{}/graphs/{}/runs/{}", spoke, graph, known, **asked), 303)
    return render(request, "pages/run.html", context, environment=environment)


def run_context(
    health: Health,
    spokes: Spokes,
    environment: Environment,
    asked: tuple[str, str, str, int | None, int | None],
    **more: Any,
) -> dict[str, Any]:
    """What the page of a run shows; ``tasks_from``: its tasks from there on, without it those that matter most."""
    spoke, graph, run_id, attempt, first = asked
    found = health.run(spoke, environment.name, graph, run_id, attempt)
    known = health.shape(spoke, environment.name, graph)
    row = found.row
    states = last_tasks(found.tasks)
    ended = row.state.startswith(("FAILED", "CANCELLED")) and row.attempt == row.attempts
    declared = bool(known and known.declared)
    config = {key: value for key, value in (found.config or {}).items() if key != "request_id"}
    drawn = (
        known.tasks
        if known is not None
        else tuple(Task(name, "root" if "$" not in name else "task") for name in states)
    )
    chosen = _chosen(found.tasks, first)

    def address(**changed: Any) -> str:
        asked = {"environment": environment.name, "attempt": attempt, "tasks_from": first, **changed}
        return path("/spokes/{}/graphs/{}/runs/{}", spoke, row.graph, run_id, **asked)

    return {
        **around(spokes, spoke, environment, "graphs", bool(row.database_name)),
        "graph_name": row.graph,
        "found": found,
        "run": row,
        "tasks": chosen,
        "picture": picture(drawn, states),
        "states": states,
        "gantt": gantt(chosen, utc_now(), found.tasks),
        "config": json.dumps(found.config, indent=2, ensure_ascii=False) if found.config else None,
        "edited": json.dumps(config, indent=2, ensure_ascii=False),
        "error": first_error(found),
        "declared": declared,
        # A graph that was deployed anew is not retried, but run again.
        "can_retry": ended and known is not None and row.root_id in (None, known.root_id),
        "can_again": declared,
        "anew": ended and known is not None and row.root_id not in (None, known.root_id),
        "url": address(),
        "all_url": address(tasks_from=0),
        "fewer_url": address(tasks_from=None),
        "first": first,
        "later_url": address(tasks_from=(first or 0) + ALL_TASKS)
        if first is not None and first + ALL_TASKS < len(found.tasks)
        else None,
        "refused": None,
        "typed": {},
        **more,
    }


def _chosen(tasks: Sequence[TaskRun], first: int | None) -> list[TaskRun]:
    """A page of the tasks; without a beginning those that failed, those that go on, then those that took longest."""
    if first is not None:
        return list(tasks[first : first + ALL_TASKS])
    if len(tasks) <= SHOWN_TASKS:
        return list(tasks)

    def weight(task: TaskRun) -> tuple[int, float]:
        rank = 0 if task.state.startswith("FAILED") else 1 if task.state in ("EXECUTING", "CANCELLED") else 2
        begin, end = task.scheduled_at or task.started_at, task.completed_at
        return rank, -((end - begin).total_seconds() if begin and end else 0.0)

    return sorted(tasks, key=weight)[:SHOWN_TASKS]


def first_error(run: RunHealth) -> dict[str, Any] | None:
    """The error with the line that matters first."""
    # A task that was skipped carries the reason in the same column.
    failed = next((task for task in run.tasks if task.error_message and task.state != "SKIPPED"), None)
    message = failed.error_message if failed else run.row.first_error_message
    if not message:
        return None
    return {
        "task": failed.name if failed else run.row.first_error_task,
        "code": failed.error_code if failed else run.row.first_error_code,
        "headline": cause(message),
        "message": message.strip() if message.strip() != cause(message) else None,
        "query_id": failed.query_id if failed else None,
        "fingerprint": run.row.fingerprint,
    }


@router.get("/spokes/{spoke}/graphs/{graph}", name="graph")
def show_graph(
    request: Request,
    health: HealthDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    graph: Name,
    runs: Shown = GRID_RUNS,
    tasks_from: First = 0,
    order: Text = None,
) -> HTMLResponse:
    """One graph: its runs against its tasks, how long they take, its schedule, what changes it."""
    found = health.graph(
        spoke, environment.name, graph, runs=runs, first=tasks_from, failed_first=order == "failed"
    )
    return render(
        request,
        "pages/graph.html",
        graph_context(spokes, environment, found, runs, tasks_from, order),
        environment=environment,
    )


def around(spokes: Spokes, spoke: str, environment: Environment, tab: str, known: bool) -> dict[str, Any]:
    """What surrounds a part of a spoke; of one that the history alone knows, too, as when it was taken away."""
    # A graph is of one environment: the switch leads to the other's graphs.
    switch = path("/spokes/{}/graphs", spoke)
    if not known:
        return {**spoke_context(spokes, spoke, environment, tab), "switch": switch}
    try:
        return {**spoke_context(spokes, spoke, environment, tab), "switch": switch, "onboarded": True}
    except NotFound:
        gone = Spoke(spoke, spoke, "not in the catalogue", "", ())
        return {
            "spoke": gone,
            "environment": environment,
            "onboarded": True,
            "tabs": [],
            "tab": tab,
            "switch": "/runs",
        }


def graph_context(
    spokes: Spokes,
    environment: Environment,
    found: GraphHealth,
    runs: int,
    first: int,
    order: str | None,
    **more: Any,
) -> dict[str, Any]:
    newest = found.recent[0] if found.recent else None
    chart = durations(tuple(reversed(found.recent)), found.statistics)

    def address(**changed: Any) -> str:
        asked = {
            "environment": environment.name,
            "runs": runs,
            "tasks_from": first,
            "order": order,
            **changed,
        }
        if asked["runs"] == GRID_RUNS:
            asked["runs"] = None
        asked["tasks_from"] = asked["tasks_from"] or None
        return path("/spokes/{}/graphs/{}", found.spoke, found.graph, **asked)

    shown = len(found.grid.tasks)
    return {
        **around(spokes, found.spoke, environment, "graphs", bool(found.recent)),
        "graph": found,
        "newest": newest,
        "chart": None if chart.empty else chart,
        "picture": picture(found.shape, found.last_tasks or {}),
        "live": newest is not None and not is_final(newest.state),
        "url": address(),
        "pages": {
            "earlier": address(tasks_from=max(first - shown, 0)) if first else None,
            "later": address(tasks_from=first + shown) if first + shown < found.grid.total else None,
            "failed": address(order="failed", tasks_from=0),
            "begun": address(order=None, tasks_from=0),
        },
        "order": order,
        "spans": [(count, address(runs=count, tasks_from=0), count == runs) for count in (10, 30, 60, 120)],
        "default_config": json.dumps(found.default_config or {}, indent=2, ensure_ascii=False),
        "typed": {},
        "refused": None,
        **more,
    }
