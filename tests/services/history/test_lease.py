"""One process writes; it knows at once when it may not any more; another takes over."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from filling import NOW, fill, task

from services.core.errors import Unavailable
from services.db.engine import Database
from services.db.migrate import migrate
from services.db.records import LeaseRecord
from services.history import History
from services.history.keeper import Keeper
from services.history.lease import Lease, LeaseLost
from services.history.reading import RunReader
from services.history.snapshots import Snapshots


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = _database(tmp_path)
    yield found
    found.close()


def _database(folder: Path) -> Database:
    found = Database(f"sqlite:///{folder / 'catalogue.sqlite'}")
    migrate(found)
    return found


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ids(history: History) -> list[str]:
    return [one.run_id for one in RunReader(history).newest()]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_holds_it_until_it_ends_or_gives_it_back(database: Database) -> None:
    first = Lease(database, "history", "a")
    second, brief = Lease(database, "history", "b"), Lease(database, "other", "a", seconds=0.05)
    assert (first.acquire(), second.acquire(), first.acquire()) == (True, False, True)
    assert (first.held, second.held) == (True, False)
    second.release()
    assert not second.acquire()
    first.release()
    assert (first.held, second.acquire(), first.acquire()) == (False, True, False)
    assert brief.acquire()
    time.sleep(0.1)
    assert (brief.held, Lease(database, "other", "b").acquire(), brief.acquire()) == (False, True, False)


def test_who_was_stopped_for_long_writes_no_more(database: Database, tmp_path: Path) -> None:
    clock = Time()
    lease = Lease(database, "history", "a", monotonic=clock)
    history = History(tmp_path / "history.duckdb", may_write=lease.require)
    assert lease.acquire()
    history.open()
    fill(history, [task("G")])
    clock.now += 14
    fill(history, [task("G", run="2")])
    clock.now += 1
    with pytest.raises(LeaseLost, match="does not hold the lease 'history' any more"):
        fill(history, [task("G", run="3")])
    assert lease.acquire()
    with pytest.raises(LeaseLost):
        _write_slowly(history, clock)
    assert {row["run_id"] for row in history.rows("SELECT run_id FROM task_runs")} == {"1001", "2"}
    history.close()


def _write_slowly(history: History, clock: Time) -> None:
    with history.write() as db:
        db.execute("DELETE FROM task_runs")
        clock.now += 15


def _hold(folder: Path, started: Callable[[], None]) -> None:
    """The writer, in a process of its own: writes a run every moment until it is killed."""
    database = _database(folder)
    lease = Lease(database, "history", f"writer-{os.getpid()}", seconds=2.0)
    history = History(folder / "history.duckdb", may_write=lease.require)
    keeper = Keeper(history, lease, pace=0.1, clock=lambda: NOW)
    assert keeper.start()
    number = 0
    while True:
        rows = [task("G", run=f"{number:05d}"), task("G$A", run=f"{number:05d}")]
        fill(history, rows, seen_at=NOW + timedelta(seconds=number))
        number += 1
        if number == 3:
            started()
        time.sleep(0.02)


def test_a_reader_follows_the_writer_and_takes_over_when_that_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    writer = context.Process(target=_hold, args=(tmp_path, started.set), daemon=True)
    writer.start()
    assert started.wait(60)
    database = _database(tmp_path)
    history = History(tmp_path / "history.duckdb")
    told: list[str] = []
    lease = Lease(database, "history", "reader", seconds=5.0)
    keeper = Keeper(history, lease, pace=0.1, clock=lambda: NOW, promoted=lambda: told.append("promoted"))
    try:
        assert not keeper.start(wait=60)
        first = len(ids(history))
        assert first
        with pytest.raises(Unavailable, match="Another process writes"):
            fill(history, [task("H")])
        until(lambda: len(history.rows("SELECT 1 FROM graph_runs")) > first)
        seen = {row["run_id"] for row in history.rows("SELECT run_id FROM graph_runs")}
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        until(lambda: told == ["promoted"])
        fill(history, [task("H", run="mine")])
        runs = history.rows("SELECT run_id, count(*) AS n FROM task_runs WHERE graph = 'G' GROUP BY run_id")
        assert seen <= {row["run_id"] for row in runs}
        # Each write was two task runs and their run: all of them or none.
        assert {row["n"] for row in runs} == {2}
        assert len(history.rows("SELECT 1 FROM graph_runs WHERE graph = 'G'")) == len(runs)
    finally:
        writer.kill()
        writer.join()
        keeper.stop()
        database.close()


def test_a_lost_lease_ends_the_writing_until_it_is_free_again(database: Database, tmp_path: Path) -> None:
    lease = Lease(database, "history", "a")
    history = History(tmp_path / "history.duckdb", may_write=lease.require)
    told: list[str] = []
    resting = threading.Event()
    keeper = Keeper(
        history,
        lease,
        clock=lambda: NOW,
        pace=0.1,
        promoted=lambda: told.append("promoted"),
        demoted=lambda: told.append("demoted"),
        at_rest=resting.is_set,
    )
    assert keeper.start()
    fill(history, [task("G", run="first")])
    with database.write() as db:
        db.get_one(LeaseRecord, "history").holder = "b"
    other = Lease(database, "history", "b")
    assert other.acquire()
    until(lambda: told == ["demoted"])
    with pytest.raises(Unavailable):
        fill(history, [task("G")])
    # It reads on, although the other one writes elsewhere.
    assert ids(history) == ["first"]
    other.release()
    time.sleep(0.5)
    assert (told, lease.held) == (["demoted"], False)
    resting.set()
    until(lambda: told == ["demoted", "promoted"])
    fill(history, [task("G", run="second", ago=1)])
    assert sorted(ids(history)) == ["first", "second"]
    keeper.stop()
    assert Lease(database, "history", "c").acquire()


def test_copies_are_whole_and_few(history: History) -> None:
    snapshots = Snapshots(history.path)
    assert (snapshots.wanted(), snapshots.current()) == (False, None)
    snapshots.ask()
    (snapshots.folder / "history-7.partial").write_bytes(b"cut off")
    (snapshots.folder / "reader-1").touch()
    for number in range(4):
        fill(history, [task("G", run=str(number), ago=100 - number)])
        with history.still():
            snapshots.add(history.path)
    found = sorted(one.name for one in snapshots.folder.glob("history-*"))
    assert found == ["history-3.duckdb", "history-4.duckdb"]
    assert snapshots.wanted()
    assert sorted(one.name for one in snapshots.folder.glob("reader-*")) == [f"reader-{os.getpid()}"]
    copy = History(history.path)
    current = snapshots.current()
    assert current is not None
    copy.open_copy(current)
    assert ids(copy) == ids(history) == ["3", "2", "1", "0"]
    copy.close()
    snapshots.leave()
    assert not snapshots.wanted()


def test_what_is_read_is_not_closed_beneath(history: History) -> None:
    fill(history, [task("G")])
    with history.read() as db:
        answer = db.execute("SELECT run_id FROM task_runs")
        history.close()
        assert answer.fetchall() == [("1001",)]
    with pytest.raises(Unavailable):
        history.rows("SELECT 1")
