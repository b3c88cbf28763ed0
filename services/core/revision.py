"""A number that grows with every change of what pages show: what was rendered before it holds no more."""

from __future__ import annotations

import itertools
import threading
from time import monotonic

SOON_SECONDS = 0.3


class Revision:
    """One for each process. Whatever commits a change calls ``bump`` after it, or ``bump_soon``."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._value = 0
        self._due: float | None = None
        self._lock = threading.Lock()

    @property
    def value(self) -> int:
        due = self._due
        if due is not None and monotonic() >= due:
            self.bump()
        return self._value

    def bump(self) -> None:
        with self._lock:
            self._value = next(self._count)
            self._due = None

    def bump_soon(self) -> None:
        """``bump`` within ``SOON_SECONDS``: of what comes in great numbers, each need not be shown by itself."""
        with self._lock:
            if self._due is None:
                self._due = monotonic() + SOON_SECONDS
