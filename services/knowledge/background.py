"""Reads parts in a thread of its own, which there is only while something is to be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from services.core.clock import Clock, utc_now
from services.core.errors import SpokehubError, Unavailable
from services.core.logging import logger

# Pauses before the next try while the account does not answer.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

log = logger(__name__)


class Stopped(Exception):
    """The service stops: what is being read is left as it was known."""


class Background:
    """``read(part)`` says whether all of it was read; it is called again, after a growing pause, until it does."""

    def __init__(self, read: Callable[[str | None], bool], clock: Clock = utc_now) -> None:
        self._read = read
        self._clock = clock
        self._guard = threading.Condition()
        # part → when it is its turn. What is requested while it is being read is wanted again: what was asked of the
        # account before may be too old for who requested it.
        self._wanted: dict[str | None, float] = {}
        # One at most.
        self._reading: set[str | None] = set()
        self._pause = _FIRST_PAUSE
        self._worker: threading.Thread | None = None
        self._stopping = False
        self.next_at: datetime | None = None

    def request(self, parts: Collection[str | None], wait: float = 0.0) -> None:
        """Read them soon; returns when all have been tried, after ``wait`` seconds at the latest."""
        with self._guard:
            if self._stopping:
                return
            self._wanted.update(dict.fromkeys(parts, 0.0))
            self._pause = _FIRST_PAUSE
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="knowledge", daemon=True)
                self._worker.start()
            self._guard.notify_all()
            self._guard.wait_for(lambda: not any(self._untried(part) for part in parts), wait)

    @property
    def busy(self) -> bool:
        """Whether it reads, or is about to; not while it waits for the next try."""
        with self._guard:
            return any(map(self._untried, self._reading | self._wanted.keys()))

    def _untried(self, part: str | None) -> bool:
        return part in self._reading or self._wanted.get(part) == 0.0

    def check(self) -> None:
        """Stopped once the service stops."""
        if self._stopping:
            raise Stopped

    def stop(self, timeout: float = 2.0) -> None:
        """Begin nothing more."""
        with self._guard:
            self._stopping = True
            self._guard.notify_all()
            worker = self._worker
        if worker is not None:
            worker.join(timeout)

    def _work(self) -> None:
        while self._await_turn():
            (part,) = self._reading
            self._done(part, self._try(part))

    def _try(self, part: str | None) -> bool:
        try:
            return self._read(part)
        except Stopped:
            return False
        except SpokehubError as error:
            # The part is gone, or the catalogue does not answer.
            log.warning("knowledge.not_read", part=part, message=error.message)
            return not isinstance(error, Unavailable)
        except Exception:
            log.exception("knowledge.broke", part=part)
            return True

    def _await_turn(self) -> bool:
        """Wait until something is due, which is ``_reading`` then; False when nothing is wanted any more."""
        with self._guard:
            while self._wanted and not self._stopping:
                part = min(self._wanted, key=lambda name: self._wanted[name])
                left = self._wanted[part] - time.monotonic()
                if left <= 0:
                    self.next_at = None
                    del self._wanted[part]
                    self._reading.add(part)
                    return True
                self.next_at = self._clock() + timedelta(seconds=left)
                self._guard.wait(left)
            self._worker, self.next_at = None, None
            return False

    def _done(self, part: str | None, read: bool) -> None:
        with self._guard:
            self._reading.discard(part)
            if read:
                self._pause = _FIRST_PAUSE
            else:
                self._wanted.setdefault(part, time.monotonic() + self._pause)
                # At once, as who waited for the try may ask next.
                self.next_at = self._clock() + timedelta(seconds=self._pause)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._guard.notify_all()
