"""A spoke: what does this team have, and is it well?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.charts.figure import shown
from app.charts.forecasts import error_over_time, over_time
from app.charts.words import Scale
from app.dependencies import HubDep, OverviewDep, PredictionsDep, SpokesDep
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from services.hub.types import Environment
from services.spokes.service import Spokes
from services.spokes.types import Spoke

router = APIRouter()

TABS = (
    ("overview", "Overview", "/spokes/{}"),
    ("features", "Features", "/spokes/{}/features"),
    ("graphs", "Graphs", "/spokes/{}/graphs"),
    ("models", "Models", "/spokes/{}/models"),
    ("predictions", "Predictions", "/spokes/{}/predictions"),
    ("alerts", "Alerts", "/spokes/{}/alerts"),
)
# Tabs of spokes that declare predictions.
PREDICTING = frozenset({"predictions", "alerts"})


def spoke_context(spokes: Spokes, name: str, environment: Environment, tab: str) -> dict[str, Any]:
    """What every tab shows: the spoke, its tabs, and whether it is onboarded in this environment."""
    spoke: Spoke = spokes.get(name)
    here = next((item for item in spoke.environments if item.environment == environment.name), None)
    predicts = any(item.predictions for item in ([here] if here else spoke.environments))
    tabs = [
        (key, title, path(url, name, environment=environment.name))
        for key, title, url in TABS
        if predicts or key not in PREDICTING
    ]
    return {
        "spoke": spoke,
        "environment": environment,
        "onboarded": here,
        "tabs": tabs,
        "tab": tab,
        "url": next(path(url, name, environment=environment.name) for key, _, url in TABS if key == tab),
        "predicts": predicts,
    }


@router.get("/spokes/{spoke}", name="spoke")
def overview(
    request: Request,
    overview: OverviewDep,
    predictions: PredictionsDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
) -> HTMLResponse:
    """The spoke in one environment: the model's quality, the last runs, freshness."""
    context = spoke_context(spokes, spoke, environment, "overview")
    name = environment.name
    glance = next((row for row in overview.glance(spoke) if row.environment == name), None)
    context.update(glance=glance, evaluations=None, charts=())
    if context["onboarded"] and context["predicts"]:
        contract = predictions.contract(spoke, name).contract
        evaluations = predictions.evaluations(spoke, name)
        context.update(
            contract=contract,
            scale=Scale(contract),
            evaluations=evaluations,
            last=evaluations.items[0] if evaluations.items else None,
            charts=shown(
                over_time(contract, evaluations.items), error_over_time(contract, evaluations.items)
            ),
        )
    return render(request, "pages/spoke.html", context, environment=environment)


@router.post("/spokes/{spoke}/onboard", name="onboard")
def onboard(
    spokes: SpokesDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: Annotated[str, Form()]
) -> RedirectResponse:
    """Give the spoke its schema, roles and grants in an environment."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", spokes.start_onboard(spoke, name, actor)))
