"""Spokes and their environments."""

from __future__ import annotations

from datetime import datetime

from app.schemas.base import Schema


class SpokeEnvironment(Schema):
    """A spoke in one environment."""

    environment: str
    schema_name: str
    onboarded_at: datetime
    bundle: str | None
    deployed_at: datetime | None
    predictions: tuple[str, ...]


class Spoke(Schema):
    """One project team and what it declared of itself in `spoke.yaml`."""

    name: str
    title: str
    owner: str
    description: str
    environments: list[SpokeEnvironment]
