"""REST: a spoke's predictions, how good they were, where they are wrong, and what they warn of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.addresses import MAX_NAME, Name
from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, PredictionsDep, SpokesDep, SubmitDep
from app.limits import Limit, SentName, Text
from app.schemas.base import Listing
from app.schemas.predictions import (
    AlertOfSpoke,
    AlertPage,
    Diagnostics,
    EntityHistory,
    Evaluations,
    PlacedRow,
    PredictionPage,
    PredictionRow,
)

router = APIRouter(tags=["predictions"])
_SPOKE = "/spokes/{spoke}"

PredictionText = Annotated[
    str | None,
    Query(
        alias="prediction",
        max_length=MAX_NAME,
        description="By default the first one that the spoke declares.",
    ),
]
Cursor = Annotated[str | None, Query(max_length=4000, description="next_cursor of the page before.")]
Keys = Annotated[
    list[str], Query(alias="key", description="The entity's key values in order, each as its own key=….")
]
Days = Annotated[int, Query(ge=1, le=365)]


class PredictionTarget(Target):
    """The body of a request about one prediction, by default the first declared one."""

    prediction: SentName | None = None


class PredictionRequest(PredictionTarget):
    """``days``: predict these again; by default the earliest pending one.

    ``wait``: for the end of a run that executes already, instead of 409.
    """

    days: list[date] = []
    wait: bool = False


@router.get(_SPOKE + "/predictions")
def get_predictions(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    day: date | None = None,
    time: datetime | None = None,
    search: Text = None,
    sort: Literal["risk", "label", "error"] = "risk",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PredictionPage:
    """The newest time by default, by risk; 404 when the spoke declares no predictions."""
    found = predictions.page(
        spoke, environment, prediction,
        day=day, time=time, search=search or "", sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip
    return PredictionPage.model_validate(found)


@router.post(_SPOKE + "/predictions", status_code=202, response_model=None)
def predict(
    hub: HubDep,
    predictions: PredictionsDep,
    submit: SubmitDep,
    spoke: Name,
    body: PredictionRequest | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Run the graph that predicts; 409 with nothing to predict."""
    sent = body or PredictionRequest()
    where = pick(hub, sent.environment, environment)
    params: dict[str, Any] = {**predictions.parameters(spoke, where, sent.prediction), "wait": sent.wait}
    return submit("inference.run", {**params, "days": sent.days} if sent.days else params)


@router.get(_SPOKE + "/predictions/scored")
def get_scored(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    days: Days = 28,
    cursor: Cursor = None,
    limit: Limit = 1000,
) -> Listing[PredictionRow]:
    """The predictions of the last days that have an actual, newest first, page by page."""
    found, following = predictions.scored(
        spoke, environment, prediction, days=days, cursor=cursor, limit=limit
    )
    return Listing(items=[PredictionRow.model_validate(item) for item in found], next_cursor=following)


@router.get(_SPOKE + "/predictions/places")
def get_places(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    day: date | None = None,
    time: datetime | None = None,
) -> Listing[PlacedRow]:
    """The riskiest places of one time, by default the newest; at most 1,500."""
    found = predictions.page(spoke, environment, prediction, day=day, time=time, limit=1)
    places = () if found.time is None else predictions.places(spoke, environment, prediction, found.time)
    return Listing(items=[PlacedRow.model_validate(place) for place in places])


@router.get(_SPOKE + "/predictions/diagnostics")
def get_diagnostics(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    days: Days = 28,
    threshold: Annotated[float | None, Query(gt=0, lt=1)] = None,
) -> Diagnostics:
    """Where the predictions of the last days were wrong; ``threshold`` is the contract's by default."""
    found = predictions.diagnostics(spoke, environment, prediction, days=days, threshold=threshold)
    return Diagnostics.model_validate(found)


@router.get(_SPOKE + "/entities/history")
def get_history(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    key: Keys,
    prediction: PredictionText = None,
    limit: Limit = 60,
) -> EntityHistory:
    """An entity's last times, oldest first."""
    return EntityHistory.model_validate(predictions.history(spoke, environment, key, prediction, limit))


@router.get(_SPOKE + "/evaluations")
def get_evaluations(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    limit: Limit = 60,
) -> Evaluations:
    """How good each day's predictions were, and what was promised when the version was registered."""
    return Evaluations.model_validate(predictions.evaluations(spoke, environment, prediction, limit))


@router.post(_SPOKE + "/evaluations", status_code=202, response_model=None)
def evaluate(
    hub: HubDep,
    submit: SubmitDep,
    spoke: Name,
    body: PredictionTarget | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Write the actuals beside the predictions; 409 with nothing to do."""
    sent = body or PredictionTarget()
    params = {"spoke": spoke, "environment": pick(hub, sent.environment, environment)}
    if sent.prediction is not None:
        params["prediction"] = sent.prediction
    return submit("predictions.evaluate", params)


@router.get(_SPOKE + "/alerts")
def get_alerts(
    predictions: PredictionsDep,
    spoke: Name,
    environment: EnvironmentDep,
    prediction: PredictionText = None,
    day: date | None = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> AlertPage:
    """Predictions at or beyond an alert level, newest first, then by risk; none without predictions."""
    found = predictions.alerts(spoke, environment, prediction, day=day, cursor=cursor, limit=limit)
    return AlertPage.model_validate(found)


@router.get("/alerts")
def list_alerts(
    hub: HubDep,
    spokes: SpokesDep,
    predictions: PredictionsDep,
    spoke: Text = None,
    environment: EnvironmentText = None,
    limit: Limit = 200,
) -> Listing[AlertOfSpoke]:
    """The open alerts of every spoke and environment, newest first; of one time in the order of their risk."""
    wanted = hub.declared.environment(environment).name if environment else None
    if spoke is not None:
        spokes.get(spoke)
    found = [
        AlertOfSpoke(spoke=scope.spoke, environment=scope.environment, **asdict(alert))
        for scope in spokes.onboarded()
        if spoke in (None, scope.spoke) and wanted in (None, scope.environment)
        for name in predictions.declared(scope.spoke, scope.environment)
        for alert in predictions.alerts(
            scope.spoke, scope.environment, name, only_open=True, limit=limit
        ).items
    ]
    # The sort is stable: what comes of one list stays in its order.
    found.sort(key=lambda one: one.time.isoformat(), reverse=True)
    return Listing(items=found[:limit])
