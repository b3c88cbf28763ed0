"""The prediction contract: which table holds the predictions, and which column plays which role.

The service reads roles, never names: pages, charts, REST, evaluations and alerts come from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from spoke_kit.manifest.parts import Column, Name, Number, Part


class PredictionKind(StrEnum):
    """Of a number, of the probability that something happens, or of one of several classes."""

    REGRESSION = "regression"
    BINARY = "binary_classification"
    MULTICLASS = "multiclass_classification"


class Grain(StrEnum):
    """What one prediction is for: a day (the time column is a DATE) or an hour (it is a TIMESTAMP)."""

    DAY = "day"
    HOUR = "hour"


class Unit(Part):
    """How a predicted value is said and shown."""

    name: str = Field(min_length=1, max_length=60, description="What the value is, as 'fill rate'.")
    format: Literal["percent", "number"] = Field("number", description="percent shows 0.85 as 85 %.")
    suffix: str = Field("", max_length=20, description="Written behind a number, as 'parcels'.")


class Place(Part):
    """Where an entity is, in degrees (WGS 84)."""

    latitude: Column = Field(description="Column with the latitude.")
    longitude: Column = Field(description="Column with the longitude.")
    size: Column | None = Field(None, description="Column that is drawn as the area of its mark.")


class Alert(Part):
    """When a prediction raises an alert."""

    when: Literal["above", "below"] = Field("above", description="On which side of a level; it is included.")
    condition: str = Field("", description="What an alert means, as 'will be too full'.")
    levels: Mapping[str, Number] = Field(min_length=1, description="The levels by name, in any order.")

    @property
    def threshold(self) -> float:
        """The level that is reached first."""
        return min(self.levels.values()) if self.when == "above" else max(self.levels.values())


class History(Part):
    """Where an entity's longer history of actuals is."""

    # ``schema`` is a method of pydantic's models.
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )

    source: Name = Field(description="Table or view.")
    schema_: Literal["own", "shared"] = Field(
        "own", alias="schema", description="The spoke's schema, or the shared one."
    )
    key: tuple[Column, ...] = Field(min_length=1, description="Key columns, as many as the prediction's.")
    time: Column = Field(description="Column with the day or hour.")
    actual: Column = Field(description="Column with what really was.")


class Prediction(Part):
    """One kind of prediction that the spoke makes: a row for each entity and time."""

    title: str = Field(min_length=1, description="Heading of its page.")
    description: str = Field("", description="What is predicted, in a sentence.")
    kind: PredictionKind = Field(description="What is predicted.")
    model: str | None = Field(None, description="The model of this file that predicts.")
    source: Name = Field(description="Table or view of the spoke's schema with one row an entity and time.")
    key: tuple[Column, ...] = Field(min_length=1, description="Key columns of the entity, of any type.")
    label: Column | None = Field(None, description="Column with the entity's name for people.")
    entity: str = Field("entity", min_length=1, description="What an entity is called, as 'point'.")
    time: Column = Field(description="Column with the day or hour that is predicted.")
    grain: Grain = Field(Grain.DAY, description="What one prediction is for.")
    made_at: Column | None = Field(None, description="Column with the moment of the prediction.")
    model_version: Column | None = Field(None, description="Column with the version that predicted.")
    predicted: Column = Field(description="Column with the predicted value, probability or class.")
    lower: Column | None = Field(None, description="Column with the lower bound.")
    upper: Column | None = Field(None, description="Column with the upper bound.")
    actual: Column | None = Field(
        None, description="Column with what really came, NULL before; of a probability 0 or 1, or a boolean."
    )
    naive: Column | None = Field(
        None, description="Column with what would be said without a model, of the same knowledge."
    )
    weight: Column | None = Field(None, description="Column with what a row counts in the errors.")
    place: Place | None = Field(None, description="Where the entity is; it makes the map.")
    groups: tuple[Column, ...] = Field((), description="Columns by which errors are broken down.")
    features: tuple[Column, ...] = Field((), description="Columns that are shown beside a prediction.")
    unit: Unit = Field(description="How a value is said and shown.")
    alert: Alert | None = Field(None, description="When a prediction raises an alert.")
    threshold: Number = Field(
        0.5, gt=0, lt=1, description="The probability from which on it is taken to happen."
    )
    pending: Name | None = Field(
        None,
        description="View with the times, in a column named as time, that can be predicted and were not.",
    )
    evaluate: Name | None = Field(
        None, description="Procedure of this file that writes the actuals beside the predictions."
    )
    history: History | None = Field(None, description="Where the longer history of actuals is.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.lower is None) != (self.upper is None):
            raise ValueError("lower and upper come together")
        if self.history is not None and len(self.history.key) != len(self.key):
            raise ValueError("the history's key has as many columns as the prediction's")
        return self
