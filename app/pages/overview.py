"""Overview: is anything wrong? While the example is set up: how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import path
from app.dependencies import ExampleDep, OperationsDep, OverviewDep
from app.limits import Text
from app.pages.frame import ActorDep
from app.pages.operations import children_by_step
from app.pages.render import render, see
from services.core.clock import utc_now
from services.example.service import Example
from services.operations import Operations
from services.operations.types import OperationFilter, OperationView
from services.overview.service import Overview
from services.overview.types import SpokeGlance

router = APIRouter()
# How long the overview says where to look first after the set-up.
GREETED = timedelta(hours=1)
# The worst come first; more lines are a click away.
MOST_LINES = 50
_ALL = "all"


@router.get("/", name="home")
def home(
    request: Request,
    example: ExampleDep,
    operations: OperationsDep,
    overview: OverviewDep,
    environment: Text = None,
    lines: Text = None,
) -> HTMLResponse:
    """The spokes at a glance, under the example's set-up while it runs or when it failed."""
    shown = context(example, operations, overview, environment or None, lines == _ALL)
    return render(request, "pages/overview.html", shown)


@router.post("/example", name="start_example")
def start_example(example: ExampleDep, actor: ActorDep) -> RedirectResponse:
    """Set the example up."""
    example.start(actor)
    return see("/")


def context(
    example: Example,
    operations: Operations,
    overview: Overview,
    environment: str | None = None,
    whole: bool = False,
) -> dict[str, Any]:
    """The context of the overview, of one environment or of all.

    The account is not asked while the set-up changes it.
    """
    setting_up = example.state()
    setup: OperationView | None = None
    if setting_up.operation_id and setting_up.state != "succeeded":
        setup = operations.get(setting_up.operation_id)
    done = operations.get(setting_up.operation_id) if setting_up.operation_id and not setup else None
    under_way = setup is not None and not setup.state.final
    glance = () if under_way else overview.glance()
    inside = tuple(row for row in glance if environment in (None, row.environment))
    shared = {} if under_way else overview.hub_failures()
    hub = sum(count for name, count in shared.items() if environment in (None, name))
    return {
        "example": setting_up,
        "setup": setup,
        "ready": done if done and done.ended_at and utc_now() - done.ended_at < GREETED else None,
        "children": children_by_step(operations, setup) if setup else {},
        "glance": glance,
        "sum": summed(inside, hub),
        "shown": inside if whole else inside[:MOST_LINES],
        "lines": inside,
        "places": places(glance, environment),
        "all_url": path("/", environment=environment, lines=_ALL),
        "recent": ()
        if under_way
        else operations.list(OperationFilter(parent="none", routine=False), limit=6).items,
        "url": "/",
    }


@dataclass(frozen=True, slots=True)
class Sum:
    """What is wrong in these lines: groups of failures that are open and in how many lines, and lines of each fault.

    ``hub`` are open failures of what the hub shares, which are in no line.
    """

    failures: int
    hub: int
    failing: int
    late: int
    slow: int
    alerts: int

    @property
    def well(self) -> bool:
        """Nothing of it."""
        return not (self.failures or self.hub or self.late or self.slow or self.alerts)


def summed(rows: Sequence[SpokeGlance], hub: int) -> Sum:
    """The answer of the page."""
    return Sum(
        sum(row.open_failures for row in rows),
        hub,
        sum(row.open_failures > 0 for row in rows),
        sum(is_late(row) for row in rows),
        sum(is_slow(row) for row in rows),
        sum(row.open_alerts for row in rows),
    )


def is_late(row: SpokeGlance) -> bool:
    """Its oldest feature view is older than its target."""
    lag, target = row.features_lag_seconds, row.features_target_seconds
    return bool(target) and lag is not None and target is not None and lag > target


def is_slow(row: SpokeGlance) -> bool:
    """Its slowest graph takes half as long again as before."""
    return bool(row.run_p50 and row.baseline_p50 and row.run_p50 > 1.5 * row.baseline_p50)


def places(rows: Sequence[SpokeGlance], chosen: str | None) -> list[tuple[str, int, str, bool]]:
    """Environments to choose from, when there are several: title, lines, address, whether it is chosen."""
    names = sorted({row.environment for row in rows} | ({chosen} if chosen else set()))
    if len(names) < 2:
        return []
    counts = Counter(row.environment for row in rows)
    return [("All", len(rows), "/", chosen is None)] + [
        (name, counts[name], path("/", environment=name), name == chosen) for name in names
    ]
