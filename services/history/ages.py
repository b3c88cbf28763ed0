"""When the account last told of a part of the history."""

from __future__ import annotations

from datetime import datetime

from services.history.store import History, aware

RUNS, REFRESHES = "graph_runs", "refreshes"
# Which marks the readings have that bring the rows of a table.
_MARKS = {RUNS: ("task", "run"), REFRESHES: ("refresh",)}


class Age:
    """Of the rows of these tables: of the one that was told of the longest ago."""

    def __init__(self, history: History, *tables: str) -> None:
        self._history = history
        self._text = f"SELECT least({', '.join(map(_told, tables))}) AS at"
        self._kept: tuple[int, datetime | None] | None = None

    def __call__(self) -> datetime | None:
        """None while it never did; asked again once something was written."""
        commits = self._history.commits
        if self._kept is None or self._kept[0] != commits:
            self._kept = (commits, aware(self._history.rows(self._text)[0]["at"]))
        return self._kept[1]


def _told(table: str) -> str:
    marks = " OR ".join(f"source ILIKE '%{mark}%'" for mark in _MARKS[table])
    # A reading that found nothing new has read all the same.
    return f"greatest((SELECT max(seen_at) FROM {table}), (SELECT max(as_of) FROM sync_marks WHERE {marks}))"
