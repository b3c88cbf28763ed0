"""The prediction contract: which table holds the predictions, and which column plays which role.

The service reads roles, never names: pages, charts, REST, evaluations and alerts come from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spoke_kit.manifest.parts import Column, Name, Part


class PredictionKind(StrEnum):
    """Of a number, or of the probability that something happens (its actual is 0 or 1, or a boolean)."""

    REGRESSION = "regression"
    BINARY = "binary_classification"
    MULTICLASS = "multiclass_classification"


class Grain(StrEnum):
    """What one prediction is for: a day (the time column is a DATE) or an hour (it is a TIMESTAMP)."""

    DAY = "day"
    HOUR = "hour"


class Unit(Part):
    """How a predicted value is said and shown. ``percent``: 0.85 is shown as 85 %."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    format: Literal["percent", "number"] = "number"
    suffix: str = ""


class Place(Part):
    """Degrees, WGS 84."""

    latitude: Column
    longitude: Column


class Alert(Part):
    """A prediction raises an alert when it is ``when`` a level; the levels by name, in any order.

    ``condition`` says in words what an alert means ("will be too full").
    """

    when: Literal["above", "below"] = "above"
    condition: str = ""
    levels: Annotated[Mapping[str, float], Field(min_length=1)]


class History(Part):
    """Where an entity's longer history of actuals is: a table or view of the spoke's schema or the shared one."""

    source: Name
    schema_: Annotated[Literal["own", "shared"], Field(alias="schema")] = "own"
    key: Annotated[tuple[Column, ...], Field(min_length=1)]
    time: Column
    actual: Column


class Prediction(Part):
    """One kind of prediction that the spoke makes.

    ``source`` is a table or view of the spoke's schema. ``naive`` is what would be said without a model, of the
    same knowledge; ``weight`` is what one row counts in the errors; errors are broken down by ``groups``; of
    ``features`` the values are shown. ``pending`` is a view with the times (a column named as ``time``) that can
    be predicted and were not; ``evaluate`` a procedure that writes the actuals beside the predictions;
    ``threshold`` the probability from which a class is taken as predicted.
    """

    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    kind: PredictionKind
    model: str | None = None
    source: Name
    key: Annotated[tuple[Column, ...], Field(min_length=1)]
    label: Column | None = None
    entity: Annotated[str, Field(min_length=1)] = "entity"
    time: Column
    grain: Grain = Grain.DAY
    made_at: Column | None = None
    model_version: Column | None = None
    predicted: Column
    lower: Column | None = None
    upper: Column | None = None
    actual: Column | None = None
    naive: Column | None = None
    weight: Column | None = None
    place: Place | None = None
    groups: tuple[Column, ...] = ()
    features: tuple[Column, ...] = ()
    unit: Unit
    alert: Alert | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    pending: Name | None = None
    evaluate: Name | None = None
    history: History | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.lower is None) != (self.upper is None):
            raise ValueError("lower and upper come together")
        if self.history is not None and len(self.history.key) != len(self.key):
            raise ValueError("the history's key has as many columns as the prediction's")
        return self
