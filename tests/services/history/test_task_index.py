"""The index of task runs has what the history has, whatever was written, or it says that it cannot tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from filling import NOW, fill, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.history import History, row_files, runs, task_index
from services.history.retention import forget
from services.history.store import aware
from services.history.task_index import COLUMNS, NEWEST, PACKED

ALL = frozenset({"SUCCEEDED", "FAILED", "EXECUTING", "SKIPPED", "SCHEDULED"})
ROWS = st.tuples(
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.integers(1, 3),
    st.integers(1, 400),
    st.sampled_from(sorted(ALL)),
    st.sampled_from(["G", "G$ONE", "G$TWO"]),
)


def whole(history: History, where: str = "true") -> list[tuple[Any, ...]]:
    """As the history's own file has them."""
    with history.read() as db:
        rows = db.execute(
            f"SELECT {', '.join(COLUMNS)} FROM task_runs WHERE {where} ORDER BY {NEWEST}"
        ).fetchall()
    return [tuple(aware(cell) if isinstance(cell, datetime) else cell for cell in row) for row in rows]


def one(run: str, attempt: int, ago: int, state: str, name: str) -> dict[str, Any]:
    return task(name, state, run=run, attempt=attempt, ago=ago * 60)


def check(history: History) -> None:
    """Everything that is told is what the file has; without a floor everything is told."""
    index, found = history.tasks, whole(history)
    assert index.current
    state = COLUMNS.index("state")
    for limit in (1, 3, 100):
        for states in (None, frozenset({"SUCCEEDED"}), frozenset({"FAILED", "SKIPPED"})):
            told = index.newest({"graph": "G"}, states, limit)
            fitting = [row for row in found if states is None or row[state] in states]
            assert told == fitting[:limit] or (told is None and index.floor is not None)
        rare = index.unsuccessful("true", [], NEWEST, limit)
        others = [row for row in found if row[state] != "SUCCEEDED"]
        assert rare == others[:limit] or (rare is None and index.unsuccessful_floor is not None)
    since = datetime(2000, 1, 1, tzinfo=UTC) if index.floor is None else index.floor + timedelta(seconds=1)
    place = ("tides", "DEV", "G")
    for run in ("a", "b", "c", "d", "e", "none"):
        told = index.of_runs(place, [run], since)
        assert told is not None
        expected = history.rows(
            f"SELECT {', '.join(PACKED)}, run_id FROM task_runs WHERE run_id = ? AND scheduled_at >= ?",
            [run, since.replace(tzinfo=None)],
        )
        aware_rows = [
            {k: aware(v) if isinstance(v, datetime) else v for k, v in row.items()} for row in expected
        ]
        assert _sorted([row for row in told if row["scheduled_at"] >= since]) == _sorted(aware_rows)
    if index.floor is not None:
        assert index.of_runs(place, ["a"], index.floor) is None


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["run_id"], row["attempt"], row["name"]))


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.tuples(st.lists(ROWS, max_size=5), st.booleans()), min_size=1, max_size=6),
    room=st.integers(1, 12),
    within=st.integers(0, 2),
)
def test_it_follows_whatever_is_written(
    parts: Sequence[tuple[Sequence[tuple[str, int, int, str, str]], bool]],
    room: int,
    within: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task_index, "ROOM", room)
        patch.setattr(task_index, "ROOM_UNSUCCESSFUL", room)
        patch.setattr(runs, "_WITHIN", within)
        history = History(tmp_path_factory.mktemp("history") / "history.duckdb")
        history.open()
        history.wait_for_index()
        try:
            for part, looked_at in parts:
                fill(history, [one(*row) for row in part])
                if looked_at:
                    history.wait_for_index()
                    check(history)
            # And made anew it is the same.
            with history.write() as db:
                db.execute("SELECT 1")
            history.wait_for_index()
            check(history)
        finally:
            history.close()


def test_a_large_reading_is_followed_after_its_commit(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is written meanwhile, too; until then it cannot tell."""
    monkeypatch.setattr(runs, "_WITHIN", 1)
    monkeypatch.setattr(history.tasks, "build", lambda *_: pytest.fail("it was followed"))
    read = row_files.read_changes
    asked = []

    def slowly(*given: Any) -> Any:
        found = read(*given)
        asked.append(len(given[1]))
        if len(asked) == 1:
            assert history.tasks.newest({}, None, 1) is None
            fill(history, [one("b", 1, 7, "SUCCEEDED", "G")])
        return found

    monkeypatch.setattr(row_files, "read_changes", slowly)
    fill(history, [one("a", 1, 9, "SUCCEEDED", "G"), one("b", 1, 8, "FAILED", "G")])
    history.wait_for_index()
    assert asked == [1, 1]
    check(history)


def test_what_could_not_be_followed_is_made_anew(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_WITHIN", 0)

    def without_memory(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(row_files, "read_changes", without_memory)
    fill(history, [one("a", 1, 9, "SUCCEEDED", "G")])
    history.wait_for_index()
    check(history)


@pytest.mark.parametrize("at_once", [1, 2, 20_000])
def test_a_group_whose_rows_come_in_parts_is_whole(
    history: History, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Hours apart: the parts that are read at once are less than a run."""
    monkeypatch.setattr(task_index, "_AT_ONCE", at_once)
    fill(history, [one("a", 1, 400 - 61 * number, "SUCCEEDED", f"G${number}") for number in range(6)])
    fill(history, [one("b", 1, 400 - 130 * number, "FAILED", f"G${number}") for number in range(3)])
    with history.write() as db:
        db.execute("SELECT 1")
    history.wait_for_index()
    check(history)


def test_what_is_forgotten_is_not_in_it(history: History) -> None:
    """Of a run on both sides of the day the part that is kept."""
    rows = [
        one("a", 1, 60 * 24 * 3, "FAILED", "G"),
        one("a", 2, 60 * 24 * 3 - 60 * 30, "SUCCEEDED", "G"),
        one("b", 1, 60 * 24 * 3, "SUCCEEDED", "G"),
        one("c", 1, 5, "FAILED", "G"),
    ]
    fill(history, rows)
    building = []
    history.tasks.build = lambda *_: building.append(1)  # type: ignore[method-assign,func-returns-value]
    assert forget(history, NOW, 2) == 2
    assert (len(whole(history)), building) == (2, [])
    check(history)
    assert history.index.current


def test_an_end_between_the_two_commits_is_noticed(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(history, [one("a", 1, 9, "SUCCEEDED", "G")])
    with monkeypatch.context() as patch:
        patch.setattr(history._rows, "follow", lambda *_: None)
        fill(history, [one("b", 1, 8, "FAILED", "G")])
    history.close()
    history.open()
    history.wait_for_index()
    check(history)
    assert len(whole(history)) == 2


def test_the_one_is_used_while_the_other_is_damaged(history: History) -> None:
    fill(history, [one("a", 1, 9, "SUCCEEDED", "G")])
    history.close()
    history.tasks.path.write_bytes(b"no database at all")
    made = history.index.build
    history.index.build = lambda *_: pytest.fail("it was there")  # type: ignore[method-assign]
    history.open()
    history.wait_for_index()
    history.index.build = made  # type: ignore[method-assign]
    check(history)


def test_without_room_on_the_disk_it_cannot_tell(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(history.tasks, "replace", full)
    monkeypatch.setattr(history.tasks, "build", full)
    fill(history, [one("a", 1, 9, "FAILED", "G")])
    history.wait_for_index()
    assert history.tasks.newest({}, None, 1) is None
    assert history.tasks.unsuccessful("true", [], NEWEST, 1) is None
    assert history.tasks.of_runs(("tides", "DEV", "G"), ["a"], NOW) is None
    assert history.index.current
