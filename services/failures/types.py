"""Failures with one cause as one thing that somebody handles.

A failure is an attempt at a graph's run that ended FAILED, or a refresh of a feature view that did. Those of one
spoke, environment, graph (or feature view) and fingerprint are a group. A group is open until somebody resolves it;
a later occurrence opens it again. What has not occurred for ``HORIZON_DAYS`` is no longer told of.

Functions (`services.failures`):

- `search(FailureFilter(...), sort="last", limit=50, cursor=None) -> FailurePage`: Invalid 422 for a bad filter.
- `get(failure_id: str) -> Failure`: with its newest occurrences; NotFound 404.
- `open_count() -> int`: cheap enough for every page.
- `change(failure_ids, change: Change, actor: str) -> tuple[Failure, ...]`: all or none; NotFound 404, Invalid 422.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

HORIZON_DAYS = 90
MOST_NOTE, MOST_OWNER = 2_000, 200

FailureKind = Literal["graph", "refresh"]
FailureState = Literal["open", "acknowledged", "resolved"]
STATES: tuple[FailureState, ...] = ("open", "acknowledged", "resolved")
SORTS = ("last", "first", "count")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One of a group's failures. ``at`` is when it failed; a refresh has no run."""

    at: datetime
    run_id: str | None
    attempt: int | None
    code: str | None
    message: str
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One group. ``subject`` is the graph or the feature view, ``task`` the failed task of a graph. ``spoke`` is
    ``HUB`` for a view that the hub shares.

    ``headline`` is the line of the newest message that matters. ``recovered_at`` is when the subject succeeded
    after its newest failure. ``reopened`` counts how often it came back after it was resolved. ``by_day`` are the
    failures of the last 14 days, oldest first.
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
    owner: str | None = None
    note: str | None = None
    reopened: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None
    recovered_at: datetime | None = None
    by_day: tuple[tuple[date, int], ...] = ()
    occurrences: tuple[Occurrence, ...] = ()


@dataclass(frozen=True, slots=True)
class FailurePage:
    """``counts`` are the groups that fit the filter but for their state, by state."""

    items: tuple[Failure, ...] = ()
    next_cursor: str | None = None
    counts: Sequence[tuple[FailureState, int]] = ()
