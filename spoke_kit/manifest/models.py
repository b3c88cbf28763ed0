"""Models: their kind, what they are judged by, and how a version comes from one environment to the next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from spoke_kit.manifest.parts import Part


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

    name: Annotated[str, Field(min_length=1)]
    direction: Literal["minimize", "maximize"] = "minimize"


class Baseline(Part):
    """The primary metric against a naive model's, which the training logs under the name ``metric``.

    A metric to minimize must be at most ``ratio`` times it, one to maximize at least.
    """

    metric: Annotated[str, Field(min_length=1)]
    ratio: Annotated[float, Field(gt=0)]


class Gates(Part):
    """What a version must reach on the test split to become the default: limits by metric, and the baseline."""

    maximum: Mapping[str, float] = {}
    minimum: Mapping[str, float] = {}
    baseline: Baseline | None = None


class Model(Part):
    """One model of the spoke. The graphs that say ``trains: <its name>`` train it."""

    kind: ModelKind
    description: str = ""
    metric: Metric
    gates: Gates = Gates()
    promotion: Promotion = Promotion.MODEL
    parameters: Mapping[str, Any] = {}
