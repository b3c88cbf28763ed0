"""Models: which version serves, and which is better?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.charts.versions import metrics_over_versions
from app.dependencies import HubDep, RegistryDep, SpokesDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context

router = APIRouter()


@router.get("/spokes/{spoke}/models", name="models")
def models(
    request: Request, registry: RegistryDep, spokes: SpokesDep, environment: EnvironmentDep, spoke: Name
) -> HTMLResponse:
    """Each model's versions with metrics, the default one marked."""
    context = spoke_context(spokes, spoke, environment, "models")
    context["models"] = [
        (model, metrics_over_versions(model.versions)) for model in registry.models(spoke, environment.name)
    ]
    return render(request, "pages/models.html", context, environment=environment)


@router.post("/spokes/{spoke}/models/{model}/versions/{version}/promote", name="promote")
def promote(
    registry: RegistryDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    model: Name,
    version: Name,
    environment: Annotated[str, Form()],
) -> RedirectResponse:
    """Make a version the default one."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", registry.start_promote(spoke, name, model, version, actor)))
