"""A spoke in an environment on one line."""

from __future__ import annotations

from datetime import date, datetime

from app.schemas.base import Schema


class RunMark(Schema):
    """One graph run as a mark in a strip."""

    graph: str
    run_id: str
    attempt: int
    state: str
    started_at: datetime
    seconds: float | None


class SpokeGlance(Schema):
    """One spoke in one environment at a glance."""

    spoke: str
    title: str
    owner: str
    environment: str
    runs: list[RunMark]
    next_run_at: datetime | None
    model: str | None
    model_version: str | None
    metric: str | None
    metric_value: float | None
    naive_value: float | None
    last_evaluated_day: date | None
    last_loss: float | None
    last_naive_loss: float | None
    predicted_day: date | None
    feature_views: int
    features_refreshed_at: datetime | None
    features_lag_seconds: float | None
    features_target_seconds: float | None
    open_alerts: int
    open_failures: int
    success_7: float | None
    success_30: float | None
    slowest_graph: str | None
    run_p50: float | None
    run_p95: float | None
    baseline_p50: float | None
    baseline_p95: float | None
    credits_7: float | None
    known: bool
