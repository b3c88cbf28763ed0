"""REST: a spoke's forecasts, how good they were, and the points that will be too full."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.parameters import EnvironmentDep, EnvironmentText, Limit, Target, pick
from app.dependencies import ServicesDep, SubmitDep
from app.schemas.base import Listing
from app.schemas.predictions import (
    Alert,
    Evaluation,
    PointHistory,
    PredictionRow,
    RegisteredMetrics,
    ScoredPrediction,
)

router = APIRouter(prefix="/spokes/{spoke}", tags=["predictions"])


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


class PredictionRequest(Target):
    """``days``: forecast these again; by default the earliest pending one."""

    days: list[date] = []


@router.get("/predictions")
def get_predictions(
    services: ServicesDep, spoke: str, environment: EnvironmentDep, day: date | None = None
) -> PredictionListing:
    """The latest day by default: one row for each active point."""
    found = services.predictions.day(spoke, environment, day)
    return PredictionListing(
        items=[PredictionRow.model_validate(row) for row in found.rows],
        day=found.day,
        days=list(found.days),
        model_version=found.model_version,
        predicted_at=found.predicted_at,
        alert_threshold=found.alert_threshold,
    )


@router.post("/predictions", status_code=202, response_model=None)
def predict(
    request: Request,
    submit: SubmitDep,
    spoke: str,
    body: PredictionRequest | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Run the inference graph; 409 with no pending day."""
    sent = body or PredictionRequest()
    params = {"spoke": spoke, "environment": pick(request, sent.environment, environment)}
    return submit("inference.run", {**params, "days": sent.days} if sent.days else params)


@router.get("/predictions/scored")
def get_scored(
    services: ServicesDep,
    spoke: str,
    environment: EnvironmentDep,
    days: Annotated[int, Query(ge=1, le=365)] = 28,
) -> Listing[ScoredPrediction]:
    """The forecasts of the last days that have an actual, with the naive forecast of the same knowledge."""
    found = services.predictions.scored(spoke, environment, days)
    return Listing(items=[ScoredPrediction.model_validate(item) for item in found])


@router.get("/points/{pudo_id}/history")
def get_history(
    services: ServicesDep,
    spoke: str,
    pudo_id: str,
    environment: EnvironmentDep,
    days: Annotated[int, Query(ge=1, le=730)] = 60,
) -> PointHistory:
    """A point's last days, oldest first."""
    return PointHistory.model_validate(services.predictions.history(spoke, environment, pudo_id, days))


@router.get("/evaluations")
def get_evaluations(
    services: ServicesDep, spoke: str, environment: EnvironmentDep, limit: Limit = 60
) -> EvaluationListing:
    """How good each day's forecasts were, and what was promised when the version was registered."""
    found = services.predictions.evaluations(spoke, environment, limit)
    registered = RegisteredMetrics.model_validate(found.registered) if found.registered else None
    return EvaluationListing(
        items=[Evaluation.model_validate(item) for item in found.items], registered=registered
    )


@router.post("/evaluations", status_code=202, response_model=None)
def evaluate(
    request: Request,
    submit: SubmitDep,
    spoke: str,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Write the actuals beside the forecasts; 409 with nothing to do."""
    where = pick(request, body.environment if body else None, environment)
    return submit("predictions.evaluate", {"spoke": spoke, "environment": where})


@router.get("/alerts")
def get_alerts(
    services: ServicesDep,
    spoke: str,
    environment: EnvironmentDep,
    day: date | None = None,
    limit: Limit = 200,
) -> Listing[Alert]:
    """The points forecast at or above the threshold, newest day first, then fullest."""
    found = services.predictions.alerts(spoke, environment, day, limit)
    return Listing(items=[Alert.model_validate(item) for item in found])
