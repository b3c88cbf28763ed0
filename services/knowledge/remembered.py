"""What the catalogue said, for those who only look: read once while nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from services.core.revision import Revision
from services.knowledge.known import looks

Found = TypeVar("Found")
_MOST = 2000
_MISSING = object()


class Remembered:
    """What was read at the present revision. Steps of operations and the checks before them always read."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._lock = threading.Lock()
        self._as_of = -1
        self._found: dict[Hashable, Any] = {}

    def get(self, key: Hashable, read: Callable[[], Found]) -> Found:
        """What ``read()`` returned for ``key``; not to be changed by who gets it."""
        if not looks():
            return read()
        revision = self._revision.value
        with self._lock:
            if self._as_of != revision or len(self._found) > _MOST:
                self._found.clear()
                self._as_of = revision
            found: Any = self._found.get(key, _MISSING)
        if found is _MISSING:
            found = read()
            with self._lock:
                # What was read before a change may not be what holds after it.
                if self._as_of == revision:
                    self._found[key] = found
        kept: Found = found
        return kept
