"""REST: a spoke's task graphs, their runs, and what runs and retries them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from app.addresses import Name
from app.api.parameters import Body, EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, OperationsDep, SubmitDep, TrainingDep, UserDep, accepted
from app.limits import Attempt, Limit, SentName
from app.schemas.base import Listing
from app.schemas.training import Graph, GraphRun
from services.core.errors import Invalid

router = APIRouter()
graphs = APIRouter(prefix="/spokes/{spoke}/graphs", tags=["graphs"])
retries = APIRouter(tags=["runs"])


class RunRequest(Target):
    """``days``: of a graph that predicts, the days to forecast again.

    ``wait``: for the end of a run that executes already, instead of 409.
    ``config``: merged over the graph's own configuration, field by field, for this run.
    """

    days: list[date] = []
    wait: bool = False
    config: dict[str, Any] = {}


class Again(Target):
    """``config``: instead of that of the run; merged over the graph's own, field by field."""

    config: dict[str, Any] | None = None


class ScheduleRequest(Target):
    """``schedule`` as Snowflake writes it: ``60 MINUTES``, ``USING CRON 0 6 * * * Europe/Paris``; null: on request."""

    schedule: SentName | None


class RetriedRun(Body):
    """A run that failed."""

    spoke: SentName
    environment: SentName
    graph: SentName
    run_id: SentName


class RetryRequest(Body):
    """Runs of any graphs."""

    runs: Annotated[list[RetriedRun], Field(min_length=1, max_length=100)]


@graphs.get("")
def list_graphs(
    training: TrainingDep, spoke: Name, environment: EnvironmentDep, runs: Limit = 10
) -> Listing[Graph]:
    """The deployed graphs with their tasks, each with its newest runs."""
    graphs = training.graphs(spoke, environment, runs)
    return Listing(items=[Graph.model_validate(graph) for graph in graphs])


@graphs.get("/{graph}")
def get_graph(
    training: TrainingDep, spoke: Name, graph: Name, environment: EnvironmentDep, runs: Limit = 30
) -> Graph:
    """One graph; 404 when it is not deployed."""
    name = training.name_of(spoke, environment, graph)
    return Graph.model_validate(training.graph(spoke, environment, name, runs))


@graphs.get("/{graph}/runs")
def list_runs(
    training: TrainingDep, spoke: Name, graph: Name, environment: EnvironmentDep, limit: Limit = 30
) -> Listing[GraphRun]:
    """The runs of the last seven days, newest first, with their tasks."""
    name = training.name_of(spoke, environment, graph)
    runs = training.runs(spoke, environment, name, limit)
    return Listing(items=[GraphRun.model_validate(run) for run in runs])


@graphs.post("/{graph}/runs", status_code=202, response_model=None)
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
    params: dict[str, Any] = {
        "spoke": spoke, "environment": where, "graph": found.name, "wait": sent.wait, "config": sent.config
    }  # fmt: skip
    if sent.days and not found.predicts:
        raise Invalid(f"{graph} takes no days: it does not predict", hint="Leave them out.", code="no_days")
    return submit(found.kind, {**params, "days": sent.days} if sent.days else params)


@graphs.get("/{graph}/runs/{run_id}")
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


@graphs.post("/{graph}/runs/{run_id}/retry", status_code=202, response_model=None)
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


@graphs.post("/{graph}/runs/{run_id}/again", status_code=202, response_model=None)
def run_again(
    hub: HubDep,
    training: TrainingDep,
    operations: OperationsDep,
    user: UserDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    body: Again | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """A new run with the configuration of this one, or an edited one, on the graph as it is now.

    Snowflake's retry takes no configuration: with another one a run begins at its start.
    """
    where = pick(hub, body.environment if body else None, environment)
    name = training.name_of(spoke, where, graph)
    found = training.again(spoke, where, name, run_id, user.name, body.config if body else None)
    return accepted(operations.get(found))


@graphs.post("/{graph}/runs/{run_id}/cancel", status_code=202, response_model=None)
def cancel_run(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """End a run, whoever started it; 409 when it is over."""
    where = pick(hub, body.environment if body else None, environment)
    name = training.declared(spoke, where, graph).name
    params = {"spoke": spoke, "environment": where, "graph": name, "run_id": run_id}
    return submit("graph.cancel", params)


@graphs.post("/{graph}/suspend", status_code=202, response_model=None)
def suspend_graph(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Let the schedule start no more runs; what executes goes on to its end."""
    where = pick(hub, body.environment if body else None, environment)
    name = training.declared(spoke, where, graph).name
    return submit("graph.suspend", {"spoke": spoke, "environment": where, "graph": name})


@graphs.post("/{graph}/resume", status_code=202, response_model=None)
def resume_graph(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Let the schedule start runs again."""
    where = pick(hub, body.environment if body else None, environment)
    name = training.declared(spoke, where, graph).name
    return submit("graph.resume", {"spoke": spoke, "environment": where, "graph": name})


@graphs.put("/{graph}/schedule", status_code=202, response_model=None)
def change_schedule(
    hub: HubDep,
    training: TrainingDep,
    submit: SubmitDep,
    spoke: Name,
    graph: Name,
    body: ScheduleRequest,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Another schedule, until the graphs are deployed anew; put back when the account refuses it."""
    where = pick(hub, body.environment, environment)
    name = training.declared(spoke, where, graph).name
    params = {"spoke": spoke, "environment": where, "graph": name, "schedule": body.schedule}
    return submit("graph.schedule", params)


@retries.post("/graph-runs/retry", status_code=202, response_model=None)
def retry_runs(submit: SubmitDep, body: RetryRequest) -> JSONResponse:
    """Retry many runs, each from its failed tasks, as one operation that tells each one's result."""
    return submit("graph.retry_many", {"runs": [run.model_dump() for run in body.runs]})


router.include_router(graphs)
router.include_router(retries)
