"""Feature views and their columns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.schemas.base import Listing, Schema
from services.features.types import FeatureViewKind, HealthState


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


class Refresh(Schema):
    """One refresh of a dynamic table; ``late``: it ended after its COMPLETION_TARGET."""

    state: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    late: bool
    rows_inserted: int | None
    rows_deleted: int | None
    message: str | None


class ColumnProfile(Schema):
    """What a column held when it was counted, and the time before; distinct values are an estimate."""

    name: str
    rows: int
    nulls: int
    distinct_values: int | None
    rows_before: int | None
    nulls_before: int | None
    distinct_before: int | None


class ViewHealth(Schema):
    """One version of a feature view: its newest refreshes, oldest first, missed lags and failures of 7 and 30 days,
    the rows of 7 days, and its columns as they were counted last.
    """

    provider: str
    environment: str
    name: str
    version: str
    kind: FeatureViewKind
    state: HealthState
    as_of: datetime
    scheduling_state: str | None
    refresh: str | None
    lag_seconds: float | None
    target_lag_seconds: float | None
    last_refreshed_at: datetime | None
    rows: int | None
    refreshes: list[Refresh]
    missed_7: int
    missed_30: int
    failed_7: int
    failed_30: int
    failed_at: datetime | None
    failure: str | None
    failure_code: str | None
    rows_inserted_7: int
    rows_deleted_7: int
    profiled_at: datetime | None
    profiled_before_at: datetime | None
    columns: list[ColumnProfile]
    consumers: list[Consumer]


class FeatureHealthPage(Listing[ViewHealth]):
    """The worst first. `unread`: whose (provider, environment) views were not read from the account yet."""

    unread: list[tuple[str, str]]
