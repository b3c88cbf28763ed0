"""When the account last told of a part of the history."""

from __future__ import annotations

from datetime import datetime

from services.history.store import History, aware


class Age:
    """Of the rows of ``table``, which readings bring whose mark is like one of ``sources``."""

    def __init__(self, history: History, table: str, *sources: str) -> None:
        self._history = history
        marks = " OR ".join(f"source ILIKE '%{source}%'" for source in sources)
        # A reading that found nothing new has read all the same.
        self._text = (
            f"SELECT greatest((SELECT max(seen_at) FROM {table}),"
            f" (SELECT max(as_of) FROM sync_marks WHERE {marks})) AS at"
        )
        self._kept: tuple[int, datetime | None] | None = None

    def __call__(self) -> datetime | None:
        """None while it never did; asked again once something was written."""
        commits = self._history.commits
        if self._kept is None or self._kept[0] != commits:
            self._kept = (commits, aware(self._history.rows(self._text)[0]["at"]))
        return self._kept[1]


def of_runs(history: History) -> Age:
    """Of graph runs."""
    return Age(history, "graph_runs", "task", "run")


def of_refreshes(history: History) -> Age:
    """Of refreshes of dynamic tables."""
    return Age(history, "refreshes", "refresh")
