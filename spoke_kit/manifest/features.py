"""Entities, feature views and datasets."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from spoke_kit.manifest.parts import Column, Name, Part, Whole


class Entity(Part):
    """What features describe."""

    keys: tuple[Column, ...] = Field(min_length=1, description="Key columns, in order.")
    description: str = Field("", description="What it is, in a sentence.")


class OfferedView(Part):
    """A feature view, and which versions the store offers."""

    module: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="Module below the project's package whose VERSIONS holds each version's definition.",
    )
    entities: tuple[str, ...] = Field(min_length=1, description="Entities of this file that it describes.")
    timestamp: Column = Field("UPDATED_AT", description="Column with the moment from which a row is known.")
    offers: tuple[Name, ...] = Field(min_length=1, description="Versions that the feature store holds.")
    refresh: str | None = Field(
        None, description="Without it a view, always fresh; a lag such as '1 day' makes a dynamic table."
    )


class FeatureView(OfferedView):
    """Which versions the store offers, and which one the pipelines consume."""

    consumes: Name = Field(description="The version that the spoke's graphs use; one of those offered.")

    @model_validator(mode="after")
    def _offered(self) -> Self:
        if self.consumes not in self.offers:
            raise ValueError(f"consumes {self.consumes!r}, which is not offered: {', '.join(self.offers)}")
        return self


class Dataset(Part):
    """The label, and the lengths in days of the splits, which follow each other; the test split is the newest."""

    label: Column = Field(description="Column that is to be learned.")
    train_days: Whole = Field(ge=1, description="Days of the train split.")
    validation_days: Whole = Field(ge=1, description="Days of the validation split.")
    test_days: Whole = Field(ge=1, description="Days of the test split, which training never sees.")
