"""What was predicted, what came of it, and what it warns of, by the roles of the prediction contract.

The contract is `spoke_kit.manifest.Prediction`. Values are in its unit: a number; a probability from 0 to 1; or,
of several classes, the class as text. A time is a date, or a datetime without zone where the grain is the hour.
An entity is known by its key: the key's values as text, in the contract's order.

`loss` is what one prediction costs: the absolute error of a number, the log loss (natural logarithm) of a
probability, 1 for a wrong class. Means are weighted by the contract's weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from spoke_kit.manifest import Prediction

Time = date | datetime
Value = float | str
Key = tuple[str, ...]
Plain = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the account's rows could not be copied."""

    message: str
    code: str
    hint: str | None = None
    detail: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy of one prediction found: days that were fetched anew, days that vanished, rows that were fetched.

    `problem` says why it could not be copied; what was copied before is still there.
    """

    prediction: str
    as_of: datetime
    changed: int = 0
    removed: int = 0
    rows: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """One prediction of a spoke: its name in the manifest, and its contract; `names` are all names, in order.

    What was copied has the contract by which it was: the manifest's may be newer.
    """

    name: str
    contract: Prediction
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """One prediction. `error` is predicted less actual, of numbers and probabilities; `level` that of its alert."""

    key: Key
    label: str
    time: Time
    predicted: Value
    actual: Value | None = None
    error: float | None = None
    naive: Value | None = None
    lower: float | None = None
    upper: float | None = None
    level: str | None = None
    groups: Mapping[str, str | None] = field(default_factory=dict)
    features: Mapping[str, Plain] = field(default_factory=dict)
    model_version: str | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """One prediction on the map: degrees; `size` is drawn as the area of its mark."""

    key: Key
    label: str
    latitude: float
    longitude: float
    predicted: Value
    actual: Value | None = None
    size: float | None = None
    groups: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """All predictions of one time. `matched` fit the search; `levels` counts those at each alert level or beyond;
    `open_alerts` are those whose actual is not known.
    """

    n: int = 0
    matched: int = 0
    placed: int = 0
    scored: int = 0
    mean_predicted: float | None = None
    mean_actual: float | None = None
    loss: float | None = None
    naive_loss: float | None = None
    bias: float | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    open_alerts: int = 0
    model_version: str | None = None
    model_versions: int = 0
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PredictionPage:
    """A page of the predictions of one time. `days` are the newest predicted days, newest first; `times` those
    of the day where the grain is the hour. `time` is None while nothing was predicted, `as_of` while nothing was
    read of it; `problem` says why what is shown is older than it should be.
    """

    prediction: Declared
    days: tuple[date, ...] = ()
    times: tuple[datetime, ...] = ()
    time: Time | None = None
    rows: tuple[PredictionRow, ...] = ()
    totals: Totals = Totals()
    next_cursor: str | None = None
    as_of: datetime | None = None
    problem: Problem | None = None

    @property
    def day(self) -> date | None:
        """The day of the time."""
        return self.time.date() if isinstance(self.time, datetime) else self.time


@dataclass(frozen=True, slots=True)
class HistoryValue:
    """One time of an entity; what is None was not predicted, or not known."""

    time: Time
    predicted: Value | None = None
    actual: Value | None = None
    naive: Value | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class EntityHistory:
    """An entity's last times, oldest first; `groups` and `features` are of its newest prediction."""

    prediction: Declared
    key: Key
    label: str
    values: tuple[HistoryValue, ...]
    groups: Mapping[str, str | None] = field(default_factory=dict)
    features: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good one day's predictions of one model version were. What does not apply to the kind is None.

    `bias` is the mean of predicted less actual; `coverage` the share of actuals from lower to upper;
    `alert_precision` and `alert_recall` are at the mildest alert level, for a probability at the threshold;
    `calibration_error` is the expected one over ten bins; `base_rate` the share of ones.
    """

    day: date
    model_version: str | None
    n: int
    loss: float | None = None
    naive_loss: float | None = None
    mean_predicted: float | None = None
    mean_actual: float | None = None
    mae: float | None = None
    rmse: float | None = None
    bias: float | None = None
    naive_mae: float | None = None
    coverage: float | None = None
    alert_precision: float | None = None
    alert_recall: float | None = None
    log_loss: float | None = None
    naive_log_loss: float | None = None
    brier: float | None = None
    auc: float | None = None
    calibration_error: float | None = None
    base_rate: float | None = None
    accuracy: float | None = None
    naive_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class RegisteredMetrics:
    """The default version's metrics as its training logged them; `value` is that of `metric`, by which versions
    are compared, `naive` the naive model's.
    """

    model: str
    version: str
    metric: str
    value: float | None
    naive: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Evaluated days, newest first, beside what was promised when the version was registered."""

    items: tuple[Evaluation, ...]
    registered: RegisteredMetrics | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The predictions of one value of one breakdown; `by` is weekday (1 Monday), hour, or a group's column."""

    by: str
    value: str | None
    n: int
    loss: float | None
    naive_loss: float | None
    bias: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Predictions near each other in predicted and actual: their number, weight and means."""

    n: int
    weight: float
    predicted: float
    actual: float


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Predictions of neighbouring probabilities: their number, weight, mean probability, weight of ones."""

    n: int
    low: float
    high: float
    weight: float
    predicted: float
    positive: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Weights at a threshold: a probability at or above it is taken as one."""

    threshold: float
    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float


@dataclass(frozen=True, slots=True)
class ClassPair:
    """How many of an actual class were predicted as a class."""

    actual: str
    predicted: str
    n: int


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Of the predictions with an actual of the `days` days up to `last_day`: where they are wrong, and how.

    `cells` are of numbers. `calibration` (ten bins of equal width), `scores` (at most 100 bins of about equal
    number, highest first; equal probabilities are never apart) and `confusion` are of probabilities,
    `classes` (the 200 largest pairs) of classes.
    """

    prediction: Declared
    days: int
    last_day: date | None = None
    n: int = 0
    parts: tuple[Part, ...] = ()
    cells: tuple[Cell, ...] = ()
    calibration: tuple[ScoreBin, ...] = ()
    scores: tuple[ScoreBin, ...] = ()
    confusion: Confusion | None = None
    classes: tuple[ClassPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """A prediction at or beyond an alert level. Open while what came is not known."""

    prediction: str
    key: Key
    label: str
    time: Time
    predicted: float
    level: str
    actual: float | None = None
    open: bool = True
    groups: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Newest time first, then by risk."""

    items: tuple[Alert, ...] = ()
    next_cursor: str | None = None
