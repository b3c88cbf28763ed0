"""Old task runs go, by whole days; what was summed of them stays, whatever is told of them later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from filling import NOW, fill, task

from services.core.errors import Invalid
from services.history import History
from services.history.retention import forget
from services.history.types import Recorded

DAY = 86_400.0


def kept(history: History) -> list[str]:
    return [row["run_id"] for row in history.rows("SELECT run_id FROM task_runs ORDER BY run_id")]


def test_whole_days_go_and_sums_stay(history: History) -> None:
    # NOW is at noon: ten days ago the day began twelve hours before that.
    old = [task("G", run="a", ago=10.6 * DAY), task("G$A", run="a", ago=10.6 * DAY, took=4)]
    fill(history, [*old, task("G", run="b", ago=10.4 * DAY), task("G", run="c", ago=DAY)])
    sums = {
        table: history.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in ("runs_daily", "tasks_daily")
    }
    runs = history.rows("SELECT * FROM graph_runs ORDER BY ALL")
    assert forget(history, NOW, 10) == 2
    assert kept(history) == ["b", "c"]
    late = [task("G$B", "FAILED", run="a", ago=10.6 * DAY), task("G", run="d", ago=10.7 * DAY)]
    assert fill(history, [*old, *late]) == Recorded()
    assert forget(history, NOW, 10) == 0
    assert {table: history.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in sums} == sums
    assert history.rows("SELECT * FROM graph_runs ORDER BY ALL") == runs
    # Keeping for longer again brings nothing back, and lets nothing old in.
    assert forget(history, NOW, 400) == 0
    assert fill(history, late) == Recorded()


def test_less_than_a_day_is_refused(history: History) -> None:
    fill(history, [task("G")])
    with pytest.raises(Invalid, match="cannot be kept for 0 days"):
        forget(history, NOW, 0)
    assert kept(history) == ["1001"]


def test_writing_the_same_again_and_again_does_not_grow_the_file(history: History) -> None:
    def round_of(seen: datetime, took: float) -> int:
        fill(history, [task("G", run=str(n), ago=9000 - n, took=took) for n in range(3000)], seen_at=seen)
        history.compact()
        return history.path.stat().st_size

    sizes = [round_of(NOW + timedelta(minutes=n), 10.0 + n) for n in range(8)]
    assert max(sizes[4:]) <= max(sizes[:4])
