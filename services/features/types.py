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
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FeatureViewKind = Literal["VIEW", "DYNAMIC TABLE", "TABLE"]


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
