"""Hub: does the account match what was declared?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import path
from app.dependencies import HubDep, SharedFeaturesDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see

router = APIRouter()


@router.get("/hub", name="hub")
def hub(
    request: Request, hub: HubDep, features: SharedFeaturesDep, environment: EnvironmentDep
) -> HTMLResponse:
    """The plan: what is there, what is missing, what nobody declared; and the features that it has for all spokes."""
    context = {"plan": hub.plan(), "views": features.views(environment.name, shapes=False), "url": "/hub"}
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
