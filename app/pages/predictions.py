"""Predictions and alerts: how full will the points be, and how good were we?"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.charts.city import city_map
from app.charts.figure import shown
from app.charts.forecasts import (
    error_by_type,
    error_by_weekday,
    error_over_time,
    over_time,
    point_history,
    predicted_vs_actual,
)
from app.dependencies import HubDep, PredictionsDep, SpokesDep
from app.limits import Text
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context
from services.core.errors import Invalid

router = APIRouter()
EnvironmentField = Annotated[str, Form()]


@router.get("/spokes/{spoke}/predictions", name="predictions")
def predictions(
    request: Request,
    predictions: PredictionsDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    day: Text = None,
    point: Text = None,
) -> HTMLResponse:
    """A day's forecasts on the map and as a table, one point's history, and how good the forecasts were."""
    context = spoke_context(spokes, spoke, environment, "predictions")
    name = environment.name
    forecast = predictions.day(spoke, name, parse_day(day))
    chosen = point or (forecast.rows[0].pudo_id if forecast.rows else None)
    context.update(forecast=forecast, chosen=chosen, day=day)
    if forecast.rows and chosen:
        evaluations = predictions.evaluations(spoke, name)
        scored = predictions.scored(spoke, name)
        context.update(
            map=city_map(forecast.rows),
            history=point_history(predictions.history(spoke, name, chosen)),
            evaluation=next((item for item in evaluations.items if item.day == forecast.day), None),
            evaluated=len(evaluations.items),
            registered=evaluations.registered,
            charts=shown(over_time(evaluations.items), error_over_time(evaluations.items)),
            detail=shown(predicted_vs_actual(scored), error_by_weekday(scored), error_by_type(scored)),
        )
    return render(request, "pages/predictions.html", context, environment=environment)


@router.get("/spokes/{spoke}/alerts", name="alerts")
def alerts(
    request: Request, predictions: PredictionsDep, spokes: SpokesDep, environment: EnvironmentDep, spoke: Name
) -> HTMLResponse:
    """The points forecast to be too full, newest day first."""
    context = spoke_context(spokes, spoke, environment, "alerts")
    context["alerts"] = predictions.alerts(spoke, environment.name)
    return render(request, "pages/alerts.html", context, environment=environment)


@router.post("/spokes/{spoke}/predictions/run", name="predict")
def predict(
    predictions: PredictionsDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: EnvironmentField
) -> RedirectResponse:
    """Predict the pending day."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", predictions.start(spoke, name, actor)))


@router.post("/spokes/{spoke}/predictions/evaluate", name="evaluate")
def evaluate(
    predictions: PredictionsDep, hub: HubDep, actor: ActorDep, spoke: Name, environment: EnvironmentField
) -> RedirectResponse:
    """Compare forecasts with the actuals that came in."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", predictions.start_evaluate(spoke, name, actor)))


def parse_day(text: str | None) -> date | None:
    """A day as YYYY-MM-DD; Invalid for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text} is no day.", hint="Write it as 2025-06-30.", code="invalid_day") from None
