"""How far a source was read, and what reading it brought: what the readings keep for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a source was read: all that the account showed of [since, read_to), as of `as_of`.

    `checked_at` is when it was last compared by day. Times are aware; `since` and `read_to` are of the account's
    clock.
    """

    source: str
    read_to: datetime
    as_of: datetime
    since: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading of one source brought and cost."""

    source: str
    rows: int = 0
    new: int = 0
    statements: int = 0
    seconds: float = 0.0
    warehouse: bool = True
    error: str | None = None
