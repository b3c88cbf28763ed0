"""Hub: does the account match what was declared?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import path
from app.dependencies import HubDep, SharedFeaturesDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from services.core.errors import NotFound

# Statements that a page can hold and somebody can read.
MOST_DIFFERENT = 50
router = APIRouter()


@router.get("/hub", name="hub")
def hub(
    request: Request,
    hub: HubDep,
    features: SharedFeaturesDep,
    environment: EnvironmentDep,
    spoke: Annotated[str | None, Query(description="show the objects of this spoke, not the hub's")] = None,
) -> HTMLResponse:
    """The plan: what is there, what is missing, what nobody declared; and the features that it has for all spokes."""
    plan = hub.plan()
    spoke = spoke or None
    if spoke is not None and spoke not in {place.spoke for place in plan.places}:
        raise NotFound(f"No spoke {spoke} is onboarded", hint="The hub's page lists those that are.")
    different = plan.different if spoke is None else [item for item in plan.different if item.spoke == spoke]
    context = {
        "plan": plan,
        "spoke": spoke,
        "different": different[:MOST_DIFFERENT],
        "hidden": max(len(different) - MOST_DIFFERENT, 0),
        "present": [item for item in plan.of(spoke) if item.state == "present"],
        "views": features.views(environment.name, shapes=False),
        "url": "/hub",
    }
    return render(request, "pages/hub.html", context, environment=environment)


@router.post("/hub/features/deploy", name="deploy_shared_features")
def deploy_features(
    hub: HubDep, features: SharedFeaturesDep, actor: ActorDep, environment: Annotated[str, Form()]
) -> RedirectResponse:
    """Deploy the shared feature views."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", features.start_deploy(name, actor)))


@router.post("/hub/apply", name="apply_hub")
def apply(hub: HubDep, actor: ActorDep) -> RedirectResponse:
    """Create and change what the plan says."""
    return see(path("/operations/{}", hub.start_apply(actor)))
