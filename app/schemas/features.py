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


class FeatureView(Schema):
    """One version of a feature view as it stands in the account.."""

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
