"""Who looks is answered from what was read; what was read stays until it is read anew."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.core.errors import Conflict, NotFound, SnowflakeFailed, Unavailable
from services.db.engine import Database
from services.knowledge import Knowledge, KnownAnswers, known
from services.knowledge.known import needs_warehouse
from services.knowledge.repository import KnownRecords
from services.knowledge.types import Look, NotYetKnown, spoke_part

SHOW, SELECT = "SHOW THINGS", "SELECT N FROM T"
PUDO = spoke_part("pudo", "DEV")
START = datetime(2025, 7, 1, tzinfo=UTC)


@dataclass
class Account:
    """Counts what it is asked; ``value`` is what it answers, ``error`` what it raises for a statement."""

    value: int = 1
    asked: list[str] = field(default_factory=list)
    error: dict[str, Exception] = field(default_factory=dict)

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        self.asked.append(text)
        if text in self.error or "" in self.error:
            raise self.error.get(text) or self.error[""]
        return [{"TEXT": text, "N": self.value, "AT": START}]


class World:
    """One process over a catalogue."""

    def __init__(self, database: Database, account: Account) -> None:
        self.account = account
        self.now = START
        records = KnownRecords(database)
        self.answers = KnownAnswers(account, records, lambda: self.now)
        self.places = [("pudo", "DEV")]
        self.knowledge = Knowledge(self.answers, records, lambda: self.places, lambda: self.now)
        self.knowledge.learns("hub", lambda: self.answers.query(SHOW), lambda: self.answers.query(SELECT))
        self.knowledge.learns_spokes(lambda spoke, environment: self.answers.query(f"SHOW {spoke}"))

    def look(self, text: str = SHOW) -> int:
        return self.seen(text)[0]

    def seen(self, text: str = SHOW) -> tuple[int, Look]:
        def ask() -> tuple[int, Look]:
            look = Look()
            known.look(look)
            return int(self.answers.query(text)[0]["N"]), look

        return contextvars.copy_context().run(ask)

    def fresh(self) -> None:
        """What another process wrote is seen at once, not within a second."""
        self.answers.changed()


@pytest.fixture
def world(database: Database) -> World:
    return World(database, Account())


def test_who_looks_asks_nothing(world: World) -> None:
    with pytest.raises(NotYetKnown):
        world.look()
    assert world.account.asked == []
    (hub,) = world.knowledge.refresh("hub")
    assert (hub.part, hub.statements, hub.error) == ("hub", 2, None)
    world.account.value = 2
    value, look = world.seen()
    assert (value, look.as_of, look.parts) == (1, START, {"hub"})
    assert world.account.asked == [SHOW, SELECT]
    # Who does not look asks.
    assert world.answers.query(SHOW)[0]["N"] == 2
    assert world.look() == 1


def test_values_tell_statements_apart(world: World) -> None:
    world.knowledge.learns(
        "more", lambda: world.answers.query("X", (1,)), lambda: world.answers.query("X", ("1",))
    )
    world.knowledge.refresh("more")
    assert world.account.asked == ["X", "X"]


def test_it_outlives_the_process_and_is_seen_by_another(world: World, database: Database) -> None:
    other = World(database, Account(value=9))
    with pytest.raises(NotYetKnown):
        other.look()
    world.knowledge.refresh()
    other.fresh()
    assert other.look() == 1
    world.account.value = 2
    world.now += timedelta(seconds=1)
    world.knowledge.refresh("hub")
    other.fresh()
    assert (other.look(), other.account.asked) == (2, [])
    assert World(database, Account()).seen()[1].as_of == world.now


def test_all_parts_and_those_that_are_gone(world: World) -> None:
    world.places.append(("other", "PROD"))
    read = world.knowledge.refresh()
    assert [one.part for one in read] == ["hub", PUDO, "spoke:other:PROD"]
    assert world.look("SHOW other") == 1
    world.places.pop()
    world.knowledge.refresh()
    assert [one.part for one in world.knowledge.parts()] == ["hub", PUDO]
    with pytest.raises(NotYetKnown):
        world.look("SHOW other")
    with pytest.raises(NotFound):
        world.knowledge.refresh("spoke:other:PROD")
    assert world.knowledge.settle(["spoke:other:PROD", PUDO])[0].part == PUDO


def test_what_is_asked_no_more_goes_with_the_next_reading_alone(world: World) -> None:
    names = ["a", "b"]
    world.knowledge.learns("more", lambda: [world.answers.query(f"SHOW {name}") for name in names])
    world.knowledge.refresh("more")
    names[:] = ["b", "c"]
    world.account.error["SHOW c"] = Unavailable("away")
    world.knowledge.refresh("more")
    assert world.look("SHOW a") == 1
    world.account.error.clear()
    world.knowledge.refresh("more")
    with pytest.raises(NotYetKnown):
        world.look("SHOW a")
    assert world.look("SHOW c") == 1


def test_what_two_parts_ask_stays_while_one_asks_it(world: World) -> None:
    asks = ["one", "two"]
    for part in asks:
        world.knowledge.learns(part, lambda part=part: part in asks and world.answers.query("SHOW both"))
    world.knowledge.refresh("one")
    world.account.value = 2
    world.now += timedelta(minutes=1)
    world.knowledge.refresh("two")
    assert world.look("SHOW both") == 2
    asks.remove("two")
    world.knowledge.refresh("two")
    value, look = world.seen("SHOW both")
    assert (value, look.as_of, look.parts) == (1, START, {"one"})


def test_one_round_asks_nothing_twice(world: World) -> None:
    world.knowledge.learns("more", lambda: world.answers.query(SHOW), lambda: world.answers.query(SHOW))
    world.knowledge.refresh()
    assert world.account.asked.count(SHOW) == 1
    world.knowledge.refresh()
    assert world.account.asked.count(SHOW) == 2


def test_an_account_that_is_away_leaves_what_was_known(world: World) -> None:
    world.knowledge.refresh()
    world.account.value = 2
    # Away in the midst: what was asked before is not taken either.
    world.account.error[SELECT] = Unavailable("The account does not answer: nobody there")
    world.now += timedelta(minutes=5)
    (hub,) = world.knowledge.refresh("hub")
    assert hub.error == "The account does not answer: nobody there"
    assert (world.look(), world.look(SELECT)) == (1, 1)
    part = next(one for one in world.knowledge.parts() if one.part == "hub")
    assert (part.as_of, part.tried_at) == (START, START + timedelta(minutes=5))
    assert world.knowledge.errors() == {"hub": hub.error}
    outlook = world.knowledge.outlook(["hub"])
    assert (outlook.error, outlook.tried_at, outlook.reading) == (hub.error, part.tried_at, False)
    assert world.knowledge.outlook([PUDO]).error is None
    world.account.error.clear()
    world.knowledge.refresh("hub")
    assert (world.look(), world.knowledge.errors(), world.knowledge.as_of("hub")) == (2, {}, world.now)


@pytest.mark.parametrize(
    "error", [SnowflakeFailed("Internal error", detail={"errno": 370001}), ValueError("odd")]
)
def test_a_function_that_fails_leaves_its_own_answers_as_they_were(world: World, error: Exception) -> None:
    world.knowledge.learns("hub", lambda: (world.answers.query("SHOW x"), world.answers.query("SHOW y")))
    world.knowledge.refresh("hub")
    world.account.value = 2
    world.account.error["SHOW y"] = error
    (hub,) = world.knowledge.refresh("hub")
    assert hub.error is not None
    assert {text: world.look(text) for text in (SHOW, SELECT, "SHOW x", "SHOW y")} == {
        SHOW: 2, SELECT: 2, "SHOW x": 1, "SHOW y": 1,
    }  # fmt: skip


def test_that_something_is_not_there_is_an_answer(world: World, database: Database) -> None:
    detail = {"errno": 2003, "sqlstate": "02000", "query_id": "q"}
    world.account.error[SHOW] = SnowflakeFailed("Schema S does not exist", detail=detail)

    def read() -> None:
        with pytest.raises(SnowflakeFailed):
            world.answers.query(SHOW)

    world.knowledge.learns("more", read)
    (more,) = world.knowledge.refresh("more")
    assert more.error is None
    with pytest.raises(SnowflakeFailed) as told:
        World(database, Account()).look()
    assert (told.value.message, told.value.detail) == ("Schema S does not exist", detail)


def test_what_a_domain_refuses_is_refused_to_who_looks(world: World) -> None:
    def read() -> None:
        world.answers.query("SHOW first")
        raise Conflict("It has no such column")

    world.knowledge.learns("more", read)
    assert world.knowledge.refresh("more")[0].error is None
    assert world.look("SHOW first") == 1


def test_without_a_warehouse(world: World) -> None:
    assert world.knowledge.refresh("hub", "free")[0].statements == 1
    assert world.look() == 1
    with pytest.raises(NotYetKnown):
        world.look(SELECT)
    assert world.knowledge.as_of("hub") is None
    world.knowledge.refresh("hub")
    world.account.value = 2
    world.now += timedelta(minutes=5)
    assert world.knowledge.refresh("hub", "free")[0].statements == 1
    assert (world.look(), world.look(SELECT)) == (2, 1)
    assert world.seen(SELECT)[1].as_of == START
    assert world.knowledge.as_of("hub") == world.now


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("SHOW TAGS IN DATABASE D", False),
        ("DESCRIBE TABLE FROM_X", False),
        ("SELECT CURRENT_ROLE() AS R", False),
        ("  select 1\nfrom t", True),
        ("WITH A AS (SELECT 1) SELECT * FROM A", True),
    ],
)
def test_what_needs_a_warehouse(text: str, needs: bool) -> None:
    assert needs_warehouse(text) is needs


def test_a_reading_stops_when_it_is_told_to(world: World) -> None:
    class Told(BaseException):
        pass

    class Context:
        def check(self) -> None:
            raise Told

    with pytest.raises(Told):
        world.knowledge.refresh(context=Context())
    assert world.knowledge.outlook().reading is False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.knowledge.background._FIRST_PAUSE", 0.01)


def test_what_was_never_read_is_read_once_the_account_answers(world: World, quick: None) -> None:
    world.account.error[""] = Unavailable("nobody there")
    world.knowledge.start()
    until(lambda: len(world.account.asked) > 3)
    assert world.knowledge.errors()
    world.account.error.clear()
    until(lambda: not world.knowledge.errors() and world.knowledge.as_of(PUDO) is not None)
    assert world.look() == 1
    # There is no thread left that would wait for anything.
    until(lambda: all(thread.name != "knowledge" for thread in threading.enumerate()))
    asked = len(world.account.asked)
    world.knowledge.start()
    world.knowledge.request(["hub"], wait=10)
    assert len(world.account.asked) == asked + 2
    with pytest.raises(NotFound):
        world.knowledge.request([PUDO, "spoke:nobody:DEV"])


def test_stopping_ends_the_wait_for_an_account(world: World) -> None:
    world.account.error[""] = Unavailable("nobody there")
    world.knowledge.request(wait=10)
    assert world.knowledge.outlook().next_at is not None
    world.knowledge.stop()
    until(lambda: all(thread.name != "knowledge" for thread in threading.enumerate()))
