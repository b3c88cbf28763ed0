"""Answers of the account kept for a moment, for those who only look.

A page asks the account a dozen things, and is asked for again every second while something goes on. What is
kept is dropped as soon as an operation begins, ends or gets a step done, so that nobody sees the past of what
the service did; what happens in between, and what others do to the account, shows after ``memory`` seconds of
the account's pace.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from services.snowflake.connection import ConnectionSource

_MOST = 500

Rows = list[dict[str, Any]]
# Whoever only looks has a place here for the stamp, which is asked for once.
_looking: ContextVar[list[object] | None] = ContextVar("looking", default=None)


def look(only: bool = True) -> None:
    """From here on, in this task, what is asked may be answered from memory.

    Steps of operations and the checks before them never look: they run elsewhere, or in tasks that did not
    say so.
    """
    _looking.set([] if only else None)


class Answers(Protocol):
    """What reads the account: a connection source, or one with memory."""

    def query(self, text: str, values: tuple[Any, ...] = ()) -> Rows: ...


class RecentAnswers:
    """``query`` of a connection source, with memory. ``stamp()`` changes when the service changes anything."""

    def __init__(self, source: ConnectionSource, stamp: Callable[[], object], memory: float) -> None:
        self._source = source
        self._memory = memory
        self._stamp = stamp
        self._kept: dict[tuple[str, tuple[Any, ...]], tuple[float, Rows]] = {}
        self._as_of: object = None
        self._lock = threading.Lock()

    def query(self, text: str, values: tuple[Any, ...] = ()) -> Rows:
        """The rows of one statement, each as a dict by column name. Not to be changed by who gets them."""
        seen = _looking.get()
        if seen is None:
            return self._source.query(text, values)
        if not seen:
            seen.append(self._stamp())
        now, key = time.monotonic(), (text, values)
        with self._lock:
            if seen[0] != self._as_of or len(self._kept) > _MOST:
                self._kept.clear()
                self._as_of = seen[0]
            found = self._kept.get(key)
        if found is not None and now - found[0] < self._memory:
            return found[1]
        rows = self._source.query(text, values)
        with self._lock:
            # What was asked before a change may not be what holds after it.
            if self._as_of == seen[0]:
                self._kept[key] = (now, rows)
        return rows
