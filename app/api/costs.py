"""REST: credits by what caused them, their sum being the account's metering; and budgets."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.addresses import Name
from app.api.parameters import Body
from app.dependencies import CostsDep, UserDep
from app.limits import MAX_NUMBER, Limit, Text
from app.schemas import costs as schemas
from app.schemas.base import Listing
from app.schemas.costs import BudgetState, CostGroups, CostReport, GraphCost, RunCost
from services.core.clock import isoformat
from services.costs import asked
from services.costs.asked import CostFilter
from services.costs.service import Costs
from services.costs.types import Stack

router = APIRouter(prefix="/costs", tags=["costs"])
AS_OF = "Spokehub-As-Of"
Offset = Annotated[int, Query(ge=0, le=MAX_NUMBER, description="How many to leave out; next_cursor says it.")]
By = Annotated[
    list[str] | None,
    Query(max_length=20, description="day, month, spoke, environment, graph, resource, service or kind."),
]


def wanted(
    costs: CostsDep,
    period: Annotated[Text, Query(description="month, 7, 30, 90 or 365 days; month by default.")] = None,
    since: Annotated[date | None, Query(description="The first day (UTC).")] = None,
    until: Annotated[date | None, Query(description="The last day (UTC).")] = None,
    spoke: Annotated[Text, Query(description="- for what belongs to nobody.")] = None,
    environment: Text = None,
    resource: Annotated[Text, Query(description="A warehouse or a compute pool.")] = None,
    kind: Text = None,
    graph: Text = None,
) -> CostFilter:
    """The filter of an address; Invalid 422."""
    first, last = asked.period(period, since, until, costs.today())
    return CostFilter(
        first,
        last,
        spoke or None,
        environment or None,
        resource or None,
        asked.kind(kind),
        graph or None,
    )


WantedDep = Annotated[CostFilter, Depends(wanted)]


class BudgetBody(Body):
    """Credits of each month, and the part of it at which to warn."""

    credits: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    warn_at: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.8


def _stamp(response: Response, costs: Costs) -> None:
    moment = costs.as_of()
    if moment is not None:
        response.headers[AS_OF] = isoformat(moment)


@router.get("", response_model_exclude_unset=True)
def list_costs(
    response: Response,
    costs: CostsDep,
    wanted: WantedDep,
    by: By = None,
    limit: Limit = 1000,
    cursor: Offset = 0,
) -> CostGroups:
    """Credits grouped by what is asked for (`by=day&by=kind`); one row with their sum without `by`."""
    _stamp(response, costs)
    dimensions = asked.dimensions(by or ())
    page = costs.group(wanted, dimensions, limit, cursor)
    items = [schemas.group(dimensions, one) for one in page.items]
    following = None if page.next_offset is None else str(page.next_offset)
    return CostGroups(items=items, next_cursor=following, since=wanted.since, until=wanted.until)


@router.get("/report")
def get_report(response: Response, costs: CostsDep, wanted: WantedDep, stack: Stack = "kind") -> CostReport:
    """Everything that the page shows: lines whose sum is the metering, trend, month, forecast, budgets."""
    _stamp(response, costs)
    found = costs.report(wanted, stack)
    told = {name: getattr(found, name) for name in CostReport.model_fields if hasattr(found, name)}
    return CostReport.model_validate({**told, "since": wanted.since, "until": wanted.until})


@router.get("/graphs")
def list_graph_costs(
    response: Response, costs: CostsDep, wanted: WantedDep, limit: Limit = 50
) -> Listing[GraphCost]:
    """What the runs of graphs cost, those that train and predict marked as such; the dearest first."""
    _stamp(response, costs)
    return Listing(items=[GraphCost.model_validate(one) for one in costs.graphs(wanted, limit)])


@router.get("/runs")
def list_run_costs(
    response: Response, costs: CostsDep, wanted: WantedDep, limit: Limit = 50, cursor: Offset = 0
) -> Listing[RunCost]:
    """What runs of graphs cost, the dearest first."""
    _stamp(response, costs)
    page = costs.runs(wanted, limit, cursor)
    following = None if page.next_offset is None else str(page.next_offset)
    return Listing(items=[RunCost.model_validate(one) for one in page.items], next_cursor=following)


@router.get("/export.csv", response_class=Response)
def export_costs(costs: CostsDep, wanted: WantedDep, by: By = None) -> StreamingResponse:
    """The groups as a file, by day, spoke, environment, resource and kind unless `by` says otherwise."""
    dimensions = asked.dimensions(by or ("day", "spoke", "environment", "resource", "kind"))
    groups = costs.export(wanted, dimensions)
    headers = {"Content-Disposition": f'attachment; filename="costs-{wanted.since}-{wanted.until}.csv"'}
    moment = costs.as_of()
    if moment is not None:
        headers[AS_OF] = isoformat(moment)
    lines = schemas.as_csv(dimensions, groups)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/budgets")
def list_budgets(response: Response, costs: CostsDep) -> Listing[BudgetState]:
    """Every budget, and how this month stands to it."""
    _stamp(response, costs)
    return Listing(items=[BudgetState.model_validate(one) for one in costs.budgets()])


@router.put("/budgets/{spoke}/{environment}")
def set_budget(
    costs: CostsDep, user: UserDep, spoke: Name, environment: Name, body: BudgetBody
) -> BudgetState:
    """Set what may be spent each month; `*` is for all."""
    found = costs.set_budget(spoke, environment, body.credits, body.warn_at, user.name)
    return BudgetState.model_validate(found)


@router.delete("/budgets/{spoke}/{environment}", status_code=204)
def remove_budget(costs: CostsDep, user: UserDep, spoke: Name, environment: Name) -> None:
    """404 when there is none."""
    costs.remove_budget(spoke, environment, user.name)
