"""Graphs and runs: what does a pipeline do, how does it run, why did it fail, where did the time go?"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.charts.dag import draw
from app.charts.gantt import gantt
from app.dependencies import HubDep, SpokesDep, TrainingDep
from app.limits import Attempt
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context
from app.pages.states import is_final
from services.core.clock import utc_now
from services.snowflake.failures import cause
from services.training.types import Graph, GraphRun, TaskRun

router = APIRouter()
EnvironmentField = Annotated[str, Form()]


@router.get("/spokes/{spoke}/graphs", name="graphs")
def graphs(
    request: Request, training: TrainingDep, spokes: SpokesDep, environment: EnvironmentDep, spoke: Name
) -> HTMLResponse:
    """The spoke's graphs, each drawn with the states of its last run, over its last runs."""
    context = spoke_context(spokes, spoke, environment, "graphs")
    found = training.graphs(spoke, environment.name)
    context["graphs"] = [(graph, draw(graph.tasks), last_states(graph)) for graph in found]
    context["live"] = any(run and not is_final(run.state) for graph in found for run in graph.runs[:1])
    return render(request, "pages/graphs.html", context, environment=environment)


@router.get("/spokes/{spoke}/graphs/{graph}/runs/{run_id}", name="run")
def run(
    request: Request,
    training: TrainingDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    attempt: Attempt = None,
) -> HTMLResponse:
    """One run of a graph, live until it ends."""
    context = spoke_context(spokes, spoke, environment, "graphs")
    name = environment.name
    graph = training.name_of(spoke, name, graph)
    found = training.run(spoke, name, graph, run_id, attempt)
    declared = training.graph(spoke, name, graph)
    context.update(
        graph=declared,
        # A run is of one environment: the switch leads to the other's graphs.
        switch=path("/spokes/{}/graphs", spoke),
        run=found,
        drawing=draw(declared.tasks),
        states={task.name: task for task in found.tasks},
        gantt=gantt(found.tasks, utc_now()),
        config=json.dumps(found.config, indent=2) if found.config else None,
        error=first_error(found),
        can_retry=found.failed and found.is_last_attempt and found.root_id == declared.root_id,
        # A graph that was deployed anew is not retried, but run again.
        can_again=found.failed and found.is_last_attempt and found.root_id != declared.root_id,
        url=path("/spokes/{}/graphs/{}/runs/{}", spoke, graph, run_id, environment=name, attempt=attempt),
    )
    return render(request, "pages/run.html", context, environment=environment)


@router.post("/spokes/{spoke}/graphs/deploy", name="deploy_graphs")
def deploy(
    training: TrainingDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: EnvironmentField
) -> RedirectResponse:
    """Deploy the declared task graphs."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.start_deploy(spoke, name, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/run", name="run_graph")
def start(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """Run a graph."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.start(spoke, name, graph, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/runs/{run_id}/retry", name="retry")
def retry(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """Run a failed run again from the task that failed."""
    name = pick_environment(hub, environment).name
    graph = training.name_of(spoke, name, graph)
    return see(path("/operations/{}", training.retry(spoke, name, graph, run_id, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/runs/{run_id}/again", name="again")
def again(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """A new run with the configuration of this one."""
    name = pick_environment(hub, environment).name
    graph = training.name_of(spoke, name, graph)
    return see(path("/operations/{}", training.again(spoke, name, graph, run_id, actor)))


def last_states(graph: Graph) -> dict[str, TaskRun]:
    """The newest run's task runs by task name."""
    return {task.name: task for task in graph.runs[0].tasks} if graph.runs else {}


def first_error(run: GraphRun) -> dict[str, Any] | None:
    """The error with the line that matters first."""
    # A task that was skipped carries the reason in the same column.
    failed = next((task for task in run.tasks if task.error_message and task.state != "SKIPPED"), None)
    message = failed.error_message if failed else run.first_error_message
    if not message:
        return None
    return {
        "task": failed.name if failed else run.first_error_task,
        "code": failed.error_code if failed else run.first_error_code,
        "headline": cause(message),
        "message": message.strip() if message.strip() != cause(message) else None,
        "query_id": failed.query_id if failed else None,
    }
