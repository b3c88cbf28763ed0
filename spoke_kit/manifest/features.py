"""Entities, feature views and datasets."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from spoke_kit.manifest.parts import Column, Name, Part


class Entity(Part):
    """What features describe: its key columns, in order."""

    keys: Annotated[tuple[Column, ...], Field(min_length=1)]
    description: str = ""


class FeatureView(Part):
    """Which versions the store offers, and which one the pipelines consume.

    Without ``refresh`` it is a view, always fresh; with a lag ("1 day") a dynamic table.
    """

    module: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
    entities: Annotated[tuple[str, ...], Field(min_length=1)]
    timestamp: Column = "UPDATED_AT"
    offers: Annotated[tuple[Name, ...], Field(min_length=1)]
    consumes: Name
    refresh: str | None = None

    @model_validator(mode="after")
    def _offered(self) -> Self:
        if self.consumes not in self.offers:
            raise ValueError(f"consumes {self.consumes!r}, which is not offered: {', '.join(self.offers)}")
        return self


class Dataset(Part):
    """The label and the lengths in days of its splits, which follow each other; the test is the newest."""

    label: Column
    train_days: Annotated[int, Field(ge=1)]
    validation_days: Annotated[int, Field(ge=1)]
    test_days: Annotated[int, Field(ge=1)]
