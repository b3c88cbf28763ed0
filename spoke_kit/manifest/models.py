"""Models: their kind, what they are judged by, and how a version comes from one environment to the next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from spoke_kit.manifest.parts import Number, Part


class ModelKind(StrEnum):
    """What a model does."""

    REGRESSION = "regression"
    BINARY = "binary_classification"
    MULTICLASS = "multiclass_classification"
    OTHER = "other"


class Promotion(StrEnum):
    """``model``: the version itself is copied; ``code``: the bundle is deployed there and trains its own."""

    MODEL = "model"
    CODE = "code"


class Metric(Part):
    """The metric by which versions are compared, as the training logs it."""

    name: str = Field(min_length=1, description="Its name among a version's metrics.")
    direction: Literal["minimize", "maximize"] = Field("minimize", description="Which way is better.")


class Baseline(Part):
    """The primary metric against that of a naive model."""

    metric: str = Field(min_length=1, description="The naive model's metric, as the training logs it.")
    ratio: Number = Field(
        gt=0, description="A metric to minimize is at most this times it, one to maximize at least."
    )


class Gates(Part):
    """What a version must reach on the test split to become the default."""

    maximum: Mapping[str, Number] = Field({}, description="The most that a metric may be, by its name.")
    minimum: Mapping[str, Number] = Field({}, description="The least that a metric may be, by its name.")
    baseline: Baseline | None = Field(None, description="Against a naive model.")


class Model(Part):
    """One model of the spoke. The graphs that say ``trains: <its name>`` train it."""

    kind: ModelKind = Field(description="What it does.")
    description: str = Field("", description="What it is for, in a sentence.")
    metric: Metric = Field(description="The primary metric.")
    gates: Gates = Field(Gates(), description="What a version must reach to become the default.")
    promotion: Promotion = Field(
        Promotion.MODEL, description="How a version comes from one environment to the next."
    )
    parameters: Mapping[str, Any] = Field({}, description="What the training code is given.")
