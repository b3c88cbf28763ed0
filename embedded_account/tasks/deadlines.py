"""Time limits of running statements: one thread that aborts what exceeds its limit."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from embedded_account.session import Session

# A statement may be between two interruptible steps when it is aborted, so it is aborted again until it ends.
_AGAIN_SECONDS = 0.25


@dataclass
class Deadline:
    session: Session
    at: float
    expired: bool = False


class Deadlines:
    def __init__(self) -> None:
        self._watched: list[Deadline] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="task-deadlines", daemon=True)
        self._thread.start()

    def watch(self, session: Session, at: float) -> Deadline:
        """Abort the session's statement at `at` (time.monotonic) unless it is released before."""
        deadline = Deadline(session, at)
        with self._changed:
            self._watched.append(deadline)
            self._changed.notify()
        return deadline

    def release(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.remove(deadline)

    def hasten(self, session: Session) -> None:
        """Abort the session's statement now, and again until its deadline is released."""
        with self._changed:
            for deadline in self._watched:
                if deadline.session is session:
                    deadline.at = time.monotonic()
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
                waits = [max(d.at - moment, 0) for d in self._watched if d not in late]
                if late:
                    waits.append(_AGAIN_SECONDS)
            for deadline in late:
                deadline.session.abort()
            with self._changed:
                if not self._closed:
                    self._changed.wait(min(waits) if waits else None)
