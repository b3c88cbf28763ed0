"""What was found for those who only look, found once while nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from services.core.revision import Revision
from services.knowledge.known import looks, seeing, shown_as
from services.knowledge.types import Look

Found = TypeVar("Found")
_MOST = 2000


class Remembered:
    """What was read at the present revision. Steps of operations and the checks before them always read."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._lock = threading.Lock()
        self._as_of = -1
        self._found: dict[Hashable, tuple[Any, Look]] = {}

    def get(self, key: Hashable, read: Callable[[], Found]) -> Found:
        """What ``read()`` returned for ``key``; not to be changed by who gets it."""
        if not looks():
            return read()
        revision = self._revision.value
        with self._lock:
            if self._as_of != revision or len(self._found) > _MOST:
                self._found.clear()
                self._as_of = revision
            kept = self._found.get(key)
        if kept is None:
            kept = seeing(read)
            with self._lock:
                # What was read before a change may not be what holds after it.
                if self._as_of == revision:
                    self._found[key] = kept
        found: Found = kept[0]
        shown_as(kept[1])
        return found
