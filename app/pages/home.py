"""Overview: is anything wrong? While the example is set up: how far it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.pages.frame import ActorDep, ServicesDep
from app.pages.operations import children_by_step
from app.pages.ports import Services
from app.pages.render import render, see
from services.core.clock import utc_now
from services.operations.types import OperationFilter, OperationView

router = APIRouter()
# How long the overview says where to look first after the set-up.
GREETED = timedelta(hours=1)


@router.get("/", name="home")
def home(request: Request, services: ServicesDep) -> HTMLResponse:
    """The spokes at a glance, under the example's set-up while it runs or when it failed."""
    return render(request, "pages/home.html", overview(services))


@router.post("/example", name="start_example")
def start_example(services: ServicesDep, actor: ActorDep) -> RedirectResponse:
    """Set the example up."""
    services.example.start(actor)
    return see("/")


def overview(services: Services) -> dict[str, Any]:
    """The context of the overview. The account is not asked while the set-up changes it."""
    example = services.example.state()
    setup: OperationView | None = None
    if example.operation_id and example.state != "succeeded":
        setup = services.operations.get(example.operation_id)
    done = services.operations.get(example.operation_id) if example.operation_id and not setup else None
    under_way = setup is not None and not setup.state.final
    return {
        "example": example,
        "setup": setup,
        "ready": done if done and done.ended_at and utc_now() - done.ended_at < GREETED else None,
        "children": children_by_step(services, setup) if setup else {},
        "glance": () if under_way else services.spokes.glance(),
        "recent": ()
        if under_way
        else services.operations.list(OperationFilter(parent="none"), limit=6).items,
        "url": "/",
    }
