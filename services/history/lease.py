"""Who may write: one holder at a time, which keeps its lease by renewing it before it ends.

Times are the catalogue database's, so clocks of processes may differ. A holder trusts its lease only for as long as
its own clock says since it *began* to ask for it: one that was stopped for a while knows so when it goes on.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.core.errors import Unavailable
from services.core.logging import logger
from services.db.engine import Database
from services.db.records import LeaseRecord

SECONDS = 15.0

log = logger(__name__)


class LeaseLost(Unavailable):
    """Another process may write by now."""

    code, title = "lease_lost", "Not the writer"


def holder_name(file: Path) -> str:
    """This process, and no other that ever was, with the file that it writes."""
    place = hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:16]
    return f"{socket.gethostname()[:100]}:{place}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def _place(holder: str) -> str:
    return holder.rsplit(":", 2)[0]


class Lease:
    """One named lease as one process sees it. ``acquire`` takes it or renews it."""

    def __init__(
        self,
        database: Database,
        name: str,
        holder: str,
        *,
        seconds: float = SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self.name = name
        self.holder = holder
        self._seconds = seconds
        self._monotonic = monotonic
        self._until = float("-inf")
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether it is this process's now, for certain."""
        return self._monotonic() < self._until

    def require(self) -> None:
        """LeaseLost unless it is held."""
        if not self.held:
            raise LeaseLost(
                f"This process does not hold the lease {self.name!r} any more",
                hint="Another process writes; this one goes on reading.",
            )

    def acquire(self, *, succeeds: bool = False) -> bool:
        """Take it if it is free or ended, renew it if it is this one's; whether it is held afterwards.

        ``succeeds``: this process has the file that is written, so that whoever wrote the same one has ended.
        """
        with self._lock:
            asked = self._monotonic()
            taken = self._take(succeeds)
            self._until = asked + self._seconds if taken else float("-inf")
            return taken

    def release(self) -> None:
        """Give it back, if it is this one's."""
        with self._lock:
            self._until = float("-inf")
            with self._database.write() as db:
                record = db.get(LeaseRecord, self.name)
                if record is not None and record.holder == self.holder:
                    db.delete(record)

    def _take(self, succeeds: bool) -> bool:
        with self._database.write("never") as db:
            now = _now(db)
            record = db.get(LeaseRecord, self.name, with_for_update=True)
            if record is not None and record.holder != self.holder and record.expires_at > now:
                ended = succeeds and _place(record.holder) == _place(self.holder)
                if not ended:
                    return False
            ends = now + timedelta(seconds=self._seconds)
            if record is None:
                db.add(LeaseRecord(name=self.name, holder=self.holder, expires_at=ends))
            else:
                record.holder, record.expires_at = self.holder, ends
        return True


def _now(db: Session) -> datetime:
    """The database's time."""
    if db.connection().dialect.name == "sqlite":
        found = db.execute(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")).scalar_one()
        return datetime.fromisoformat(str(found)).replace(tzinfo=UTC)
    moment: datetime = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
