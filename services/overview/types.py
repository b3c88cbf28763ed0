"""A spoke in an environment on one line.

Functions (`services.overview`):

- `glance(spoke: str | None = None) -> tuple[SpokeGlance, ...]`: one row for each spoke and environment
  where it is onboarded, worst first (open failures, then late features, then success, then open alerts, then name).
- `hub_failures() -> dict[str, int]`: open failures of what the hub shares, by environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.health.types import RunMark as RunMark


@dataclass(frozen=True, slots=True)
class SpokeGlance:
    """One spoke in one environment at a glance; None is what does not exist yet.

    `runs` are the last 30 graph runs, oldest first. `metric` names what versions are
    compared by, `metric_value` and `naive_value` are the default version's and the naive model's as logged;
    `last_loss` and `last_naive_loss` are of the last evaluated day of the first prediction.
    `features_lag_seconds` is the age of the oldest feature view's data, `features_target_seconds` what was
    declared. `success_7` and `success_30` are fractions of the runs that ended well or failed. `slowest_graph` is the
    one furthest above its baseline, with its durations of 7 days and those of the 28 days before, in seconds.
    `open_failures` are groups that nobody has resolved or acknowledged. `credits_7` are of the last 7 days.
    `known` is False while the account was not read.
    """

    spoke: str
    title: str
    owner: str
    environment: str
    runs: tuple[RunMark, ...] = ()
    next_run_at: datetime | None = None
    model: str | None = None
    model_version: str | None = None
    metric: str | None = None
    metric_value: float | None = None
    naive_value: float | None = None
    last_evaluated_day: date | None = None
    last_loss: float | None = None
    last_naive_loss: float | None = None
    predicted_day: date | None = None
    feature_views: int = 0
    features_refreshed_at: datetime | None = None
    features_lag_seconds: float | None = None
    features_target_seconds: float | None = None
    open_alerts: int = 0
    open_failures: int = 0
    success_7: float | None = None
    success_30: float | None = None
    slowest_graph: str | None = None
    run_p50: float | None = None
    run_p95: float | None = None
    baseline_p50: float | None = None
    baseline_p95: float | None = None
    credits_7: float | None = None
    known: bool = True
