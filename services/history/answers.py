"""Answers of the history's queries, kept while nothing is written to it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any

from services.history.store import History

MOST = 200
MOST_ROWS = 500


class KeptAnswers:
    """The ``MOST`` answers that were asked for last, each of at most ``MOST_ROWS`` rows: for queries of few values."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._commits = -1
        self._found: OrderedDict[Hashable, list[tuple[Any, ...]]] = OrderedDict()

    def tuples(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query; not to be changed by who gets them."""
        key, commits = (text, tuple(values)), self._history.commits
        with self._lock:
            if commits != self._commits:
                self._found.clear()
                self._commits = commits
            if (found := self._found.get(key)) is not None:
                self._found.move_to_end(key)
                return found
        with self._history.read() as db:
            found = db.execute(text, list(values)).fetchall()
        with self._lock:
            # What was read while something was written may be of before it.
            if self._commits == commits == self._history.commits and len(found) <= MOST_ROWS:
                self._found[key] = found
                if len(self._found) > MOST:
                    self._found.popitem(last=False)
        return found
