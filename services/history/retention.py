"""What is kept how long: task runs for so many whole days, graph runs and the sums by day for ever.

The sums of a day without its task runs could not be made again, so what is told of such days later is not taken.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb

from services.core.errors import Invalid
from services.history.store import History, naive
from services.history.task_index import TaskChange

KEPT_DAYS = 400
_TABLES = ("task_runs", "told_runs")


def kept_from(db: duckdb.DuckDBPyConnection) -> datetime | None:
    """The first moment of which task runs are kept; None while all are."""
    ((found,),) = db.execute("SELECT max(task_runs_from) FROM kept").fetchall()
    return found if isinstance(found, datetime) else None


def forget(history: History, now: datetime, days: int = KEPT_DAYS) -> int:
    """Remove the task runs of days that ended more than ``days`` days ago, and give their room back.

    Returns how many. Raises Invalid for less than one day.
    """
    if days < 1:
        raise Invalid(f"Task runs cannot be kept for {days} days", hint="Keep them for one day or more.")
    today = naive(now)
    assert today is not None
    first = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    with history.read() as db:
        ((oldest,),) = db.execute("SELECT min(scheduled_at) FROM task_runs").fetchall()
    if oldest is None or oldest >= first:
        return 0
    with history.write() as db:
        ((gone,),) = db.execute("SELECT count(*) FROM task_runs WHERE scheduled_at < ?", [first]).fetchall()
        for table in _TABLES:
            db.execute(f"DELETE FROM {table} WHERE scheduled_at < ?", [first])
        before = kept_from(db) or first
        db.execute("DELETE FROM kept")
        db.execute("INSERT INTO kept VALUES (?)", [max(first, before)])
        history.changed_runs(set(), (), TaskChange(forgotten=first))
    history.compact()
    return int(gone)
