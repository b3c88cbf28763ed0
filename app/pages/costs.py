"""Costs: what does it cost, and where?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.addresses import path
from app.charts import costs as charts
from app.dependencies import CostsDep, HubDep, SpokesDep
from app.limits import MAX_NUMBER, Text
from app.pages.frame import ActorDep
from app.pages.render import render, see
from services.core.errors import Invalid, NotFound
from services.costs import asked
from services.costs.asked import PERIODS, CostFilter
from services.costs.service import SHOWN_PLACES
from services.costs.types import ANY, KINDS, NOBODY, SORTS, STACKS, Kind, PlaceCost

router = APIRouter()
FormText = Annotated[str, Form()]
# The columns of the table of places: how they are sorted by, and their headers.
_COLUMNS = (
    ("place", "Spoke"), ("compute", "Compute"), ("idle", "Idle"), ("serverless", "Serverless"),
    ("container", "Containers"), ("cloud", "Cloud"), ("other", "Other"), ("total", "Credits"),
)  # fmt: skip
_OTHER: tuple[Kind, ...] = ("other", "acceleration", "rest")
# How a budget's state looks: colour, icon, word.
_BUDGETS = {
    "exceeded": ("red", "alert-octagon", "SPENT"),
    "warned": ("orange", "alert-triangle", "NEARLY SPENT"),
    "expected": ("orange", "chart-line", "WILL BE SPENT"),
    "within": ("green", "circle-check", "WITHIN"),
}
# What an address of this page may say, in order.
_NAMES = (
    "period", "since", "until", "spoke", "environment", "resource", "kind", "graph", "stack", "sort",
)  # fmt: skip
_MOST_RUNS = 50


@router.get("/costs", name="costs")
def show(
    request: Request,
    costs: CostsDep,
    spokes: SpokesDep,
    hub: HubDep,
    period: Text = None,
    since: Text = None,
    until: Text = None,
    spoke: Text = None,
    environment: Text = None,
    resource: Text = None,
    kind: Text = None,
    graph: Text = None,
    stack: Text = None,
    sort: Text = None,
    offset: Annotated[int, Query(ge=0, le=MAX_NUMBER)] = 0,
) -> HTMLResponse:
    """This month of everything by default."""
    told = (period, since, until, spoke, environment, resource, kind, graph, stack, sort)
    address = {name: value or None for name, value in zip(_NAMES, told, strict=True)}
    context = _context(costs, spokes, hub, address, offset)
    return render(request, "pages/costs.html", context)


@router.post("/costs/budgets", name="change_budget")
def change_budget(
    request: Request,
    costs: CostsDep,
    spokes: SpokesDep,
    hub: HubDep,
    actor: ActorDep,
    action: FormText = "set",
    spoke: FormText = "",
    environment: FormText = "",
    credits: FormText = "",
    warn_at: FormText = "80",
    back: FormText = "/costs",
) -> Response:
    """Set a budget, or remove it; a warning is typed in per cent. ``*`` is every spoke, or environment."""
    try:
        if not (spoke and environment):
            raise Invalid(
                "A budget is of a spoke and an environment",
                hint=f"Use {ANY} for all of them.",
                code="bad_budget",
            )
        if action == "remove":
            costs.remove_budget(spoke, environment, actor)
        elif action != "set":
            raise Invalid(
                f"Nothing is done to a budget that is called {action!r}",
                hint="Use set or remove.",
                code="bad_budget",
            )
        else:
            costs.set_budget(spoke, environment, _number(credits), _number(warn_at) / 100, actor)
    except (Invalid, NotFound) as refused:
        context = _context(costs, spokes, hub, dict.fromkeys(_NAMES), 0)
        typed = {"spoke": spoke, "environment": environment, "credits": credits, "warn_at": warn_at}
        shown = {**context, "refused": refused, "typed": typed}
        return render(request, "pages/costs.html", shown, status=refused.status)
    return see(back if back.startswith("/costs") else "/costs")


def _context(
    costs: CostsDep, spokes: SpokesDep, hub: HubDep, address: dict[str, str | None], offset: int
) -> dict[str, Any]:
    first, last = asked.period(
        address["period"], _day(address["since"]), _day(address["until"]), costs.today()
    )
    wanted = CostFilter(
        first,
        last,
        address["spoke"],
        address["environment"],
        address["resource"],
        asked.kind(address["kind"]),
        address["graph"],
    )
    stack = next((one for one in STACKS if one == (address["stack"] or "kind")), None)
    if stack is None:
        raise Invalid(
            f"Costs are not stacked by {address['stack']!r}", hint=f"Use one of {', '.join(STACKS)}."
        )
    sort = address["sort"] or "total"
    report = costs.report(wanted, stack, sort, offset)
    runs = costs.runs(wanted, _MOST_RUNS) if wanted.graph else None
    query = {name: value for name, value in address.items() if value}
    return {
        "report": report,
        "runs": runs,
        "chart": charts.trend(report.trend, stack),
        "wanted": wanted,
        "asked": address,
        "query": query,
        "stack": stack,
        "sort": sort,
        "periods": PERIODS,
        "stacks": STACKS,
        "sorts": SORTS,
        "kinds": KINDS,
        "kind_words": charts.KIND_WORDS,
        "nobody": NOBODY,
        "any": ANY,
        "spokes": [(one.name, one.title) for one in spokes.all()],
        "environments": [one.name for one in hub.environments()],
        "offset": offset,
        "shown_places": SHOWN_PLACES,
        "url": path("/costs", **query, offset=offset or None),
        "columns": _COLUMNS,
        "amount_of": _amount,
        "merged": _merged,
        "budget_styles": _BUDGETS,
        "whose": _whose(wanted),
        "refused": None,
        "typed": {"spoke": address["spoke"] or ANY, "environment": ANY, "credits": "", "warn_at": "80"},
    }


def _merged(query: dict[str, str], **other: str | int | None) -> dict[str, str | int | None]:
    """What an address says, but for what it says otherwise."""
    return {**query, **other}


def _amount(place: PlaceCost, column: str) -> Decimal | None:
    """The column's credits of a place, None where there are none."""
    kinds = _OTHER if column == "other" else [kind for kind in KINDS if kind == column]
    amounts = [place.kinds[kind] for kind in kinds if kind in place.kinds]
    return sum(amounts, Decimal(0)) if amounts else None


def _whose(wanted: CostFilter) -> str:
    """Whose month and budget are told."""
    if wanted.spoke == NOBODY or (wanted.spoke is None and wanted.environment is None):
        return ", the account"
    spoke = "all spokes" if wanted.spoke is None else wanted.spoke
    return f", {spoke}{f' {wanted.environment}' if wanted.environment else ''}"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(f"{text!r} is no day", hint="Write it as 2026-01-31.", code="bad_day") from None


def _number(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise Invalid(f"{text!r} is no number", hint="Write it as 12.5.", code="bad_number") from None
