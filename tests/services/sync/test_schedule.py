"""What is due when: little of what costs, less still while it fails, and nothing on top of what goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.core.errors import Conflict, Unavailable
from services.core.settings import SyncSettings
from services.db.engine import Database
from services.history import History
from services.operations import (
    OperationFilter,
    OperationKind,
    Operations,
    OperationState,
    Registry,
    Step,
    runner,
)
from services.sync.marks import Mark
from services.sync.operations import SyncRun
from services.sync.repository import Readings
from services.sync.schedule import Intervals, Schedule, due
from services.sync.sources import DAY, HOUR, KIND, LIVE_REFRESHES, TASKS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIVE = Intervals.of(SyncSettings(), embedded=False)
FREE = {"reach": "free", "if_running": False, "usage": False, "check": False}


def marks(live: timedelta, usage: timedelta, checked: timedelta = HOUR) -> dict[str, Mark]:
    return {
        LIVE_REFRESHES: Mark(LIVE_REFRESHES, NOW, NOW - live),
        TASKS.name: Mark(TASKS.name, NOW, NOW - usage, checked_at=NOW - checked),
    }


@pytest.mark.parametrize(
    ("embedded", "given", "expected"),
    [
        (False, SyncSettings(), (300, 3600, 3600)),
        (True, SyncSettings(), (300, 300, 300)),
        (False, SyncSettings(every=7200), (7200, 7200, 7200)),
        (False, SyncSettings(every=60, warehouse=600), (60, 600, 600)),
        (True, SyncSettings(every=600, warehouse=60), (600, 600, 600)),
    ],
)
def test_intervals(embedded: bool, given: SyncSettings, expected: tuple[int, int, int]) -> None:
    found = Intervals.of(given, embedded)
    assert found == Intervals(*(timedelta(seconds=one) for one in expected))


def test_nothing_is_scheduled_without_an_interval() -> None:
    assert Intervals.of(SyncSettings(every=None), embedded=True) is None


@pytest.mark.parametrize(
    ("known", "warm", "expected"),
    [
        ({}, False, {"reach": "all", "if_running": False, "usage": True, "check": True}),
        (marks(5 * MINUTE, 5 * MINUTE), False, FREE),
        (marks(5 * MINUTE, 5 * MINUTE), True, {**FREE, "reach": "all", "if_running": True}),
        (marks(HOUR - 5 * MINUTE, HOUR), False, FREE),
        (marks(HOUR - MINUTE / 2, 5 * MINUTE), False, {**FREE, "reach": "all"}),
        (marks(HOUR, HOUR), True, {**FREE, "reach": "all", "usage": True}),
        (marks(HOUR, HOUR, DAY), False, {**FREE, "reach": "all", "usage": True, "check": True}),
    ],
)
def test_what_is_read_on_a_live_account(known: dict[str, Mark], warm: bool, expected: dict[str, Any]) -> None:
    assert LIVE is not None
    assert due(LIVE, known, None, 0, warm, NOW).params == expected


def test_an_account_that_fails_is_asked_less_and_less() -> None:
    assert LIVE is not None
    waits = [due(LIVE, {}, NOW, failures, False, NOW).at - NOW for failures in (0, 1, 2, 3, 40)]
    assert waits == [5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 15 * MINUTE, 15 * MINUTE]


class World:
    """A schedule over operations whose reading waits, fails or ends at once."""

    def __init__(self, history: History, database: Database, url: str) -> None:
        self.now = datetime.now(UTC)
        self.away = self.gone = False
        self.gate = threading.Event()
        self.gate.set()
        self.holds = True
        steps = [Step("live", "Live", self.read)]
        kinds = Registry(
            [
                OperationKind(KIND, "Read", SyncRun, steps, queue_key=lambda p: "sync", routine=True),
                OperationKind("work.do", "Work", SyncRun, [Step("a", "A", lambda c, p: 1)], lambda p: "work"),
            ]
        )
        self.operations = Operations(kinds, database, url=url)
        self.readings = Readings(history)
        self.schedule = Schedule(
            self.readings,
            self.operations,
            Intervals(5 * MINUTE, HOUR, HOUR),
            2 * MINUTE,
            lambda: self.holds,
            lambda: self.now,
        )
        self.read_with: list[SyncRun] = []

    def read(self, context: Any, params: SyncRun) -> int:
        while not self.gate.is_set():
            context.sleep(0.01)
        if self.gone:
            raise Unavailable("The account does not answer", code="account_unavailable")
        if self.away:
            raise Conflict("The account refuses")
        self.read_with.append(params)
        if params.reach == "all":
            for source in (LIVE_REFRESHES, TASKS.name):
                self.readings.advance(Mark(source, self.now, self.now, checked_at=self.now))
        return 1

    def turn(self) -> timedelta:
        """A turn of the schedule, waited for."""
        pause = self.schedule.turn()
        if self.gate.is_set():
            for view in self.all():
                self.operations.wait(view.id, 20)
        return pause

    def all(self) -> tuple[Any, ...]:
        return self.operations.list(OperationFilter(kind=KIND)).items


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    history = History(tmp_path / "history.duckdb")
    history.open()
    world = World(history, database, f"sqlite:///{tmp_path / 'operations.sqlite'}")
    world.operations.start()
    yield world
    world.gate.set()
    assert world.operations.stop(20)
    history.close()


def test_readings_follow_each_other(world: World) -> None:
    world.turn()
    assert world.turn() == 5 * MINUTE
    world.now += 5 * MINUTE
    world.turn()
    assert [one.reach for one in world.read_with] == ["all", "free"]
    assert {view.actor for view in world.all()} == {"schedule"}


def test_a_reading_that_goes_on_is_waited_for(world: World) -> None:
    world.gate.clear()
    world.turn()
    world.now += HOUR
    world.turn()
    world.turn()
    assert len(world.all()) == 1


def test_an_account_that_is_away_is_asked_as_often_as_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_RETRY_WAITS", ())
    world.gone = True
    for _ in range(3):
        world.turn()
        assert world.turn() == 5 * MINUTE
        world.now += 5 * MINUTE
    assert {view.state for view in world.all()} == {OperationState.FAILED}
    world.gone = False
    world.turn()
    assert len(world.read_with) == 1


def test_failed_readings_are_counted_and_forgotten(world: World) -> None:
    world.away = True
    pauses = []
    for _ in range(3):
        world.turn()
        pauses.append(world.turn())
        world.now += pauses[-1]
    assert pauses == [10 * MINUTE, 15 * MINUTE, 15 * MINUTE]
    assert {view.state for view in world.all()} == {OperationState.FAILED}
    world.away = False
    world.turn()
    assert world.turn() == 5 * MINUTE


def test_who_does_not_hold_the_lease_reads_nothing(world: World) -> None:
    world.holds = False
    world.turn()
    assert world.all() == ()


def test_a_restart_does_not_read_again_at_once(world: World) -> None:
    world.turn()
    again = Schedule(world.readings, world.operations, Intervals(5 * MINUTE, HOUR, HOUR), MINUTE)
    assert timedelta() < again.turn() <= 5 * MINUTE
    assert len(world.all()) == 1


def test_other_work_lets_the_warehouse_be_used(world: World) -> None:
    world.turn()
    world.operations.wait(world.operations.submit("work.do", {}, actor="ada").id)
    assert world.schedule._warm(datetime.now(UTC))
    assert not world.schedule._warm(datetime.now(UTC) + 3 * MINUTE)


def test_readings_of_long_ago_are_forgotten(world: World) -> None:
    world.turn()
    [first] = world.all()
    other = world.operations.submit("work.do", {}, actor="ada").id
    world.operations.wait(other)
    world.now += 2 * DAY + MINUTE
    world.turn()
    world.turn()
    assert first.id not in {view.id for view in world.all()}
    assert len(world.all()) == 1
    assert world.operations.get(other).state == OperationState.SUCCEEDED
    with pytest.raises(ValueError, match="no routine"):
        world.operations.forget("work.do", world.now)
