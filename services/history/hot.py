"""The newest graph runs in memory, for lists that are looked at often.

A list of at most ``DEPTH`` runs for each (spoke, environment, graph) that was asked for; all of them hold at most
``ROOM`` runs, which take some 2 KB each. What has not been asked for longest goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from services.history.types import GraphRunRow

Asked = tuple[str | None, str | None, str | None]
Place = tuple[float, int, str]
DEPTH = 200
ROOM = 8000
LOADED = 4000


@dataclass
class _List:
    rows: list[GraphRunRow]
    # Older runs than these exist in the file; the last key is how far down the list is whole.
    floor: Place | None


class NewestRuns:
    """Threads may read while one writes. ``generation`` changes with each commit that changes runs."""

    def __init__(self) -> None:
        self._lists: OrderedDict[Asked, _List] = OrderedDict()
        self._lock = threading.Lock()
        self.generation = 0

    def get(self, asked: Asked, limit: int) -> tuple[GraphRunRow, ...] | None:
        """The newest, newest first; None when memory does not hold as many."""
        with self._lock:
            kept = self._lists.get(asked)
            if kept is None or (kept.floor is not None and len(kept.rows) < limit):
                return None
            self._lists.move_to_end(asked)
            return tuple(kept.rows[:limit])

    def keep(self, asked: Asked, rows: Iterable[GraphRunRow], generation: int) -> None:
        """Keep what was read (up to ``DEPTH`` and one more) at that generation, unless it has changed since."""
        found = sorted(rows, key=order)
        with self._lock:
            if generation == self.generation:
                self._put(asked, found[:DEPTH], order(found[DEPTH - 1]) if len(found) > DEPTH else None)

    def load(self, rows: Iterable[GraphRunRow], generation: int) -> None:
        """Keep the newest of all (up to ``LOADED`` and one more) as lists of all and of each environment of a spoke."""
        found = sorted(rows, key=order)
        floor = order(found[LOADED - 1]) if len(found) > LOADED else None
        lists: dict[Asked, list[GraphRunRow]] = {(None, None, None): []}
        for one in found[:LOADED]:
            lists[None, None, None].append(one)
            lists.setdefault((one.spoke, one.environment, None), []).append(one)
        with self._lock:
            if generation == self.generation:
                for asked, kept in lists.items():
                    deeper = len(kept) > DEPTH
                    self._put(asked, kept[:DEPTH], order(kept[DEPTH - 1]) if deeper else floor)

    def _put(self, asked: Asked, rows: list[GraphRunRow], floor: Place | None) -> None:
        self._lists[asked] = _List(rows, floor)
        self._lists.move_to_end(asked)
        held = sum(len(one.rows) for one in self._lists.values())
        while held > ROOM and len(self._lists) > 1:
            held -= len(self._lists.popitem(last=False)[1].rows)

    def replace(self, runs: set[str], rows: Iterable[GraphRunRow]) -> None:
        """After a commit: ``rows`` are all attempts of ``runs`` now."""
        new = list(rows)
        with self._lock:
            self.generation += 1
            for (spoke, environment, graph), kept in self._lists.items():
                left = [one for one in kept.rows if one.run_id not in runs]
                left += [
                    one
                    for one in new
                    if spoke in (None, one.spoke)
                    and environment in (None, one.environment)
                    and graph in (None, one.graph)
                    and (kept.floor is None or order(one) <= kept.floor)
                ]
                left.sort(key=order)
                if len(left) > DEPTH:
                    kept.floor = order(left[DEPTH - 1])
                kept.rows = left[:DEPTH]

    def clear(self) -> None:
        """Know nothing: what was written is too much to follow, or nobody said what it was."""
        with self._lock:
            self.generation += 1
            self._lists.clear()


def order(run: GraphRunRow) -> Place:
    """Newest first."""
    return (-run.scheduled_at.timestamp(), -run.attempt, run.run_id)
