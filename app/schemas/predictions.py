"""Predictions, evaluations, diagnostics and alerts, by the roles of the prediction contract.

`key` are the entity's key values as text, in the contract's order. A time is a day, or a moment without zone
where the contract's grain is the hour. What each number means is said in `services/predictions/types.py`.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field, computed_field

from app.schemas.base import Listing, Schema
from spoke_kit.manifest import Prediction

Time = datetime | date
Value = float | str
Plain = bool | int | float | str | None


class PredictionRow(Schema):
    """One prediction, and the actual once it is known; `error` is predicted less actual."""

    key: tuple[str, ...]
    label: str
    time: Time
    predicted: Value
    actual: Value | None
    error: float | None
    naive: Value | None
    lower: float | None
    upper: float | None
    level: str | None
    groups: dict[str, str | None]
    features: dict[str, Plain]
    model_version: str | None
    made_at: datetime | None


class Totals(Schema):
    """All predictions of one time: counted and averaged, whatever page is shown."""

    n: int
    matched: int
    placed: int
    scored: int
    mean_predicted: float | None
    mean_actual: float | None
    loss: float | None
    naive_loss: float | None
    bias: float | None
    levels: dict[str, int]
    open_alerts: int
    model_version: str | None
    model_versions: int
    made_at: datetime | None


class Declared(Schema):
    """A prediction: its name in the manifest and its contract; `names` are all that the spoke declares."""

    name: str
    contract: Prediction
    names: tuple[str, ...]


class Problem(Schema):
    """Why the rows of the account could not be read: `code` is that of the error."""

    message: str
    code: str
    hint: str | None
    detail: dict[str, str] | None


class PredictionPage(Listing[PredictionRow]):
    """A page of one time's predictions; `days` are the newest predicted days, `times` those of the day.

    `as_of` is when they were read from the account; `problem` says why they were not since.
    """

    items: list[PredictionRow] = Field(validation_alias="rows")
    prediction: Declared
    days: list[date]
    times: list[datetime]
    time: Time | None
    totals: Totals
    as_of: datetime | None
    problem: Problem | None

    @computed_field
    def day(self) -> date | None:
        """The day of the time."""
        return self.time.date() if isinstance(self.time, datetime) else self.time


class PlacedRow(Schema):
    """One prediction on the map: degrees."""

    key: tuple[str, ...]
    label: str
    latitude: float
    longitude: float
    predicted: Value
    actual: Value | None
    size: float | None
    groups: dict[str, str | None]


class HistoryValue(Schema):
    """One time of an entity: what was predicted (None before its first prediction) and what was."""

    time: Time
    predicted: Value | None
    actual: Value | None
    naive: Value | None
    lower: float | None
    upper: float | None


class EntityHistory(Schema):
    """An entity's last times, oldest first."""

    prediction: Declared
    key: tuple[str, ...]
    label: str
    groups: dict[str, str | None]
    features: dict[str, Plain]
    values: list[HistoryValue]


class Evaluation(Schema):
    """How good one day's predictions of one model version were; None is what the kind does not have."""

    day: date
    model_version: str | None
    n: int
    loss: float | None
    naive_loss: float | None
    mean_predicted: float | None
    mean_actual: float | None
    mae: float | None
    rmse: float | None
    bias: float | None
    naive_mae: float | None
    coverage: float | None
    alert_precision: float | None
    alert_recall: float | None
    log_loss: float | None
    naive_log_loss: float | None
    brier: float | None
    auc: float | None
    calibration_error: float | None
    base_rate: float | None
    accuracy: float | None
    naive_accuracy: float | None


class RegisteredMetrics(Schema):
    """The default version's metrics as logged; `value` is that of the metric by which versions are compared."""

    model: str
    version: str
    metric: str
    value: float | None
    naive: float | None
    metrics: dict[str, float]


class Evaluations(Listing[Evaluation]):
    """The evaluated days, newest first, beside the default version's metrics."""

    registered: RegisteredMetrics | None


class Part(Schema):
    """The predictions of one value of one breakdown: weekday (1 is Monday), hour, or a group's column."""

    by: str
    value: str | None
    n: int
    loss: float | None
    naive_loss: float | None
    bias: float | None


class Cell(Schema):
    """Predictions near each other in predicted and actual: number, weight and means."""

    n: int
    weight: float
    predicted: float
    actual: float


class ScoreBin(Schema):
    """Predictions of neighbouring probabilities; `positive` is the weight of those that came true."""

    n: int
    low: float
    high: float
    weight: float
    predicted: float
    positive: float


class Confusion(Schema):
    """Weights at a threshold."""

    threshold: float
    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float


class ClassPair(Schema):
    """How many of an actual class were predicted as a class."""

    actual: str
    predicted: str
    n: int


class Diagnostics(Schema):
    """Of the predictions with an actual of the `days` days up to `last_day`."""

    prediction: Declared
    days: int
    last_day: date | None
    n: int
    parts: list[Part]
    cells: list[Cell]
    calibration: list[ScoreBin]
    scores: list[ScoreBin]
    confusion: Confusion | None
    classes: list[ClassPair]


class Alert(Schema):
    """A prediction at or beyond an alert level; open while its actual is not known."""

    prediction: str
    key: tuple[str, ...]
    label: str
    time: Time
    predicted: float
    level: str
    actual: float | None
    open: bool
    groups: dict[str, str | None]


class AlertPage(Listing[Alert]):
    """Newest time first, then by risk."""


class AlertOfSpoke(Alert):
    """An alert and whose it is."""

    spoke: str
    environment: str
