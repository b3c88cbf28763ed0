"""The manifest as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from spoke_kit.manifest.features import Dataset, Entity, FeatureView
from spoke_kit.manifest.graphs import Compute, Graph
from spoke_kit.manifest.models import Model
from spoke_kit.manifest.parts import Handler, Name, Part, Whole, WholeFile
from spoke_kit.manifest.predictions import Prediction

VERSION = 1


class Contact(Part):
    """Whom to ask."""

    name: str = Field(min_length=1, description="A person or a team.")
    email: str | None = Field(None, pattern=r"^\S+@\S+$", description="Where to write to.")
    role: str = Field("", description="For what, as 'on call'.")


class Links(Part):
    """Addresses beside the spoke."""

    repository: str | None = Field(None, pattern=r"^https?://\S+$", description="Where its code lies.")
    runbook: str | None = Field(None, pattern=r"^https?://\S+$", description="What to do when it fails.")


class Manifest(WholeFile):
    """One spoke in one environment: ``spoke.yaml`` with the environment's overlay laid on it."""

    version: Literal[1] = Field(description="Version of this form.")
    spoke: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,59}$",
        description="Its name, which is its directory's and Python package's.",
    )
    title: str = Field(min_length=1, description="Its name for people.")
    owner: str = Field(min_length=1, description="The team that owns it.")
    description: str = Field("", description="What it does, in a sentence or two.")
    contacts: tuple[Contact, ...] = Field((), description="Whom to ask.")
    links: Links = Field(Links(), description="Addresses beside it.")
    cost_tags: Mapping[Name, str] = Field(
        {}, description="Values of the tags that hub.yaml declares, set on the spoke's schema."
    )
    retention_days: Whole = Field(
        7, ge=1, description="How long run artifacts, unused versions and datasets are kept."
    )
    sources: tuple[Name, ...] = Field((), description="Tables of the shared schema that the spoke reads.")
    entities: Mapping[Name, Entity] = Field({}, description="What its features describe, by name.")
    feature_views: Mapping[Name, FeatureView] = Field({}, description="Its feature views, by name.")
    shared_features: Mapping[Name, Name] = Field(
        {}, description="The hub's shared feature views that its graphs consume, with the version."
    )
    datasets: Mapping[Name, Dataset] = Field({}, description="Its datasets, by name.")
    models: Mapping[Name, Model] = Field({}, description="Its models, by name.")
    graphs: Mapping[Name, Graph] = Field({}, description="Its task graphs, by name.")
    predictions: Mapping[Name, Prediction] = Field({}, description="What it predicts, by name.")
    procedures: Mapping[Name, Handler] = Field(
        {}, description="Called by hand or by the service, with a run's configuration as JSON."
    )
    tables: tuple[str, ...] = Field(
        (), description="SQL files of tables and views, in the order in which they run."
    )
    compute: Compute = Field(description="Where its code runs.")

    def training(self, model: str) -> list[str]:
        """The graphs that train a model."""
        return [name for name, graph in self.graphs.items() if graph.trains == model]

    def predicting(self, prediction: str) -> list[str]:
        """The graphs that make a prediction."""
        return [name for name, graph in self.graphs.items() if graph.predicts == prediction]


def schema() -> dict[str, Any]:
    """The JSON Schema of ``spoke.yaml``. https://json-schema.org/draft/2020-12"""
    found = Manifest.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "spoke.yaml, version 1",
    }
