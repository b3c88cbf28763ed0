"""The hub's own feature views, as ``spokes/shared/shared.yaml`` says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from spoke_kit.manifest.features import Entity, OfferedView
from spoke_kit.manifest.parts import Name, WholeFile


class SharedManifest(WholeFile):
    """What every environment's feature store holds for all spokes."""

    version: Literal[1] = Field(description="Version of this form.")
    title: str = Field(min_length=1, description="Its name for people.")
    owner: str = Field(min_length=1, description="The team that owns it.")
    sources: tuple[Name, ...] = Field((), description="Tables of the shared schema that the views read.")
    entities: Mapping[Name, Entity] = Field({}, description="What the features describe, by name.")
    feature_views: Mapping[Name, OfferedView] = Field({}, description="The feature views, by name.")
