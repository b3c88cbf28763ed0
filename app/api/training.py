"""REST: a spoke's task graphs, their runs, and what runs and retries them."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, OperationsDep, SubmitDep, TrainingDep, UserDep, accepted
from app.limits import Attempt, Limit
from app.schemas.base import Listing
from app.schemas.training import Graph, GraphRun
from services.core.errors import Invalid

router = APIRouter(prefix="/spokes/{spoke}/graphs", tags=["graphs"])


class RunRequest(Target):
    """``days``: of a graph that predicts, the days to forecast again.

    ``wait``: for the end of a run that executes already, instead of 409.
    """

    days: list[date] = []
    wait: bool = False


@router.get("")
def list_graphs(
    training: TrainingDep, spoke: Name, environment: EnvironmentDep, runs: Limit = 10
) -> Listing[Graph]:
    """The deployed graphs with their tasks, each with its newest runs."""
    graphs = training.graphs(spoke, environment, runs)
    return Listing(items=[Graph.model_validate(graph) for graph in graphs])


@router.get("/{graph}")
def get_graph(
    training: TrainingDep, spoke: Name, graph: Name, environment: EnvironmentDep, runs: Limit = 30
) -> Graph:
    """One graph; 404 when it is not deployed."""
    name = training.name_of(spoke, environment, graph)
    return Graph.model_validate(training.graph(spoke, environment, name, runs))


@router.get("/{graph}/runs")
def list_runs(
    training: TrainingDep, spoke: Name, graph: Name, environment: EnvironmentDep, limit: Limit = 30
) -> Listing[GraphRun]:
    """The runs of the last seven days, newest first, with their tasks."""
    name = training.name_of(spoke, environment, graph)
    runs = training.runs(spoke, environment, name, limit)
    return Listing(items=[GraphRun.model_validate(run) for run in runs])


@router.post("/{graph}/runs", status_code=202, response_model=None)
def start_run(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    body: RunRequest | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Run a graph and follow it; 409 while it is not deployed, has nothing to do, or runs already.

    The same that is queued or followed already is found, not started twice.
    """
    sent = body or RunRequest()
    where = pick(hub, sent.environment, environment)
    found = training.declared(spoke, where, graph)
    params: dict[str, Any] = {"spoke": spoke, "environment": where, "graph": found.name, "wait": sent.wait}
    if sent.days and not found.predicts:
        raise Invalid(f"{graph} takes no days: it does not predict", hint="Leave them out.", code="no_days")
    return submit(found.kind, {**params, "days": sent.days} if sent.days else params)


@router.get("/{graph}/runs/{run_id}")
def get_run(
    training: TrainingDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentDep,
    attempt: Attempt = None,
) -> GraphRun:
    """One run, its last attempt by default, with its tasks and CONFIG."""
    name = training.name_of(spoke, environment, graph)
    return GraphRun.model_validate(training.run(spoke, environment, name, run_id, attempt))


@router.post("/{graph}/runs/{run_id}/retry", status_code=202, response_model=None)
def retry_run(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Run the failed part of exactly this run again; 409 unless it failed and its graph is as it was."""
    where = pick(hub, body.environment if body else None, environment)
    name = training.name_of(spoke, where, graph)
    params = {"spoke": spoke, "environment": where, "graph": name, "run_id": run_id}
    return submit("graph.retry", params)


@router.post("/{graph}/runs/{run_id}/again", status_code=202, response_model=None)
def run_again(
    hub: HubDep,
    training: TrainingDep,
    operations: OperationsDep,
    user: UserDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """A new run with the configuration of this one, as when its graph was deployed anew since."""
    where = pick(hub, body.environment if body else None, environment)
    name = training.name_of(spoke, where, graph)
    found = training.again(spoke, where, name, run_id, user.name)
    return accepted(operations.get(found))
