"""Feature views and their columns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.schemas.base import Schema
from services.features.types import FeatureViewKind


class FeatureColumn(Schema):
    """A column."""

    name: str
    type: str
    description: str
    role: Literal["key", "timestamp", "feature"]


class Consumer(Schema):
    """Who reads one version of a feature view: by its manifest, and by what was made of it."""

    spoke: str
    environment: str
    in_use: bool
    model_versions: list[str]
    datasets: list[str]


class FeatureView(Schema):
    """One version of a feature view as it stands in the account; ``provider`` is a spoke, or "hub"."""

    name: str
    version: str
    kind: FeatureViewKind
    entities: list[str]
    columns: list[FeatureColumn]
    description: str
    owner: str
    refresh: str | None
    refresh_mode: str | None
    scheduling_state: str | None
    rows: int | None
    created_at: datetime | None
    last_refreshed_at: datetime | None
    last_refresh_state: str | None
    lag_seconds: float | None
    target_lag_seconds: float | None
    consumed: bool
    sql: str
    provider: str
    consumers: list[Consumer]
