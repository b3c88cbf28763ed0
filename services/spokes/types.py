"""What is known of the spokes: who owns each, where it is deployed, and how it is at a glance.

Functions (`services.spokes`):

- `all() -> tuple[Spoke, ...]`: every onboarded spoke by name; from the catalogue database.
- `get(spoke: str) -> Spoke`: NotFound 404 when there is none of the name.
- `glance(spoke: str | None = None) -> tuple[SpokeGlance, ...]`: one row for each spoke and environment
  where it is onboarded, worst first (failed last run, then open alerts, then stale features, then name).
- `start_onboard(spoke: str, environment: str, actor: str) -> str`: submits `spoke.onboard`, returns the
  operation's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class SpokeEnvironment:
    """A spoke in one environment.

    `bundle` is the content hash deployed there, None before the first deployment.
    """

    environment: str
    schema_name: str
    onboarded_at: datetime
    bundle: str | None = None
    deployed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spoke:
    """One project team and what it declared of itself in `spoke.yaml`."""

    name: str
    title: str
    owner: str
    description: str
    environments: tuple[SpokeEnvironment, ...]


@dataclass(frozen=True, slots=True)
class RunMark:
    """One graph run as a mark in a strip. `state` is Snowflake's word."""

    graph: str
    run_id: str
    attempt: int
    state: str
    started_at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SpokeGlance:
    """One spoke in one environment at a glance; None is what does not exist yet.

    `runs` are the last 30 graph runs, oldest first. `mae` and `naive_mae` are the default version's
    registered
    test metrics, `last_mae` that of the last evaluated day, all in fill rate (0.1 is ten points of capacity).
    `features_lag_seconds` is the age of the oldest feature view's data, `features_target_seconds` what was
    declared.
    """

    spoke: str
    title: str
    owner: str
    environment: str
    runs: tuple[RunMark, ...] = ()
    next_run_at: datetime | None = None
    model: str | None = None
    model_version: str | None = None
    mae: float | None = None
    naive_mae: float | None = None
    last_mae: float | None = None
    predicted_day: date | None = None
    feature_views: int = 0
    features_refreshed_at: datetime | None = None
    features_lag_seconds: float | None = None
    features_target_seconds: float | None = None
    open_alerts: int = 0
    open_failures: int = 0
