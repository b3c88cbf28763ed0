"""Forecasts, points, evaluations and alerts."""

from __future__ import annotations

from datetime import date, datetime

from app.schemas.base import Schema
from services.predictions.types import AlertLevel


class Point(Schema):
    """A pick-up and drop-off point."""

    pudo_id: str
    name: str
    type: str
    latitude: float
    longitude: float
    capacity: int


class PredictionRow(Schema):
    """A point's forecast for the day, and the actual once the evening is in."""

    pudo_id: str
    name: str
    type: str
    latitude: float
    longitude: float
    capacity: int
    predicted_fill_rate: float
    actual_fill_rate: float | None
    error: float | None
    model_version: str | None
    predicted_at: datetime | None


class PredictionDay(Schema):
    """One day's forecast."""

    day: date | None
    days: list[date]
    rows: list[PredictionRow]
    model_version: str | None
    predicted_at: datetime | None
    alert_threshold: float


class DayValue(Schema):
    """One day of a point: what was forecast (None before its first forecast) and what was."""

    day: date
    predicted_fill_rate: float | None
    actual_fill_rate: float | None


class PointHistory(Schema):
    """A point's last days, oldest first."""

    point: Point
    days: list[DayValue]


class ScoredPrediction(Schema):
    """A forecast with its actual and the naive forecast made of the same knowledge."""

    day: date
    pudo_id: str
    type: str
    predicted_fill_rate: float
    actual_fill_rate: float
    naive_fill_rate: float | None


class Evaluation(Schema):
    """How good one day's forecasts were."""

    day: date
    points: int
    mae: float
    rmse: float
    bias: float
    naive_mae: float | None
    mean_predicted: float | None
    mean_actual: float | None
    alert_precision: float | None
    alert_recall: float | None
    model_version: str | None
    evaluated_at: datetime | None


class RegisteredMetrics(Schema):
    """The default version's metrics on its test weeks."""

    model: str
    version: str
    mae: float
    rmse: float
    naive_mae: float


class Evaluations(Schema):
    """Evaluated days, newest first, beside what was promised when the version was registered."""

    items: list[Evaluation]
    registered: RegisteredMetrics | None


class Alert(Schema):
    """A point forecast at or above the threshold."""

    day: date
    pudo_id: str
    name: str
    type: str
    capacity: int
    predicted_fill_rate: float
    level: AlertLevel
    actual_fill_rate: float | None
    open: bool
