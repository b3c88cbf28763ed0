"""What was predicted, what came of it, and which points will be too full.

Every rate is a fill rate: deliveries of the day by capacity, 1.0 is full.

Functions (`services.predictions`):

- `days(spoke: str, environment: str) -> tuple[date, ...]`: the predicted days, newest first.
- `day(spoke, environment, day: date | None = None) -> PredictionDay`: the newest by default, one row for
  each active PUDO, fullest first; without predictions a PredictionDay with `day=None` and no rows; NotFound
  404 for a day without predictions.
- `history(spoke, environment, pudo_id: str, days: int = 60) -> PointHistory`: oldest day first; NotFound
  404.
- `scored(spoke, environment, days: int = 28) -> tuple[ScoredPrediction, ...]`: what has an actual, of the
  last days.
- `evaluations(spoke, environment, limit: int = 60) -> Evaluations`: evaluated days, newest first, and the
  registered test metrics of the default version.
- `alerts(spoke, environment, day: date | None = None, limit: int = 200) -> tuple[Alert, ...]`: newest day
  first, then fullest.
- `start(spoke, environment, actor: str) -> str`: submits `inference.run`; Conflict 409 with no pending day.
- `start_evaluate(spoke, environment, actor: str) -> str`: submits `predictions.evaluate`; Conflict 409 with
  nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

AlertLevel = Literal["high", "over"]


@dataclass(frozen=True, slots=True)
class Point:
    """A pick-up and drop-off point; degrees, and parcels a day as capacity."""

    pudo_id: str
    name: str
    type: str
    latitude: float
    longitude: float
    capacity: int


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """A point's forecast for the day, and the actual once the evening is in; `error` is the difference."""

    pudo_id: str
    name: str
    type: str
    latitude: float
    longitude: float
    capacity: int
    predicted_fill_rate: float
    actual_fill_rate: float | None = None
    error: float | None = None
    model_version: str | None = None
    predicted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PredictionDay:
    """One day's forecast; `days` are all predicted days, newest first, for the picker."""

    day: date | None
    days: tuple[date, ...]
    rows: tuple[PredictionRow, ...]
    model_version: str | None = None
    predicted_at: datetime | None = None
    alert_threshold: float = 0.85


@dataclass(frozen=True, slots=True)
class DayValue:
    """One day of a point: what was forecast (None before its first forecast) and what was."""

    day: date
    predicted_fill_rate: float | None
    actual_fill_rate: float | None


@dataclass(frozen=True, slots=True)
class PointHistory:
    """A point's last days, oldest first; days before the first forecast have the actual alone."""

    point: Point
    days: tuple[DayValue, ...]


@dataclass(frozen=True, slots=True)
class ScoredPrediction:
    """A forecast, its actual, and the naive forecast of the same knowledge (same weekday last week)."""

    day: date
    pudo_id: str
    type: str
    predicted_fill_rate: float
    actual_fill_rate: float
    naive_fill_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good one day's forecasts were. `bias` is the mean of predicted - actual."""

    day: date
    points: int
    mae: float
    rmse: float
    bias: float
    naive_mae: float | None = None
    mean_predicted: float | None = None
    mean_actual: float | None = None
    alert_precision: float | None = None
    alert_recall: float | None = None
    model_version: str | None = None
    evaluated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegisteredMetrics:
    """The default version's metrics on its test weeks; `naive_mae` is the better naive forecast's."""

    model: str
    version: str
    mae: float
    rmse: float
    naive_mae: float


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Evaluated days, newest first, beside what was promised when the version was registered."""

    items: tuple[Evaluation, ...]
    registered: RegisteredMetrics | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A point forecast at or above the threshold; `level` is over from 1.0 on.

    Open while its day has no actual.
    """

    day: date
    pudo_id: str
    name: str
    type: str
    capacity: int
    predicted_fill_rate: float
    level: AlertLevel
    actual_fill_rate: float | None = None
    open: bool = True
