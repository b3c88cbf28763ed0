"""A number that grows with every change of what pages show: what was rendered before it holds no more."""

from __future__ import annotations

import itertools
import threading


class Revision:
    """One for each process. Whatever commits a change calls ``bump`` after it."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._value = 0
        self._lock = threading.Lock()

    @property
    def value(self) -> int:
        return self._value

    def bump(self) -> None:
        with self._lock:
            self._value = next(self._count)
