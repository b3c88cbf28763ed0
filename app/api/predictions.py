"""REST: a spoke's forecasts, how good they were, and the points that will be too full."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, PredictionsDep, SpokesDep, SubmitDep
from app.limits import Limit, Text
from app.schemas.base import Listing
from app.schemas.predictions import (
    Alert,
    Evaluation,
    PointHistory,
    PredictionRow,
    RegisteredMetrics,
    ScoredPrediction,
)

router = APIRouter(tags=["predictions"])
_SPOKE = "/spokes/{spoke}"


class PredictionListing(Listing[PredictionRow]):
    """One day's forecasts, fullest point first; ``days`` are all predicted days, newest first."""

    day: date | None
    days: list[date]
    model_version: str | None
    predicted_at: datetime | None
    alert_threshold: float


class EvaluationListing(Listing[Evaluation]):
    """The evaluated days, newest first, beside the default version's metrics on its test weeks."""

    registered: RegisteredMetrics | None


class AlertOfSpoke(Alert):
    """An alert and whose it is."""

    spoke: str
    environment: str


class PredictionRequest(Target):
    """``days``: forecast these again; by default the earliest pending one.

    ``wait``: for the end of a run that executes already, instead of 409.
    """

    days: list[date] = []
    wait: bool = False


@router.get(_SPOKE + "/predictions")
def get_predictions(
    predictions: PredictionsDep, spoke: Name, environment: EnvironmentDep, day: date | None = None
) -> PredictionListing:
    """The latest day by default: one row for each active point."""
    found = predictions.day(spoke, environment, day)
    return PredictionListing(
        items=[PredictionRow.model_validate(row) for row in found.rows],
        day=found.day,
        days=list(found.days),
        model_version=found.model_version,
        predicted_at=found.predicted_at,
        alert_threshold=found.alert_threshold,
    )


@router.post(_SPOKE + "/predictions", status_code=202, response_model=None)
def predict(
    hub: HubDep,
    predictions: PredictionsDep,
    submit: SubmitDep,
    spoke: Name,
    body: PredictionRequest | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Run the inference graph; 409 with no pending day."""
    sent = body or PredictionRequest()
    where = pick(hub, sent.environment, environment)
    params: dict[str, Any] = {**predictions.parameters(spoke, where), "wait": sent.wait}
    return submit("inference.run", {**params, "days": sent.days} if sent.days else params)


@router.get(_SPOKE + "/predictions/scored")
def get_scored(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    days: Annotated[int, Query(ge=1, le=365)] = 28,
) -> Listing[ScoredPrediction]:
    """The forecasts of the last days that have an actual, with the naive forecast of the same knowledge."""
    found = predictions.scored(spoke, environment, days)
    return Listing(items=[ScoredPrediction.model_validate(item) for item in found])


@router.get(_SPOKE + "/points/{pudo_id}/history")
def get_history(
    predictions: PredictionsDep,
    spoke: Name,
    pudo_id: Name,
    environment: EnvironmentDep,
    days: Annotated[int, Query(ge=1, le=730)] = 60,
) -> PointHistory:
    """A point's last days, oldest first."""
    return PointHistory.model_validate(predictions.history(spoke, environment, pudo_id, days))


@router.get(_SPOKE + "/evaluations")
def get_evaluations(
    predictions: PredictionsDep, spoke: Name, environment: EnvironmentDep, limit: Limit = 60
) -> EvaluationListing:
    """How good each day's forecasts were, and what was promised when the version was registered."""
    found = predictions.evaluations(spoke, environment, limit)
    registered = RegisteredMetrics.model_validate(found.registered) if found.registered else None
    return EvaluationListing(
        items=[Evaluation.model_validate(item) for item in found.items], registered=registered
    )


@router.post(_SPOKE + "/evaluations", status_code=202, response_model=None)
def evaluate(
    hub: HubDep,
    submit: SubmitDep,
    spoke: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Write the actuals beside the forecasts; 409 with nothing to do."""
    where = pick(hub, body.environment if body else None, environment)
    return submit("predictions.evaluate", {"spoke": spoke, "environment": where})


@router.get(_SPOKE + "/alerts")
def get_alerts(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    day: date | None = None,
    limit: Limit = 200,
) -> Listing[Alert]:
    """The points forecast at or above the threshold, newest day first, then fullest."""
    found = predictions.alerts(spoke, environment, day, limit)
    return Listing(items=[Alert.model_validate(item) for item in found])


@router.get("/alerts")
def list_alerts(
    hub: HubDep,
    spokes: SpokesDep,
    predictions: PredictionsDep,
    spoke: Text = None,
    environment: EnvironmentText = None,
    limit: Limit = 200,
) -> Listing[AlertOfSpoke]:
    """The open alerts of every spoke and environment, newest day first, then fullest."""
    wanted = hub.declared.environment(environment).name if environment else None
    if spoke is not None:
        spokes.get(spoke)
    found = [
        AlertOfSpoke(spoke=scope.spoke, environment=scope.environment, **asdict(alert))
        for scope in spokes.onboarded()
        if spoke in (None, scope.spoke) and wanted in (None, scope.environment)
        for alert in predictions.alerts(scope.spoke, scope.environment, None, limit)
        if alert.open
    ]
    found.sort(key=lambda one: (-one.day.toordinal(), -one.predicted_fill_rate, one.pudo_id))
    return Listing(items=found[:limit])
