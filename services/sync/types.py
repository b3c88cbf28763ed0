"""What is known of the readings of the account.

Functions (`services.sync`):

- `status() -> SyncStatus`: each source with the moment up to which it was read, what the last reading brought and
  cost, what it could not read, and when the next readings are due; asks the history alone.
- `start(actor, spoke=None, environment=None) -> OperationView`: submits `sync.run`, which reads all now; NotFound 404
  and Invalid 422 for what is not onboarded. Who asks for what is queued or running already is given that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Reach = Literal["free", "all"]
SourceKind = Literal["catalogue", "live", "usage"]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source. Times are of the service's clock, but `read_to` is of the account's: what happened until then
    was asked for. `latency` is how late the account says it may tell, in seconds. `since` is how far back was read.

    `rows`, `new`, `statements` and `seconds` are of the last reading. `error` says why the last reading failed,
    `hint` what to do; what was read before is kept.
    """

    name: str
    title: str
    kind: SourceKind
    latency: float
    warehouse: bool
    as_of: datetime | None = None
    read_to: datetime | None = None
    since: datetime | None = None
    rows: int = 0
    new: int = 0
    statements: int = 0
    seconds: float = 0.0
    error: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class SyncCost:
    """What the readings of the last 24 hours cost: `warehouse_readings` is how many of them needed a warehouse,
    `woken` how often it stood still and was started for one."""

    readings: int = 0
    statements: int = 0
    seconds: float = 0.0
    rows: int = 0
    warehouse_readings: int = 0
    woken: int = 0


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """All sources. `next_at` is the next scheduled reading, `next_warehouse_at` the next that needs a warehouse;
    None while nothing is scheduled here. `running` is the operation that reads now. `failure` is why the last one
    failed as a whole, as when the account does not answer.
    """

    sources: tuple[SourceStatus, ...]
    cost: SyncCost
    as_of: datetime | None = None
    next_at: datetime | None = None
    next_warehouse_at: datetime | None = None
    running: str | None = None
    failure: str | None = None
