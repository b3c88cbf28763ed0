"""Predictions and alerts, drawn from the prediction contract: what will happen, and how good were we?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.charts.figure import Chart, shown
from app.charts.forecasts import (
    calibration_of_numbers,
    entity_history,
    error_over_time,
    errors_by,
    over_time,
    predicted_by_actual,
)
from app.charts.places import link, place_map
from app.charts.probabilities import calibration, class_pairs, lift, precision_recall, roc
from app.charts.words import Scale
from app.dependencies import HubDep, PredictionsDep, SpokesDep
from app.limits import Text
from app.pages.frame import ActorDep, EnvironmentDep, pick_environment
from app.pages.render import render, see
from app.pages.spokes import spoke_context
from services.core.errors import Invalid, NotFound
from services.predictions.service import Forecasts
from services.predictions.types import Diagnostics, PredictionPage, Time
from spoke_kit.manifest import PredictionKind

router = APIRouter()
EnvironmentField = Annotated[str, Form()]
PredictionField = Annotated[str | None, Form()]
Keys = Annotated[list[str] | None, Query(alias="key")]
Cursor = Annotated[str | None, Query(max_length=4000)]
DAYS = 28


@router.get("/spokes/{spoke}/predictions", name="predictions")
def predictions(
    request: Request,
    predictions: PredictionsDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    prediction: Text = None,
    day: Text = None,
    time: Text = None,
    key: Keys = None,
    search: Text = None,
    sort: Text = None,
    cursor: Cursor = None,
    threshold: Text = None,
) -> HTMLResponse:
    """One time's predictions as a list and a map, one entity's history, and how good the predictions were."""
    context = spoke_context(spokes, spoke, environment, "predictions")
    name = environment.name
    if not context["onboarded"]:
        return render(request, "pages/predictions.html", {**context, "found": None}, environment=environment)
    found = predictions.page(
        spoke, name, prediction or None,
        day=parse_day(day), time=parse_time(time), search=search or "", sort=sort or "risk", cursor=cursor,
    )  # fmt: skip
    chosen = tuple(key) if key else found.rows[0].key if found.rows else None
    context.update(
        found=found,
        contract=found.prediction.contract,
        scale=Scale(found.prediction.contract),
        chosen=chosen,
        search=search or "",
        sort=sort or "risk",
        cursor=cursor,
        link=link,
        threshold=parse_threshold(threshold),
        # What stays as it is when an entity, a page or an order is chosen.
        asked={"prediction": prediction, "day": day, "time": time, "threshold": threshold},
    )
    if found.time is not None:
        context.update(_shown(predictions, spoke, name, found, chosen, parse_threshold(threshold)))
    return render(request, "pages/predictions.html", context, environment=environment)


@router.get("/spokes/{spoke}/alerts", name="alerts")
def alerts(
    request: Request,
    predictions: PredictionsDep,
    spokes: SpokesDep,
    environment: EnvironmentDep,
    spoke: Name,
    prediction: Text = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """What is predicted at or beyond an alert level, newest first."""
    context = spoke_context(spokes, spoke, environment, "alerts")
    if context["onboarded"]:
        one = predictions.contract(spoke, environment.name, prediction or None)
        found = predictions.alerts(spoke, environment.name, one.name, cursor=cursor, limit=100)
        context.update(one=one, contract=one.contract, scale=Scale(one.contract), alerts=found)
        context.update(prediction=prediction, open=predictions.open_alerts(spoke, environment.name))
    return render(request, "pages/alerts.html", context, environment=environment)


@router.post("/spokes/{spoke}/predictions/run", name="predict")
def predict(
    predictions: PredictionsDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    environment: EnvironmentField,
    prediction: PredictionField = None,
) -> RedirectResponse:
    """Predict the pending day."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", predictions.start(spoke, name, actor, prediction or None)))


@router.post("/spokes/{spoke}/predictions/evaluate", name="evaluate")
def evaluate(
    predictions: PredictionsDep,
    hub: HubDep,
    actor: ActorDep,
    spoke: Name,
    environment: EnvironmentField,
    prediction: PredictionField = None,
) -> RedirectResponse:
    """Compare predictions with the actuals that came in."""
    name = pick_environment(hub, environment).name
    return see(path("/operations/{}", predictions.start_evaluate(spoke, name, actor, prediction or None)))


def parse_day(text: str | None) -> date | None:
    """A day as YYYY-MM-DD; Invalid for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text} is no day.", hint="Write it as 2025-06-30.", code="invalid_day") from None


def parse_time(text: str | None) -> datetime | None:
    """A moment as YYYY-MM-DDTHH:MM; Invalid for anything else."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"{text} is no time.", hint="Write it as 2025-06-30T14:00.", code="invalid_time"
        ) from None


def parse_threshold(text: str | None) -> float | None:
    """A probability between 0 and 1; Invalid for anything else."""
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1:
        raise Invalid(
            f"{text} is no threshold.",
            hint="Write a number between 0 and 1, as 0.3.",
            code="invalid_threshold",
        )
    return found


def _shown(
    predictions: Forecasts,
    spoke: str,
    environment: str,
    found: PredictionPage,
    chosen: tuple[str, ...] | None,
    threshold: float | None,
) -> dict[str, Any]:
    """The charts, and what was promised and came."""
    name, contract = found.prediction.name, found.prediction.contract
    evaluations = predictions.evaluations(spoke, environment, name)
    diagnostics = predictions.diagnostics(spoke, environment, name, days=DAYS, threshold=threshold)
    drawn: dict[str, Any] = {
        "evaluated": len({item.day for item in evaluations.items}),
        "registered": evaluations.registered,
        "charts": shown(over_time(contract, evaluations.items), error_over_time(contract, evaluations.items)),
        "detail": _detail(found, diagnostics),
        "diagnostics": diagnostics,
        "map": None,
        "history": None,
    }
    time: Time | None = found.time
    if contract.place is not None and time is not None:
        places = predictions.places(spoke, environment, name, time)
        drawn["map"] = place_map(contract, places, found.totals) if places else None
    if chosen is not None:
        try:
            drawn["history"] = entity_history(predictions.history(spoke, environment, chosen, name))
        except NotFound:
            drawn["history"] = None
    return drawn


def _detail(found: PredictionPage, diagnostics: Diagnostics) -> tuple[Chart, ...]:
    contract = found.prediction.contract
    by_part = errors_by(contract, diagnostics.parts)
    if contract.kind is PredictionKind.BINARY:
        scores, confusion = diagnostics.scores, diagnostics.confusion
        curves = (roc(scores, confusion), precision_recall(scores, confusion), lift(scores))
        return shown(calibration(diagnostics.calibration), *curves, *by_part)
    if contract.kind is PredictionKind.MULTICLASS:
        return shown(class_pairs(diagnostics.classes), *by_part)
    cells = diagnostics.cells
    return shown(predicted_by_actual(contract, cells), *by_part, calibration_of_numbers(contract, cells))
