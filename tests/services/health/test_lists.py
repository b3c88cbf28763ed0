"""Lists of runs: each filter and its negation, in every order, page by page; compared with a plain model of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.errors import Invalid
from services.health.asked import FIELDS, RunFilter, read, require
from services.health.paging import SORTS
from services.health.types import DayOfRuns, GraphRunRow
from tests.services.health.conftest import opened
from tests.services.health.filling import DAY, HOUR, NOW, Place

# What is asked, and which rows of the sample fit.
CASES: list[tuple[str, str, Callable[[dict[str, Any]], bool | None]]] = [
    ("spoke", "tides", lambda run: run["spoke"] == "tides"),
    ("environment", "dev", lambda run: run["environment"] == "DEV"),
    ("graph", "DAILY", lambda run: run["graph"] == "DAILY"),
    ("state", "failed", lambda run: run["state"].startswith("FAILED")),
    ("state", "EXECUTING", lambda run: run["state"] == "EXECUTING"),
    ("trigger", "execute task", lambda run: run["trigger"] in ("EXECUTE_TASK", "EXECUTE TASK")),
    ("duration", "30s..2m", lambda run: run["took"] is not None and 30 <= run["took"] <= 120),
    ("duration", "1m..", lambda run: run["took"] is not None and run["took"] >= 60),
    ("time", "24h", lambda run: run["ago"] <= DAY),
    ("time", "..2025-07-18", lambda run: NOW - run["ago"] < NOW.replace(day=19, hour=0)),
    ("config", "model.depth:6", lambda run: run["depth"] == 6),
    ("config", "model", lambda run: run["depth"] is not None),
    ("error", "NO ROWS", lambda run: run["message"] is not None and "no rows" in run["message"].lower()),
    ("request", "op-1", lambda run: run["request"] == "op-1"),
    ("run", "run-004", lambda run: run["id"] == "run-004"),
    ("task", "LOAD", lambda run: run["state"].startswith("FAILED")),
]


def fill(place: Place, count: int = 60, seed: int = 4) -> list[dict[str, Any]]:
    """Runs of every kind, as the model keeps them."""
    with place.at_once():
        return list(_filling(place, count, random.Random(seed)))


def _filling(place: Place, count: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        state = rng.choice(
            ["SUCCEEDED"] * 4 + ["FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "EXECUTING"]
        )
        depth = rng.choice([None, 5, 6])
        request = rng.choice([None, "op-1", "op-2"])
        config: dict[str, Any] | None = {}
        if depth is not None:
            config = {"model": {"depth": depth, "a/b": 1}}
        if request is not None:
            config = {**(config or {}), "request_id": request}
        seconds = rng.choice([5.0, 45.0, 90.0, 600.0])
        run: dict[str, Any] = {
            "spoke": rng.choice(["tides", "pears", None]),
            "environment": rng.choice(["DEV", "PROD"]),
            "graph": rng.choice(["DAILY", "WEEKLY"]),
            "state": state,
            "trigger": rng.choice(["SCHEDULE", "EXECUTE_TASK", "EXECUTE TASK"]),
            "took": seconds if state != "EXECUTING" else None,
            # Many at the same instant.
            "ago": rng.choice([HOUR, 5 * HOUR, 2 * DAY, 5 * DAY, 60 * DAY, 100 * DAY]),
            "depth": depth,
            "request": request,
            "message": rng.choice(["No rows for 2025-07-01", "x"]) if state.startswith("FAILED") else None,
        }
        run["id"] = place.run(
            run["ago"], state, spoke=run["spoke"], environment=run["environment"], graph=run["graph"],
            seconds=seconds, trigger=run["trigger"], message=run["message"],
            config=config if config else rng.choice(["no json {", None]),
        )  # fmt: skip
        yield run


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, list[dict[str, Any]]]]:
    with opened(tmp_path_factory.mktemp("filled")) as place:
        yield place, fill(place)


def ids(rows: tuple[GraphRunRow, ...] | list[GraphRunRow]) -> list[str]:
    return [row.run_id for row in rows]


@pytest.mark.parametrize(("name", "text", "fits"), CASES, ids=[f"{name}={text}" for name, text, _ in CASES])
def test_a_filter_and_its_negation_part_the_runs(
    filled: tuple[Place, list[dict[str, Any]]], name: str, text: str, fits: Any
) -> None:
    place, made = filled
    health = place.health()
    found = set(ids(health.runs(require([(name, text)], NOW), limit=1000).items))
    others = set(ids(health.runs(require([(f"{name}_not", text)], NOW), limit=1000).items))
    assert found == {run["id"] for run in made if fits(run)}
    assert others == {run["id"] for run in made} - found
    assert found


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_filters_hold_together_and_pages_lose_nothing(data: st.DataObject, whole: tuple[Place, Any]) -> None:
    place, made = whole
    chosen = data.draw(st.lists(st.tuples(st.sampled_from(CASES), st.booleans()), max_size=4))
    sort = data.draw(st.sampled_from([sign + name for name in SORTS for sign in ("", "-")]))
    size = data.draw(st.integers(1, 9))
    pairs = [(case[0] + ("_not" if negated else ""), case[1]) for case, negated in chosen]
    groups: dict[tuple[str, bool], list[Any]] = {}
    for case, negated in chosen:
        groups.setdefault((case[0], negated), []).append(case[2])
    wanted = {
        run["id"]
        for run in made
        if all(
            any(map(lambda fits, run=run: fits(run), any_of)) != negated
            for (_, negated), any_of in groups.items()
        )
    }
    health = place.health()
    asked = require(pairs, NOW)
    paged: list[GraphRunRow] = []
    cursor = None
    while True:
        page = health.runs(asked, sort, size, cursor)
        paged += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(paged) == len(wanted)
    assert set(ids(paged)) == wanted
    assert ids(paged) == ids(health.runs(asked, sort, 1000).items) == ids(list(health.export(asked, sort)))
    column = SORTS[sort.removeprefix("-")]
    values = [getattr(row, column.attribute) for row in paged]
    keys = [(-1 if column.number else "") if value is None else value for value in values]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


def test_long_texts_are_sorted_by_their_beginning_and_make_short_cursors(place: Place) -> None:
    wanted = [
        place.run((9 - number) * HOUR, "FAILED", message=letter * 5000 + str(number))
        for number, letter in enumerate("caébda")
    ]
    health = place.health()
    found: list[str] = []
    cursor = None
    while True:
        page = health.runs(None, "error", 1, cursor)
        found += ids(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(cursor) < 1000
    assert found == [wanted[place] for place in (5, 1, 3, 0, 4, 2)]


@pytest.fixture(scope="module", params=[100_000, 7, None], ids=["all indexed", "the newest", "no index"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A history of which the row index has all runs, the newest few, or none."""
    from services.core.revision import Revision
    from services.db.engine import Database
    from services.history import History

    folder = tmp_path_factory.mktemp("health")
    room = request.param
    history = History(folder / "history.duckdb", Revision(), indexed=room is not None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.history.row_files.ROOM", room)
        history.open()
        place = Place(history, Database(f"sqlite:///{folder / 'none.sqlite'}"))
        made = fill(place)
        history.wait_for_index()
    assert (history.index.current, history.index.floor is not None) == (room is not None, room == 7)
    yield place, made
    history.close()
    place.database.close()


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("sate", "FAILED", "There is no filter 'sate'"),
        ("state", "BROKEN", "There is no state 'BROKEN'"),
        ("duration", "soon", "Write a range"),
        ("duration_not", "5m..1m", "ends before it begins"),
        ("duration", "..", "at least one end"),
        ("duration", "x..", "is no duration"),
        ("time", "yesterday", "is no time"),
        ("time", "2025-07-02..2025-07-01", "ends before it begins"),
        ("time", "100000d", "is no time"),
        ("config", ":6", "key:value"),
        ("config", "a..b:6", "key:value"),
        ("graph", "x" * 1001, "at most 1000"),
        ("graph", "a\x00b", "NUL"),
    ],
)
def test_what_is_not_understood_is_told_by_field(key: str, text: str, reason: str) -> None:
    found, faults = read([(key, text), ("spoke", "tides"), ("graph", "")], NOW)
    assert [(fault.field, reason in fault.message) for fault in faults] == [(key, True)]
    assert found.asked == (("spoke", "tides"),)
    with pytest.raises(Invalid) as refused:
        require([(key, text)], NOW)
    assert refused.value.detail[0]["field"] == key


def test_an_address_says_the_same_filter_again() -> None:
    pairs = [("spoke", "a"), ("spoke", "b"), ("state_not", "failed"), ("time", "7d")]
    found = require(pairs, NOW)
    assert require(found.asked, NOW) == found
    assert found.without("spoke", "a", False) == (("spoke", "b"), ("state_not", "failed"), ("time", "7d"))
    assert set(FIELDS) >= {name for name, _, _ in CASES}


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "\u00e4", "W1wiLXN0YXJ0ZWRcIiwxLDIsMyw0XQ"])
def test_a_cursor_of_another_list_is_refused(place: Place, cursor: str) -> None:
    place.run()
    place.run()
    health = place.health()
    with pytest.raises(Invalid):
        health.runs(cursor=cursor)
    other = health.runs(sort="duration", limit=1).next_cursor
    with pytest.raises(Invalid):
        health.runs(cursor=other)
    with pytest.raises(Invalid):
        health.runs(sort="size")


def test_task_runs_are_listed_with_the_same_filters(place: Place) -> None:
    broken = {"LOAD": {}, "FIT": {"state": "FAILED", "message": "ValueError: empty", "at": 3.0, "took": 40.0}}
    place.run(3 * HOUR, "FAILED", tasks=broken, config={"request_id": "op-1"})
    place.run(HOUR, tasks={"LOAD": {}, "FIT": {"at": 3.0}}, spoke="pears")
    health = place.health()

    def names(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
        return [(row.run_id, row.name) for row in health.tasks(require(pairs, NOW)).items]

    everything = [
        ("run-002", "DAILY$FIT"),
        ("run-002", "DAILY$LOAD"),
        ("run-001", "DAILY$FIT"),
        ("run-001", "DAILY$LOAD"),
    ]
    assert names() == everything
    assert (
        names(("state", "FAILED"))
        == names(("error", "EMPTY"))
        == names(("duration", "30s.."))
        == [everything[2]]
    )
    assert names(("task", "LOAD")) == names(("task_not", "DAILY$FIT")) == [everything[1], everything[3]]
    assert names(("request", "op-1")) == names(("spoke_not", "pears")) == everything[2:]
    first = health.tasks(limit=3)
    second = health.tasks(limit=3, cursor=first.next_cursor)
    assert [(row.run_id, row.name) for row in (*first.items, *second.items)] == everything


TASK_FILTERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("spoke", "tides"),),
    (("spoke", "tides"), ("environment", "dev"), ("graph", "DAILY")),
    (("spoke", "tides"), ("spoke", "pears")),
    (("spoke_not", "tides"),),
    (("state", "SUCCEEDED"),),
    (("state", "FAILED"),),
    (("state", "FAILED"), ("state", "SUCCEEDED"), ("spoke", "pears")),
    (("state_not", "SUCCEEDED"),),
    (("state", "EXECUTING"), ("spoke", "tides")),
    (("state", "FAILED"), ("trigger", "execute task")),
    (("state", "FAILED"), ("time", "48h")),
    (("state", "FAILED"), ("task", "LOAD"), ("graph_not", "DAILY")),
    (("state", "FAILED"), ("duration", "30s..")),
    (("state", "CANCELLED"), ("state_not", "CANCELLED")),
    (("run", "run-004"),),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Place]]:
    """The same runs with their tasks, with an index and without."""
    folders = (tmp_path_factory.mktemp(name) for name in ("indexed", "plain"))
    with opened(next(folders)) as indexed, opened(next(folders), indexed=False) as plain:
        for place in (indexed, plain):
            with place.at_once():
                put_tasks(place)
        indexed.history.wait_for_index()
        assert (indexed.history.tasks.current, plain.history.tasks.current) == (True, False)
        yield indexed, plain


def put_tasks(place: Place) -> None:
    rng = random.Random(7)
    states = ["SUCCEEDED"] * 3 + ["FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "EXECUTING", "SKIPPED"]
    for _ in range(50):
        tasks = {
            name: {"state": rng.choice(states), "took": rng.choice([2.0, 50.0])}
            for name in ("LOAD", "FIT", "SCORE")
        }
        place.run(
            rng.choice([HOUR, 5 * HOUR, 2 * DAY, 60 * DAY]), spoke=rng.choice(["tides", "pears", None]),
            environment=rng.choice(["DEV", "PROD"]), graph=rng.choice(["DAILY", "WEEKLY"]),
            trigger=rng.choice(["SCHEDULE", "EXECUTE_TASK"]), tasks=tasks,
        )  # fmt: skip


@pytest.mark.parametrize("pairs", TASK_FILTERS)
def test_task_runs_are_the_same_with_their_index_and_without(
    both: tuple[Place, Place], pairs: tuple[tuple[str, str], ...]
) -> None:
    asked = require(pairs, NOW)
    found: list[list[Any]] = []
    for place in both:
        health = place.health()
        pages: list[Any] = []
        cursor = None
        while True:
            page = health.tasks(asked, limit=7, cursor=cursor)
            pages += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        found.append(pages)
    assert found[0] == found[1]
    assert bool(found[0]) == (pairs != TASK_FILTERS[-2])


def test_days_are_counted_from_roll_ups_and_from_runs_alike(place: Place) -> None:
    for ago, state in (
        (HOUR, "SUCCEEDED"),
        (2 * HOUR, "FAILED"),
        (DAY, "CANCELLED"),
        (DAY, "EXECUTING"),
        (40 * DAY, "FAILED"),
    ):
        place.run(ago, state)
    place.roll_up()
    health = place.health()
    days = health.daily(RunFilter())
    assert (len(days), days[-1], days[-2]) == (
        30,
        DayOfRuns(NOW.date(), succeeded=1, failed=1),
        DayOfRuns((NOW - DAY).date(), cancelled=1, other=1),
    )
    assert health.daily(require([("attempt", "")], NOW)) == days
    assert health.daily(require([("duration_not", "90d..")], NOW)) == days
    assert health.daily(require([("state", "FAILED"), ("time", "60d")], NOW))[20].failed == 1
    assert len(health.daily(require([("time", "2025-07-01..2025-07-03")], NOW))) == 3
    assert len(health.daily(require([("time", "5000d")], NOW))) == 90


def test_a_page_costs_few_queries(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(place, 80)
    place.roll_up()
    place.history.wait_for_index()
    health = place.health()
    counted: list[int] = []
    read_before = type(place.history).read

    class Counting:
        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor

        def execute(self, *given: Any) -> Any:
            counted.append(1)
            return self._cursor.execute(*given)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cursor, name)

    from contextlib import contextmanager

    @contextmanager
    def reading(history: Any) -> Any:
        with read_before(history) as cursor:
            yield Counting(cursor)

    monkeypatch.setattr(type(place.history), "read", reading)

    def cost(ask: Callable[[], Any]) -> int:
        counted.clear()
        ask()
        return len(counted)

    assert cost(lambda: health.runs(limit=10)) <= 3
    assert cost(lambda: health.runs(require([("error", "nothing")], NOW))) == 3
    assert cost(lambda: health.runs(sort="-duration")) == 1
    assert cost(lambda: health.daily(RunFilter())) == 1
    assert cost(health.glance) == 4
    assert cost(health.glance) == 0
    assert cost(lambda: health.graph("tides", "DEV", "DAILY")) <= 6
    run = next(
        row for row in health.runs(require([("spoke", "tides")], NOW)).items if row.environment == "DEV"
    )
    assert cost(lambda: health.run("tides", "DEV", run.graph, run.run_id)) <= 7
