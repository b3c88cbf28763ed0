"""The row index has what the history has, whatever was written since it was made, or it says that it cannot tell."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filling import fill, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.history import History, row_index
from services.history.reading import RunReader
from services.history.store import RUN_COLUMNS, graph_run
from services.history.types import GraphRunRow, Row

ASKED: tuple[tuple[str | None, ...], ...] = (
    (None, None, None),
    ("tides", "DEV", None),
    ("tides", "DEV", "G"),
    (None, None, "H"),
    ("tides", "PROD", None),
)


def whole(history: History) -> list[GraphRunRow]:
    """As the history's own file has them."""
    with history.read() as db:
        rows = db.execute(f"SELECT {RUN_COLUMNS} FROM graph_runs ORDER BY {row_index.NEWEST}").fetchall()
    return [graph_run(row) for row in rows]


def indexed(history: History) -> list[GraphRunRow] | None:
    return history.index.newest("true", [], 100_000)


def many(graph: str = "G", count: int = 30, **more: Any) -> list[Row]:
    return [task(graph, run=f"{graph}{number:03d}", ago=9000 - number, **more) for number in range(count)]


def test_lists_are_those_of_the_file_without_a_query(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(history, many())
    fill(history, many("H", schema="TIDES_PROD"))
    fill(
        history,
        [task("G", run="new", ago=1), task("H", run="other", ago=2), task("G", run="late", ago=90_000)],
    )
    fill(history, [task("G", run="G019", ago=9000 - 19, took=77)])
    found = whole(history)
    expected = [
        tuple(
            one
            for one in found
            if all(
                want in (None, has)
                for want, has in zip(asked, (one.spoke, one.environment, one.graph), strict=True)
            )
        )[:20]
        for asked in ASKED
    ]
    monkeypatch.setattr(history, "read", lambda: pytest.fail("the index has them"))
    assert [RunReader(history).newest(*asked, limit=20) for asked in ASKED] == expected
    assert [one.run_id for one in expected[2][:1]] == ["new"]


RUNS = st.tuples(
    st.sampled_from(["a", "b", "c", "d", "e", "f"]),
    st.integers(1, 3),
    st.integers(1, 400),
    st.sampled_from(["SUCCEEDED", "FAILED", "EXECUTING", "SKIPPED"]),
)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.lists(RUNS, max_size=4), min_size=1, max_size=6), room=st.integers(1, 6))
def test_it_follows_whatever_is_written(
    parts: Sequence[Sequence[tuple[str, int, int, str]]], room: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_index, "ROOM", room)
        patch.setattr(row_index, "_MOST", room + 2)
        patch.setattr("services.history.row_files.ROOM", room)
        history = History(tmp_path_factory.mktemp("history") / "history.duckdb")
        history.open()
        try:
            for part in parts:
                fill(
                    history,
                    [
                        task("G", run=run, attempt=attempt, ago=ago * 60, state=state)
                        for run, attempt, ago, state in part
                    ],
                )
                history.wait_for_index()
                found, floor = whole(history), history.index.floor
                assert history.index.some("true", []) == [
                    one for one in found if floor is None or one.scheduled_at > floor
                ]
                for limit in (1, 3, 100):
                    told = history.index.newest("true", [], limit)
                    assert told == found[:limit] or (told is None and floor is not None)
        finally:
            history.close()


def test_what_was_written_otherwise_is_noticed(history: History) -> None:
    fill(history, [task("G")])
    assert indexed(history) == whole(history)
    with history.write() as db:
        db.execute("DELETE FROM graph_runs")
    history.wait_for_index()
    assert (indexed(history), whole(history)) == ([], [])


def test_an_end_between_the_two_commits_is_noticed(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(history, [task("G")])
    with monkeypatch.context() as patch:
        patch.setattr(history._rows, "follow", lambda *_: None)
        fill(history, [task("G", run="2", ago=10)])
    history.close()
    history.open()
    history.wait_for_index()
    assert indexed(history) == whole(history)
    assert len(whole(history)) == 2


def test_one_of_another_history_is_not_used(history: History, tmp_path: Path) -> None:
    fill(history, [task("G")])
    history.close()
    other = History(tmp_path / "other.duckdb")
    shutil.copy(history.index.path, other.index.path)
    other.open()
    other.wait_for_index()
    assert (indexed(other), whole(other)) == ([], [])
    other.close()


def test_it_is_kept_while_nothing_changes(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(history, [task("G")])
    history.close()
    monkeypatch.setattr(history.index, "build", lambda *_: pytest.fail("it was there"))
    history.open()
    assert indexed(history) == whole(history)


@pytest.mark.parametrize("damage", [b"", b"no database at all"])
def test_a_damaged_one_is_made_anew(history: History, damage: bytes) -> None:
    fill(history, [task("G")])
    history.close()
    history.index.path.write_bytes(damage)
    history.open()
    history.wait_for_index()
    assert indexed(history) == whole(history)
    assert len(whole(history)) == 1


def test_without_room_on_the_disk_the_history_answers(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(history, [task("G")])

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(history.index, "replace", full)
    monkeypatch.setattr(history.index, "build", full)
    fill(history, [task("G", run="2", ago=10)])
    history.wait_for_index()
    assert history.index.newest("true", [], 1) is None
    assert [one.run_id for one in RunReader(history).newest()] == ["2", "1001"]


def test_times_keep_their_microseconds(history: History) -> None:
    fill(history, [task("G", ago=1.234567)])
    (found,) = indexed(history) or ()
    assert found.scheduled_at == whole(history)[0].scheduled_at
    before, after = found.scheduled_at - timedelta(microseconds=1), found.scheduled_at
    assert history.index.newest("scheduled_at > ?", [before], 1) == [found]
    assert history.index.newest("scheduled_at > ?", [after], 1) == []


def test_who_reads_while_it_is_made_anew_reads_the_new_one_afterwards(history: History) -> None:
    fill(history, [task("G")])
    with history.index._used() as reading:
        reading.execute("SELECT * FROM runs").fetchall()
        with history.write() as db:
            db.execute("UPDATE graph_runs SET state = 'CANCELLED'")
        history.wait_for_index()
    assert indexed(history) == whole(history)
    assert [one.state for one in whole(history)] == ["CANCELLED"]


def test_damage_that_shows_while_reading_is_mended(history: History) -> None:
    fill(history, many(count=400))
    history.close()
    with open(history.index.path, "r+b") as file:
        file.seek(8192)
        file.write(bytes(history.index.path.stat().st_size - 8192))
    history.open()
    assert history.index.current
    assert [one.run_id for one in RunReader(history).newest(limit=1)] == [whole(history)[0].run_id]
    wait(lambda: history.index.current)
    assert indexed(history) == whole(history)


def wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_copy_takes_the_place_once_the_index_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be made of what is no longer read, and be taken for current."""
    history = History(tmp_path / "history.duckdb")
    history.open()
    history.wait_for_index()
    copy = tmp_path / "copy.duckdb"
    with history.still():
        shutil.copy(history.path, copy)
    began, go = threading.Event(), threading.Event()
    build = history.index.build

    def slowly(*given: Any) -> None:
        began.set()
        assert go.wait(10)
        build(*given)

    monkeypatch.setattr(history.index, "build", slowly)
    with history.write() as db:
        db.execute("DELETE FROM graph_runs")
    assert began.wait(10)
    opening = threading.Thread(target=history.open_copy, args=(copy,))
    opening.start()
    opening.join(0.3)
    go.set()
    opening.join(10)
    history.wait_for_index()
    assert (history.writable, history.index.current) == (False, False)
    history.close()
