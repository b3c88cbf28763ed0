"""Models and versions."""

from __future__ import annotations

from datetime import datetime

from app.schemas.base import Schema


class ModelVersion(Schema):
    """One version with what was registered beside it.."""

    model: str
    version: str
    created_at: datetime
    is_default: bool
    aliases: list[str]
    comment: str
    metrics: dict[str, float]
    naive_metrics: dict[str, float]
    feature_views: list[str]
    dataset: str | None
    functions: list[str]
    run_id: str | None
    graph: str | None
    passed: bool | None


class Model(Schema):
    """A model and its versions, newest first."""

    name: str
    schema_name: str
    default_version: str | None
    versions: list[ModelVersion]
    comment: str
