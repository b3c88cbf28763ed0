"""REST: how the graphs of all spokes run, and the searches that were saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field, TypeAdapter

from app.addresses import Name
from app.api.parameters import Body, EnvironmentDep
from app.dependencies import HealthDep, UserDep
from app.limits import Attempt, Cursor, Limit, Text
from app.schemas.base import Listing
from app.schemas.health import (
    GRAPH,
    RUN,
    RUNS,
    TASKS,
    DayList,
    SavedView,
    StatisticsList,
    as_csv,
    as_json,
)
from services.core.clock import isoformat, utc_now
from services.health.asked import FIELDS, NEGATION, RunFilter, require
from services.health.paging import NEWEST, SORTS
from services.health.service import Health
from services.health.types import GraphHealth, RunHealth, RunPage, TaskPage
from services.health.views import MOST_NAME, MOST_QUERY

router = APIRouter(tags=["runs"])
AS_OF = "Spokehub-As-Of"
_OTHERS = frozenset({"sort", "limit", "cursor", "format"})
# The filters are many and any may be repeated: they are read from the address at once.
_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": name + suffix,
            "in": "query",
            "required": False,
            "description": f"{field.title}{', none of these' if suffix else ', any of these'}: {field.example}.",
            "schema": {"type": "array", "items": {"type": "string"}},
        }
        for name, field in FIELDS.items()
        for suffix in ("", NEGATION)
    ]
}
Sort = Annotated[
    str, Query(description=f"One of {', '.join(SORTS)}; after a minus the greatest first.", max_length=40)
]


class ViewBody(Body):
    """A search and its name."""

    name: Annotated[str, Field(max_length=MOST_NAME * 2)]
    query: Annotated[str, Field(max_length=MOST_QUERY)]


class ViewChange(Body):
    """What is to be different."""

    name: Annotated[str | None, Field(max_length=MOST_NAME * 2)] = None
    query: Annotated[str | None, Field(max_length=MOST_QUERY)] = None


def asked(request: Request) -> RunFilter:
    """The filter that the address asks for; Invalid 422 by field."""
    pairs: Iterable[tuple[str, str]] = request.query_params.multi_items()
    return require((pair for pair in pairs if pair[0] not in _OTHERS), utc_now())


def told(health: Health, adapter: TypeAdapter[Any], value: Any) -> Response:
    """The answer as pydantic's core writes it, with the moment up to which it is known."""
    return Response(adapter.dump_json(value), media_type="application/json", headers=known_at(health))


def known_at(health: Health) -> dict[str, str]:
    """The header that says as of when an answer from the history is."""
    moment = health.as_of()
    return {} if moment is None else {AS_OF: isoformat(moment)}


@router.get("/graph-runs", response_model=RunPage, openapi_extra=_PARAMETERS)
def list_graph_runs(
    request: Request, health: HealthDep, sort: Sort = NEWEST, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Attempts at graph runs of all spokes, newest first. Filters of different names hold together."""
    return told(health, RUNS, health.runs(asked(request), sort, limit, cursor))


@router.get("/graph-runs/export", response_class=Response, openapi_extra=_PARAMETERS)
def export_graph_runs(
    request: Request, health: HealthDep, format: Literal["csv", "json"] = "csv", sort: Sort = NEWEST
) -> StreamingResponse:
    """All that fit, at most 100,000, as a file."""
    rows = health.export(asked(request), sort)
    name = f'attachment; filename="graph-runs.{format}"'
    headers = {"Content-Disposition": name, **known_at(health)}
    if format == "csv":
        return StreamingResponse(as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)
    return StreamingResponse(as_json(rows), media_type="application/json", headers=headers)


@router.get("/graph-runs/statistics")
def list_statistics(
    health: HealthDep, response: Response, spoke: Text = None, environment: Text = None, graph: Text = None
) -> StatisticsList:
    """By graph: success of 7 and 30 days, p50 and p95 of 7 days, and their baseline of the 28 days before."""
    response.headers.update(known_at(health))
    return StatisticsList(items=list(health.statistics(spoke, environment, graph)))


@router.get("/graph-runs/daily", openapi_extra=_PARAMETERS)
def list_days(request: Request, health: HealthDep, response: Response) -> DayList:
    """The runs of a filter by day and state: of its time, of the last 30 days by default, of 90 at most."""
    response.headers.update(known_at(health))
    return DayList(items=list(health.daily(asked(request))))


@router.get("/task-runs", response_model=TaskPage, openapi_extra=_PARAMETERS)
def list_task_runs(request: Request, health: HealthDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Task runs of all spokes, newest first; filters as of graph runs."""
    return told(health, TASKS, health.tasks(asked(request), limit, cursor))


@router.get("/spokes/{spoke}/graphs/{graph}/health", response_model=GraphHealth)
def get_graph_health(
    health: HealthDep, spoke: Name, graph: Name, environment: EnvironmentDep, runs: Limit = 30
) -> Response:
    """A graph's grid of its last runs and its tasks, its statistics and its schedule."""
    return told(health, GRAPH, health.graph(spoke, environment, graph, runs=min(runs, 120)))


@router.get("/spokes/{spoke}/graphs/{graph}/runs/{run_id}/health", response_model=RunHealth)
def get_run_health(
    health: HealthDep,
    spoke: Name,
    graph: Name,
    run_id: Name,
    environment: EnvironmentDep,
    attempt: Attempt = None,
) -> Response:
    """A run with its tasks, what it cost, and its difference to the last run that succeeded."""
    return told(health, RUN, health.run(spoke, environment, graph, run_id, attempt))


@router.get("/saved-views", tags=["saved views"])
def list_views(health: HealthDep) -> Listing[SavedView]:
    """Saved searches, by name."""
    return Listing(items=[SavedView.model_validate(view) for view in health.views.all()])


@router.post("/saved-views", status_code=201, tags=["saved views"])
def save_view(health: HealthDep, user: UserDep, body: ViewBody) -> SavedView:
    """Save a search under a name; 409 when the name is taken."""
    return SavedView.model_validate(health.views.save(body.name, body.query, user.name))


@router.patch("/saved-views/{view_id}", tags=["saved views"])
def change_view(health: HealthDep, user: UserDep, view_id: Name, body: ViewChange) -> SavedView:
    """Another name or another search."""
    return SavedView.model_validate(health.views.change(view_id, user.name, body.name, body.query))


@router.delete("/saved-views/{view_id}", status_code=204, tags=["saved views"])
def delete_view(health: HealthDep, user: UserDep, view_id: Name) -> Response:
    """Forget a search."""
    health.views.delete(view_id, user.name)
    return Response(status_code=204)
