"""Graphs and runs: what does a pipeline do, how does it run, why did it fail, where did the time go?"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.addresses import Name, path
from app.charts.tiles import picture
from app.dependencies import HealthDep, HubDep, SpokesDep, TrainingDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.graphs import graph_context, run_context
from app.pages.render import render, see
from app.pages.spokes import spoke_context
from app.pages.states import is_final
from services.core.errors import Invalid
from services.health.service import GRID_RUNS
from services.training.service import check_config
from services.training.types import Graph, TaskRun

router = APIRouter()
EnvironmentField = Annotated[str, Form()]
ConfigField = Annotated[str | None, Form(max_length=20_000)]
# A run of a large graph has a thousand tasks; more of its runs are on its own page.
SHOWN_RUNS, SHOWN_TASK_RUNS = 10, 3000


@router.get("/spokes/{spoke}/graphs", name="graphs")
def graphs(
    request: Request, training: TrainingDep, spokes: SpokesDep, environment: EnvironmentDep, spoke: Name
) -> HTMLResponse:
    """The spoke's graphs, each drawn with the states of its last run, over its last runs."""
    context = spoke_context(spokes, spoke, environment, "graphs")
    found = training.graphs(spoke, environment.name, SHOWN_RUNS, SHOWN_TASK_RUNS)
    context["graphs"] = [
        (graph, picture(graph.tasks, states), states) for graph in found for states in [last_states(graph)]
    ]
    context["live"] = any(run and not is_final(run.state) for graph in found for run in graph.runs[:1])
    return render(request, "pages/graphs.html", context, environment=environment)


@router.post("/spokes/{spoke}/graphs/deploy", name="deploy_graphs")
def deploy(
    training: TrainingDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: EnvironmentField
) -> RedirectResponse:
    """Deploy the declared task graphs."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.start_deploy(spoke, name, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/run", name="run_graph")
def start(
    request: Request,
    training: TrainingDep,
    health: HealthDep,
    spokes: SpokesDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    environment: EnvironmentField,
    config: ConfigField = None,
) -> Response:
    """Run a graph, with a configuration of its own when one is sent."""
    here = pick_environment(hub, environment)
    try:
        sent = read_config(config)
        return see(path("/operations/{}", training.start(spoke, here.name, graph, actor, sent)))
    except Invalid as refused:
        found = health.graph(spoke, here.name, graph)
        more = {"refused": refused, "typed": {"config": config}}
        context = graph_context(spokes, here, found, GRID_RUNS, 0, None, **more)
        return render(request, "pages/graph.html", context, environment=here, status=refused.status)


@router.post("/spokes/{spoke}/graphs/{graph}/schedule", name="schedule_graph")
def schedule(
    request: Request,
    training: TrainingDep,
    health: HealthDep,
    spokes: SpokesDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    environment: EnvironmentField,
    schedule: Annotated[str, Form()] = "",
) -> Response:
    """Another schedule for a graph; none: it runs on request."""
    here = pick_environment(hub, environment)
    try:
        found = training.schedule(spoke, here.name, graph, schedule.strip() or None, actor)
        return see(path("/operations/{}", found))
    except Invalid as refused:
        known = health.graph(spoke, here.name, graph)
        more = {"refused": refused, "typed": {"schedule": schedule}}
        context = graph_context(spokes, here, known, GRID_RUNS, 0, None, **more)
        return render(request, "pages/graph.html", context, environment=here, status=refused.status)


@router.post("/spokes/{spoke}/graphs/{graph}/suspend", name="suspend_graph")
def suspend(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """Let the schedule start no more runs."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.suspend(spoke, name, graph, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/resume", name="resume_graph")
def resume(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """Let the schedule start runs again."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.resume(spoke, name, graph, actor)))


@router.post("/spokes/{spoke}/graphs/{graph}/runs/{run_id}/cancel", name="cancel_run")
def cancel(
    training: TrainingDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentField,
) -> RedirectResponse:
    """End a run, whoever started it."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", training.cancel(spoke, name, graph, run_id, actor)))


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
    request: Request,
    training: TrainingDep,
    health: HealthDep,
    spokes: SpokesDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentField,
    config: ConfigField = None,
) -> Response:
    """A new run with the configuration of this one, or with an edited one."""
    here = pick_environment(hub, environment)
    graph = training.name_of(spoke, here.name, graph)
    try:
        sent = None if config is None else read_config(config)
        return see(path("/operations/{}", training.again(spoke, here.name, graph, run_id, actor, sent)))
    except Invalid as refused:
        more = {"refused": refused, "typed": {"config": config}}
        context = run_context(health, spokes, here, (spoke, graph, run_id, None, None), **more)
        return render(request, "pages/run.html", context, environment=here, status=refused.status)


def read_config(text: str | None) -> dict[str, Any]:
    """A configuration as it was typed; Invalid 422 with what is wrong with it."""
    if text is None or not text.strip():
        return {}
    try:
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError('it is no JSON object; write {"key": value}')
        return check_config(value)
    except RecursionError:
        raise Invalid(
            "The configuration cannot be sent: it is nested too deeply", code="bad_config"
        ) from None
    except ValueError as error:
        raise Invalid(f"The configuration cannot be sent: {error}", code="bad_config") from None


def last_states(graph: Graph) -> dict[str, TaskRun]:
    """The newest run's task runs by task name."""
    return {task.name: task for task in graph.runs[0].tasks} if graph.runs else {}
