"""What is known of feature views: the spokes' own, and the hub's, which every spoke may consume.

Functions (`services.features`):

- `views(spoke: str, environment: str) -> tuple[FeatureView, ...]`: newest version of each first, then by
  name; empty when none is deployed; NotFound 404 for an unknown spoke, Invalid 422 for an unknown
  environment.
- `view(spoke: str, environment: str, name: str, version: str | None = None) -> FeatureView`: newest by
  default.
- `start_deploy(spoke: str, environment: str, actor: str) -> str`: submits `features.deploy`.

`views` and `view` also tell of the hub's that the spoke consumes, after its own.

Functions of the hub's (`SharedFeatures`):

- `views(environment: str) -> tuple[FeatureView, ...]`: all that are registered, in the same order.
- `start_deploy(environment: str, actor: str) -> str`: submits `hub.features`.

Their health (`FeatureHealth`), of the history and of what is known of the account:

- `views(spoke: str | None = None, environment: str | None = None) -> FeatureHealthPage`: the worst first; NotFound
  404, Invalid 422.
- `start_profile(spoke: str, environment: str, actor: str, view: str | None = None) -> str`: submits
  `features.profile`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FeatureViewKind = Literal["VIEW", "DYNAMIC TABLE", "TABLE"]
#: The worst first. ``unknown``: a dynamic table whose data are of nobody knows when.
HealthState = Literal["failed", "late", "suspended", "unknown", "good"]


@dataclass(frozen=True, slots=True)
class FeatureColumn:
    """A column; `role` tells the join key and the timestamp from the features."""

    name: str
    type: str
    description: str = ""
    role: Literal["key", "timestamp", "feature"] = "feature"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reads one version of a feature view.

    `in_use` is true when the spoke's manifest names this version; `model_versions` ("MODEL$VERSION") and
    `datasets` ("DATASET$VERSION") were made of it, newest first.
    """

    spoke: str
    environment: str
    in_use: bool
    model_versions: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One version of a feature view as it stands in the account.

    `lag_seconds` is the age of its data now, `target_lag_seconds` what was declared (None: a view, always
    current).
    `provider` is the spoke that deploys it, or "hub". `consumed` is true when the pipelines of the spoke that is
    asked about read this version; of the hub's own list, when those of any spoke do.
    """

    name: str
    version: str
    kind: FeatureViewKind
    entities: tuple[str, ...]
    columns: tuple[FeatureColumn, ...]
    description: str = ""
    owner: str = ""
    refresh: str | None = None
    refresh_mode: str | None = None
    scheduling_state: str | None = None
    rows: int | None = None
    created_at: datetime | None = None
    last_refreshed_at: datetime | None = None
    last_refresh_state: str | None = None
    lag_seconds: float | None = None
    target_lag_seconds: float | None = None
    consumed: bool = True
    sql: str = ""
    provider: str = ""
    consumers: tuple[Consumer, ...] = ()


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh of a dynamic table in Snowflake's words. ``late``: it ended after its COMPLETION_TARGET.

    ``seconds`` is what it took, None while it goes on; ``message`` the line that matters of why it did not succeed.
    """

    state: str
    started_at: datetime
    ended_at: datetime | None = None
    seconds: float | None = None
    late: bool = False
    rows_inserted: int | None = None
    rows_deleted: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What a column held when it was counted, and the time before (None: it was not counted then).

    ``distinct_values`` is an estimate (APPROX_COUNT_DISTINCT), None for types that it cannot count.
    """

    name: str
    rows: int
    nulls: int
    distinct_values: int | None
    rows_before: int | None = None
    nulls_before: int | None = None
    distinct_before: int | None = None


@dataclass(frozen=True, slots=True)
class ViewHealth:
    """How one version of a feature view does in an environment.

    ``lag_seconds`` is how old its data were at ``as_of``, beside what was declared. ``last_refreshed_at`` is when the
    last refresh that was told of ended, or the moment of newer data. A missed lag is a
    COMPLETION_TARGET that passed before the data were there, however many refreshes it took; the present one counts.
    ``refreshes`` are the newest, oldest first. ``failed_at``, ``failure`` and ``failure_code`` tell of the newest
    failed refresh of 30 days, ``rows_inserted_7`` and ``rows_deleted_7`` of the rows of 7 days. ``profiled_at`` is
    when ``columns`` were counted.
    """

    provider: str
    environment: str
    name: str
    version: str
    kind: FeatureViewKind
    state: HealthState
    as_of: datetime
    scheduling_state: str | None = None
    refresh: str | None = None
    lag_seconds: float | None = None
    target_lag_seconds: float | None = None
    last_refreshed_at: datetime | None = None
    rows: int | None = None
    refreshes: tuple[Refresh, ...] = ()
    missed_7: int = 0
    missed_30: int = 0
    failed_7: int = 0
    failed_30: int = 0
    failed_at: datetime | None = None
    failure: str | None = None
    failure_code: str | None = None
    rows_inserted_7: int = 0
    rows_deleted_7: int = 0
    profiled_at: datetime | None = None
    profiled_before_at: datetime | None = None
    columns: tuple[ColumnProfile, ...] = ()
    consumers: tuple[Consumer, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureHealthPage:
    """The worst first. Of ``unread`` (provider, environment) nothing is known of the account yet."""

    items: tuple[ViewHealth, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
