"""Time limits of running statements: one thread that aborts what exceeds its limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from embedded_account.errors import SnowflakeError
from embedded_account.session import Session

# A statement may be between two interruptible steps when it is aborted, so it is aborted again until it ends.
_AGAIN_SECONDS = 0.25


@dataclass
class Deadline:
    """`expired` when its time has come, `hastened` when somebody ended it before."""

    session: Session
    at: float
    expired: bool = False
    hastened: bool = False


def timed_out(limit: float) -> SnowflakeError:
    return SnowflakeError(
        f"Statement reached its statement or warehouse timeout of {limit:g} second(s) and was canceled.",
        630,
        "57014",
    )


class Deadlines:
    def __init__(self) -> None:
        self._watched: list[Deadline] = []
        self._changed = threading.Condition()
        self._closed = False
        # When the thread wakes by itself: most deadlines come later than that, and need not wake it.
        self._wakes = float("inf")
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
        self._thread.start()

    def watch(self, session: Session, at: float) -> Deadline:
        """Abort the session's statement at `at` (time.monotonic) unless it is released before."""
        deadline = Deadline(session, at)
        with self._changed:
            self._watched.append(deadline)
            if at < self._wakes:
                self._changed.notify()
        return deadline

    def release(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.remove(deadline)

    @contextmanager
    def limit(self, session: Session, seconds: float) -> Iterator[None]:
        """Abort what the block does in the session after so many seconds; 0 is no limit.

        Raises:
            SnowflakeError: 000630, in the place of the failure that the abort caused.
        """
        if not seconds:
            yield
            return
        watch = self.watch(session, time.monotonic() + seconds)
        try:
            yield
        except (SnowflakeError, duckdb.Error) as failure:
            if watch.expired and not watch.hastened:
                raise timed_out(seconds) from failure
            raise
        finally:
            self.release(watch)

    def hasten(self, session: Session) -> None:
        """Abort the session's statement now, and again until its deadline is released."""
        with self._changed:
            for deadline in self._watched:
                if deadline.session is session:
                    deadline.at, deadline.hastened = time.monotonic(), True
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                moment = time.monotonic()
                late = [d for d in self._watched if d.at <= moment]
                for deadline in late:
                    deadline.expired = True
                times = [d.at for d in self._watched if d not in late]
                if late:
                    times.append(moment + _AGAIN_SECONDS)
                # Under the lock: what was released is not aborted, or the session's next statement would be.
                for deadline in late:
                    deadline.session.abort()
                self._wakes = min(times, default=float("inf"))
                self._changed.wait(self._wakes - moment if times else None)
