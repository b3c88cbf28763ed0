"""The readings of the account: how far each source is, what it cost, when the next is due."""

from __future__ import annotations

from datetime import datetime

from app.schemas.base import Schema
from services.sync.types import SourceKind


class SourceStatus(Schema):
    """One source; ``read_to`` and ``since`` are of the account's clock, ``latency`` and ``seconds`` are seconds."""

    name: str
    title: str
    kind: SourceKind
    latency: float
    warehouse: bool
    as_of: datetime | None
    read_to: datetime | None
    since: datetime | None
    rows: int
    new: int
    statements: int
    seconds: float
    error: str | None
    hint: str | None


class SyncCost(Schema):
    """What was read in the last 24 hours; ``woken`` counts the starts of a warehouse that stood still."""

    readings: int
    statements: int
    seconds: float
    rows: int
    warehouse_readings: int
    woken: int


class SyncStatus(Schema):
    """All sources, and the operation that reads now."""

    sources: list[SourceStatus]
    cost: SyncCost
    as_of: datetime | None
    next_at: datetime | None
    next_warehouse_at: datetime | None
    running: str | None
    failure: str | None
