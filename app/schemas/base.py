"""What every schema and every list of the REST API has in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


class Schema(BaseModel):
    """A shape read from a service's frozen dataclass by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True, protected_namespaces=())


class Listing(Schema, Generic[Item]):
    """A page of a list. `next_cursor` is None on the last page."""

    items: list[Item]
    next_cursor: str | None = None
