"""The manifest as a whole, and what must agree between its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from spoke_kit.manifest.features import Dataset, Entity, FeatureView
from spoke_kit.manifest.graphs import Compute, Graph
from spoke_kit.manifest.models import Model
from spoke_kit.manifest.parts import Handler, Name, Part
from spoke_kit.manifest.predictions import Prediction

VERSION = 1

P = TypeVar("P")


class Contact(Part):
    """Whom to ask."""

    name: Annotated[str, Field(min_length=1)]
    email: str | None = None
    role: str = ""


class Links(Part):
    """Addresses beside the spoke."""

    repository: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    runbook: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None


class Manifest(Part):
    """One spoke in one environment: ``spoke.yaml`` with the environment's overlay laid on it."""

    version: Literal[1]
    spoke: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    title: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    description: str = ""
    contacts: tuple[Contact, ...] = ()
    links: Links = Links()
    # Values of the tags that hub.yaml declares, set on the spoke's schema.
    cost_tags: Mapping[Name, str] = {}
    retention_days: Annotated[int, Field(ge=1)] = 7
    # Tables of the shared schema that the spoke reads.
    sources: tuple[Name, ...] = ()
    entities: Mapping[Name, Entity] = {}
    feature_views: Mapping[Name, FeatureView] = {}
    # The hub's SHARED__ feature views that the pipelines consume, with the version.
    shared_features: Mapping[Name, Name] = {}
    datasets: Mapping[Name, Dataset] = {}
    models: Mapping[Name, Model] = {}
    graphs: Mapping[Name, Graph] = {}
    predictions: Mapping[Name, Prediction] = {}
    # Called by hand or by the service, with the configuration of a run as JSON.
    procedures: Mapping[Name, Handler] = {}
    # SQL files of tables and views, in the order in which they are run.
    tables: tuple[str, ...] = ()
    compute: Compute

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        wrong = [
            *_unknown(
                "feature_views", self.feature_views, "entities", self.entities, lambda view: view.entities
            ),
            *_unknown("graphs", self.graphs, "models", self.models, lambda graph: [graph.trains]),
            *_unknown("graphs", self.graphs, "predictions", self.predictions, lambda graph: [graph.predicts]),
            *_unknown("predictions", self.predictions, "models", self.models, lambda one: [one.model]),
            *_unknown(
                "predictions", self.predictions, "procedures", self.procedures, lambda one: [one.evaluate]
            ),
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def _unknown(
    where: str,
    parts: Mapping[str, P],
    kind: str,
    known: Mapping[str, Any],
    named: Callable[[P], Iterable[str | None]],
) -> list[str]:
    return [
        f"{where}.{name} names {other!r}, which {kind} does not have"
        for name, part in parts.items()
        for other in named(part)
        if other is not None and other not in known
    ]
