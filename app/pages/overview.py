"""Overview: is anything wrong? While the example is set up: how far it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.dependencies import ExampleDep, OperationsDep, OverviewDep
from app.pages.frame import ActorDep
from app.pages.operations import children_by_step
from app.pages.render import render, see
from services.core.clock import utc_now
from services.example.service import Example
from services.operations import Operations
from services.operations.types import OperationFilter, OperationView
from services.overview.service import Overview

router = APIRouter()
# How long the overview says where to look first after the set-up.
GREETED = timedelta(hours=1)


@router.get("/", name="home")
def home(
    request: Request, example: ExampleDep, operations: OperationsDep, overview: OverviewDep
) -> HTMLResponse:
    """The spokes at a glance, under the example's set-up while it runs or when it failed."""
    return render(request, "pages/overview.html", context(example, operations, overview))


@router.post("/example", name="start_example")
def start_example(example: ExampleDep, actor: ActorDep) -> RedirectResponse:
    """Set the example up."""
    example.start(actor)
    return see("/")


def context(example: Example, operations: Operations, overview: Overview) -> dict[str, Any]:
    """The context of the overview. The account is not asked while the set-up changes it."""
    setting_up = example.state()
    setup: OperationView | None = None
    if setting_up.operation_id and setting_up.state != "succeeded":
        setup = operations.get(setting_up.operation_id)
    done = operations.get(setting_up.operation_id) if setting_up.operation_id and not setup else None
    under_way = setup is not None and not setup.state.final
    return {
        "example": setting_up,
        "setup": setup,
        "ready": done if done and done.ended_at and utc_now() - done.ended_at < GREETED else None,
        "children": children_by_step(operations, setup) if setup else {},
        "glance": () if under_way else overview.glance(),
        "recent": ()
        if under_way
        else operations.list(OperationFilter(parent="none", routine=False), limit=6).items,
        "url": "/",
    }
