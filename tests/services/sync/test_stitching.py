"""The history equals the truth, whenever it was read, however late the account told, and wherever a process died."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from services.history import History
from services.history.runs import RunWriter
from services.history.store import naive
from services.sync import windows
from services.sync.marks import Mark
from services.sync.repository import Readings
from services.sync.sources import TASKS
from services.sync.stitching import Stitching
from tests.services.sync.model import DATABASE, GRAPH, Killed, Model, Ran, at

MOST = 6
DAYS = 20
OVERLAP = TASKS.overlap.total_seconds() / 60


@pytest.fixture(scope="module")
def history() -> Iterator[History]:
    history = History(Path(":memory:"))
    history.open()
    yield history
    history.close()


def minutes(most: float) -> st.SearchStrategy[float]:
    """Up to so many, in tenths: what a database rounds off is no difference."""
    return st.integers(0, int(most * 10)).map(lambda tenths: tenths / 10)


@st.composite
def truths(draw: st.DrawFn) -> tuple[Ran, ...]:
    """Runs of one graph: a root, maybe tasks, maybe a retry."""
    found: list[Ran] = []
    for number in range(draw(st.integers(1, 5))):
        scheduled = draw(minutes(DAYS * 24 * 60)) + number / 1000
        skipped = draw(st.integers(0, 5)) == 0
        names = (
            [GRAPH] if skipped else [GRAPH, *(f"{GRAPH}${one}" for one in "AB"[: draw(st.integers(0, 2))])]
        )
        for attempt in range(1, 2 if skipped else draw(st.integers(1, 2)) + 1):
            for name in names:
                found.append(
                    Ran(
                        f"group-{number}",
                        attempt,
                        name,
                        scheduled,
                        draw(minutes(50)),
                        0 if skipped else draw(minutes(600)),
                        "SKIPPED" if skipped else draw(st.sampled_from(["SUCCEEDED", "FAILED", "CANCELLED"])),
                        # Up to the latency, within what is read again, and sometimes far beyond.
                        draw(st.one_of(minutes(45), minutes(OVERLAP), minutes(10_000))),
                        None if skipped else draw(st.one_of(st.none(), minutes(OVERLAP - 1))),
                        draw(st.booleans()),
                    )
                )
                scheduled += 0.001
            # A retry is due when it is asked for.
            scheduled += 700
    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> list[tuple[float, str, int]]:
    """(minutes, what is read, after how many steps the process dies or 0), in order of time."""
    gaps = st.one_of(minutes(90), minutes(9 * 24 * 60))
    reads = st.sampled_from(["live", "usage", "all", "check"])
    found, when = [], 0.0
    for gap, read, dies in draw(st.lists(st.tuples(gaps, reads, st.integers(0, 6)), max_size=10)):
        when += gap + 1
        found.append((when, read, max(dies - 3, 0)))
    return found


class Steps:
    """Counts what a process does; it dies at one of them."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self) -> None:
        if self.left > 0:
            self.left -= 1
            if self.left == 0:
                raise Killed


class DyingRuns:
    def __init__(self, runs: Any, step: Callable[[], None]) -> None:
        self._runs, self._step = runs, step

    def record(self, *given: Any, **named: Any) -> Any:
        self._step()
        recorded = self._runs.record(*given, **named)
        self._step()
        return recorded


class DyingReadings(Readings):
    def __init__(self, history: History, step: Callable[[], None]) -> None:
        super().__init__(history)
        self._step = step

    def advance(self, mark: Mark) -> None:
        self._step()
        super().advance(mark)


def clear(history: History) -> None:
    with history.write() as connection:
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            if table != "schema_version":
                connection.execute(f"DELETE FROM {table}")


def kept(history: History) -> list[dict[str, Any]]:
    return history.rows(
        "SELECT run_id, attempt, name, state, return_value, scheduled_at, started_at, completed_at, source"
        " FROM task_runs ORDER BY run_id, attempt, name"
    )


def expected(ran: Ran, when: float) -> dict[str, Any]:
    row = ran.row(when, late=True)
    return {
        "run_id": ran.group, "attempt": ran.attempt, "name": ran.name, "state": row["STATE"],
        "return_value": row["RETURN_VALUE"], "scheduled_at": naive(row["SCHEDULED_TIME"]),
        "started_at": naive(row["QUERY_START_TIME"]), "completed_at": naive(row["COMPLETED_TIME"]),
        "source": "usage",
    }  # fmt: skip


class World:
    """The model, read into a history, by a service whose clock goes wrong by some minutes."""

    def __init__(self, history: History, truth: Iterable[Ran], skew: float, seed: int) -> None:
        clear(history)
        self.history = history
        self.steps = Steps()
        self.model = Model(tuple(truth), MOST, step=self.steps, chance=random.Random(seed))
        self.seen: set[tuple[str, int, str]] = set()
        readings = DyingReadings(history, self.steps)

        def clock() -> Any:
            return at(self.model.when + skew)

        runs: Any = DyingRuns(RunWriter(history), self.steps)
        self.stitching = Stitching(readings, runs, lambda *_: ("alpha", "DEV"), (DATABASE,), clock, (TASKS,))

    def read(self, when: float, what: str, dies: int = 0) -> None:
        """Read once; at the end nothing is double, and nothing is missing that was seen."""
        self.model.when, self.steps.left = when, dies
        asked_live, asked_usage = what in ("live", "all"), what != "live"
        try:
            if asked_live:
                assert {one.error for one in self.stitching.live(self.model)} == {None}
            if asked_usage:
                told = self.stitching.usage(self.model, 40, what == "check", lambda *_: None)
                assert {one.error for one in told} == {None}
        except Killed:
            asked_live = asked_usage = False
        finally:
            self.steps.left = 0
        if asked_live:
            week = at(when) - timedelta(days=7) + timedelta(minutes=2)
            self.seen |= {
                (row["GRAPH_RUN_GROUP_ID"], row["ATTEMPT_NUMBER"], row["NAME"])
                for row in self.model.live()
                if row["GRAPH_RUN_GROUP_ID"]
                and row["SCHEDULED_TIME"] >= week
                # What waits gives way to what is asked for later.
                and row["STATE"] != "SCHEDULED"
            }
        if asked_usage:
            self.seen |= {one.key for one in self.model.late() if what == "check" or one.late <= OVERLAP}
        rows = {(row["run_id"], row["attempt"], row["name"]): row for row in kept(self.history)}
        if asked_live:
            # What the functions tell as over is kept as over, however long it went on.
            over = [
                row
                for row in self.model.live()
                if row["COMPLETED_TIME"] is not None and row["SCHEDULED_TIME"] >= week
            ]
            for row in over:
                told = rows[row["GRAPH_RUN_GROUP_ID"], row["ATTEMPT_NUMBER"], row["NAME"]]
                assert told["state"] == row["STATE"] or told["source"] == "usage"
        keys = [(row["run_id"], row["attempt"], row["name"]) for row in kept(self.history)]
        assert len(keys) == len(set(keys))
        assert self.seen - set(keys) == set()


@settings(
    phases=[Phase.explicit, Phase.generate],
    max_examples=24,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(truths(), moments(), st.integers(-15, 15), st.integers(0, 99))
# Told by the view after a reading of it that is later than its end.
@example(
    (Ran("group-0", 1, GRAPH, 100, 1, 10, "SUCCEEDED", 60),), [(150, "usage", 0), (180, "usage", 0)], 0, 0
)
# Told otherwise after it was read.
@example((Ran("group-0", 1, GRAPH, 100, 1, 10, "FAILED", 0, 60),), [(150, "all", 0), (180, "usage", 0)], 0, 0)
def test_the_history_becomes_the_truth(
    history: History,
    truth: tuple[Ran, ...],
    readings: list[tuple[float, str, int]],
    skew: int,
    seed: int,
) -> None:
    with patch.object(windows, "MOST", MOST):
        world = World(history, truth, skew, seed)
        for when, what, dies in readings:
            world.read(when, what, dies)
        last = max(
            [one.completed + max(one.late, one.corrected or 0) for one in truth]
            + [when for when, _, _ in readings]
        )
        world.read(last + 1, "check")
        assert kept(history) == [expected(one, last + 1) for one in sorted(truth, key=lambda one: one.key)]
        # Reading it again changes nothing, and the functions do not overrule what is final.
        world.read(last + 2, "all")
        assert kept(history) == [expected(one, last + 2) for one in sorted(truth, key=lambda one: one.key)]
