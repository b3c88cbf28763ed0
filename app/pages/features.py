"""Features: which features, which version, how fresh?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.dependencies import FeaturesDep, HubDep, SpokesDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context

router = APIRouter()


@router.get("/spokes/{spoke}/features", name="features")
def features(
    request: Request, features: FeaturesDep, spokes: SpokesDep, environment: EnvironmentDep, spoke: Name
) -> HTMLResponse:
    """The feature views with their columns, freshness and SQL."""
    context = spoke_context(spokes, spoke, environment, "features")
    context["views"] = features.views(spoke, environment.name)
    return render(request, "pages/features.html", context, environment=environment)


@router.post("/spokes/{spoke}/features/deploy", name="deploy_features")
def deploy(
    features: FeaturesDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: Annotated[str, Form()]
) -> RedirectResponse:
    """Deploy the declared feature views."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", features.start_deploy(spoke, name, actor)))
