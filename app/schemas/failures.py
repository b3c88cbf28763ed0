"""Failures in groups, and what people say of them."""

from __future__ import annotations

from datetime import date, datetime

from app.schemas.base import Listing, Schema
from services.failures.types import FailureKind, FailureState


class Occurrence(Schema):
    """One of a group's failures."""

    at: datetime
    run_id: str | None
    attempt: int | None
    code: str | None
    message: str
    query_id: str | None


class Failure(Schema):
    """One group: the failures of one graph or feature view with one fingerprint. `spoke` is `hub` for a view that the
    hub shares.
    """

    id: str
    kind: FailureKind
    spoke: str
    environment: str
    subject: str
    task: str | None
    fingerprint: str
    state: FailureState
    count: int
    first_at: datetime
    last_at: datetime
    last: Occurrence
    headline: str
    owner: str | None
    note: str | None
    reopened: int
    changed_by: str | None
    changed_at: datetime | None
    recovered_at: datetime | None
    by_day: list[tuple[date, int]]
    occurrences: list[Occurrence]


class FailurePage(Listing[Failure]):
    """`counts`: groups that fit the filter but for their state, by state. `occurrences` are empty in a list."""

    counts: list[tuple[FailureState, int]]
