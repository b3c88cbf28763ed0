"""Keeps a history open the way this process may have it: as its writer while it holds the lease, else by copies.

The lease says who shall write; the lock that DuckDB has on the file says who can. A process writes with both alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from services.core.clock import Clock, utc_now
from services.core.errors import SpokehubError, Unavailable
from services.core.logging import logger
from services.history.lease import Lease
from services.history.retention import KEPT_DAYS, forget
from services.history.snapshots import Publisher, Snapshots
from services.history.store import History

# A dead holder's lease ends by itself; with this pace it is taken up a second later.
_PACE_SECONDS = 1.0
_RENEW_EVERY = 4
_FORGET_EVERY = 3600
_TRIM_EVERY = 30
_FIRST_COPY_SECONDS = 15.0

log = logger(__name__)


class Keeper:
    """``start`` opens the history and keeps it open in a thread. Each change of role calls ``promoted``/``demoted``.

    Who lost the lease takes it again as anybody else does, once ``at_rest`` says that what it did as the writer ended.
    """

    def __init__(
        self,
        history: History,
        lease: Lease,
        *,
        promoted: Callable[[], None] | None = None,
        demoted: Callable[[], None] | None = None,
        at_rest: Callable[[], bool] = lambda: True,
        days: int = KEPT_DAYS,
        pace: float = _PACE_SECONDS,
        clock: Clock = utc_now,
    ) -> None:
        self._history = history
        self._lease = lease
        self._promoted = promoted or _nothing
        self._demoted = demoted or _nothing
        self._at_rest = at_rest
        self._days = days
        self._pace = pace
        self._clock = clock
        self._snapshots = Snapshots(history.path)
        self._publisher = Publisher(history, self._snapshots)
        self._shown: Path | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes."""
        return self._lease.held and self._history.writable

    def start(self, wait: float = _FIRST_COPY_SECONDS) -> bool:
        """Open the history; whether to write it. Waits for a first copy; without one it is read as soon as there is."""
        if not self._take():
            self._snapshots.ask()
            for _ in range(max(1, round(wait / 0.1))):
                if self._show() or self._stopping.wait(0.1):
                    break
        self._thread = threading.Thread(target=self._keep, name="history-keeper", daemon=True)
        self._thread.start()
        return self._history.writable

    def stop(self) -> None:
        """Close the history and give the lease back, so that another process takes over at once."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._snapshots.leave()
        self._history.close()
        try:
            self._lease.release()
        except SpokehubError as error:
            log.warning("lease.not_released", error=error.message, note="it ends by itself")

    def _keep(self) -> None:
        turn = 0
        while not self._stopping.wait(self._pace):
            turn += 1
            try:
                if self._history.writable:
                    self._work(turn)
                else:
                    self._follow()
                if turn % _TRIM_EVERY == 0:
                    self._history.trim()
            except Exception:
                log.exception("history.keeper", note="tried again")

    def _work(self, turn: int) -> None:
        """One round of the writer."""
        if turn % _RENEW_EVERY == 0 or not self._lease.held:
            self._renew()
        if not self._lease.held:
            return
        self._publisher.publish()
        if turn % _FORGET_EVERY == 1:
            gone = forget(self._history, self._clock(), self._days)
            if gone:
                log.info("history.forgot", task_runs=gone, days=self._days)

    def _renew(self) -> None:
        try:
            taken = self._lease.acquire()
        except Unavailable:
            # While the lease lasts this may pass; afterwards it is refused to write until the database answers.
            log.warning("lease.not_renewed", name=self._lease.name)
            return
        if not taken:
            log.error("lease.lost", name=self._lease.name, note="another process takes over")
            self._leave()
            self._demoted()

    def _leave(self) -> None:
        """Become a reader, of what was written here until there is something newer."""
        self._snapshots.ask()
        try:
            self._publisher.publish(now=True)
        except Exception:
            log.exception("history.not_published", note="it is read as soon as the new writer publishes")
        # In the place of what was open, so that nobody who asks meanwhile finds nothing.
        if not self._show():
            self._history.close()

    def _follow(self) -> None:
        """One round of a reader."""
        if self._at_rest() and self._take():
            log.info("lease.taken", name=self._lease.name)
            self._snapshots.leave()
            self._promoted()
        else:
            self._snapshots.ask()
            self._show()

    def _take(self) -> bool:
        """Write, if nobody else has the file and the lease is free: with the file comes the lease of who had it."""
        try:
            file = self._history.claim()
        except Unavailable:
            return False
        if not self._lease.acquire(succeeds=True):
            file.close()
            return False
        self._history.open_claimed(file)
        self._shown = None
        return True

    def _show(self) -> bool:
        """Read the newest copy; whether there is one."""
        current = self._snapshots.current()
        if current is not None and current != self._shown:
            self._history.open_copy(current)
            self._shown = current
        return current is not None


def _nothing() -> None:
    """Nobody asked to be told."""
