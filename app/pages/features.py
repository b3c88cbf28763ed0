"""Features: which features, which version, how fresh, how well?"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.dependencies import FeatureHealthDep, FeaturesDep, HubDep, SpokesDep
from app.limits import Text
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context
from services.features.health import STATES

router = APIRouter()
SHOWN = 50


@router.get("/health/features", name="feature_health")
def feature_health(
    request: Request,
    health: FeatureHealthDep,
    hub: HubDep,
    spokes: SpokesDep,
    spoke: Text = None,
    environment: Text = None,
    state: Text = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """The feature views of all spokes and environments, the worst first."""
    asked = {"spoke": spoke or None, "environment": environment or None, "state": state or None}
    found = health.views(asked["spoke"], asked["environment"])
    fitting = [view for view in found.items if asked["state"] in (None, view.state)]
    context = {
        "views": fitting[(page - 1) * SHOWN : page * SHOWN],
        "all": len(found.items),
        "fitting": len(fitting),
        "counts": Counter(view.state for view in found.items),
        "states": STATES,
        "not_read": found.unread,
        "asked": asked,
        "page": page,
        "pages": max(1, -(-len(fitting) // SHOWN)),
        "spokes": [(one.name, one.title) for one in spokes.all()],
        "environments": [one.name for one in hub.environments()],
        "url": path("/health/features", **asked, page=page if page > 1 else None),
    }
    return render(request, "pages/feature_health.html", context)


@router.get("/spokes/{spoke}/features", name="features")
def features(
    request: Request,
    features: FeaturesDep,
    health: FeatureHealthDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
) -> HTMLResponse:
    """The feature views with their columns, freshness and SQL."""
    context = spoke_context(spokes, spoke, environment, "features")
    context["views"] = features.views(spoke, environment.name)
    found = health.views(spoke, environment.name).items if context["views"] else ()
    context["health"] = {(view.name, view.version): view for view in found}
    return render(request, "pages/features.html", context, environment=environment)


@router.post("/spokes/{spoke}/features/deploy", name="deploy_features")
def deploy(
    features: FeaturesDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: Annotated[str, Form()]
) -> RedirectResponse:
    """Deploy the declared feature views."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", features.start_deploy(spoke, name, actor)))


@router.post("/spokes/{spoke}/features/profile", name="profile_features")
def profile(
    health: FeatureHealthDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    environment: Annotated[str, Form()],
    view: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Count the columns of all feature views, or of one."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", health.start_profile(spoke, name, actor, view or None)))
