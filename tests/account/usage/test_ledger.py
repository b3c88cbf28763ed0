"""The arithmetic of metering against a model that looks at every single second."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedded_account.meters.ledger import Meter, Setting, Work, advance

BEGIN = datetime(2026, 3, 1, 9, 50, tzinfo=UTC)
SPAN = 5400
END = 9000


def at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def hour_of(second: int) -> datetime:
    return at(second).replace(minute=0, second=0)


@dataclass
class Ran:
    begun: int
    seconds: int
    # The number of the one before that called it.
    parent: int | None = None

    @property
    def ended(self) -> int:
        return self.begun + self.seconds


@dataclass
class Changed:
    at: int
    rate: float
    auto_suspend: int | None
    stops: bool


@dataclass
class Model:
    """A warehouse that is looked at each second."""

    rate: float = 1.0
    tail: int | None = 600
    on_since: int | None = None
    busy_until: int = -1
    stopping: bool = False
    bill: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    busy: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    queries: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def second(self, t: int, ran: list[Ran], changed: list[Changed]) -> None:
        for change in changed:
            if change.at == t:
                if change.stops and self.on_since is not None:
                    self.stopping = True
                    self.suspend_if_due(t, False)
                elif self.due(t):
                    self.suspend(t)
                self.rate, self.tail = change.rate, change.auto_suspend
                self.suspend_if_due(t, False)
        begins = [one for one in ran if one.begun == t]
        self.suspend_if_due(t, bool(begins))
        if begins:
            self.stopping = False
            self.busy_until = max([self.busy_until, *(one.ended for one in begins)])
            if self.on_since is None:
                self.on_since = t
        if self.on_since is not None:
            self.bill[t] += self.rate
        running = [n for n, one in enumerate(ran) if one.begun <= t < one.ended]
        waiting = {ran[n].parent for n in running}
        working = [n for n in running if n not in waiting]
        for n in working:
            self.queries[n] += self.rate / len(working)
            self.busy[t] = self.rate

    def due(self, t: int) -> bool:
        if self.on_since is None or self.busy_until > t:
            return False
        return self.stopping or (self.tail is not None and t - self.busy_until >= self.tail)

    def suspend_if_due(self, t: int, begins: bool) -> None:
        last_moment = not self.stopping and self.tail is not None and t - self.busy_until == self.tail
        if self.due(t) and not (begins and last_moment):
            self.suspend(t)

    def suspend(self, t: int) -> None:
        assert self.on_since is not None
        for second in range(t, self.on_since + 60):
            self.bill[second] += self.rate
        self.on_since, self.stopping = None, False


def hourly(seconds: dict[int, float]) -> dict[datetime, float]:
    found: dict[datetime, float] = defaultdict(float)
    for second, rate in seconds.items():
        if second < END:
            found[hour_of(second)] += rate / 3600
    return {hour: cost for hour, cost in found.items() if cost}


@st.composite
def statements(draw: st.DrawFn) -> list[Ran]:
    tops = draw(st.lists(st.builds(Ran, st.integers(0, SPAN), st.integers(1, 900)), min_size=1, max_size=8))
    ran = list(tops)
    for n, top in enumerate(tops):
        if draw(st.booleans()) and top.seconds > 2:
            begun = draw(st.integers(top.begun, top.ended - 2))
            ran.append(Ran(begun, draw(st.integers(1, top.ended - begun)), n))
    return ran


_CHANGES = st.lists(
    st.builds(
        Changed,
        st.integers(0, SPAN),
        st.sampled_from([1.0, 2.0, 8.0]),
        st.sampled_from([None, 30, 60, 600]),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda change: change.at,
)


@example([Ran(0, 1), Ran(32, 1)], [Changed(0, 1.0, 30, False)], [])
@example([Ran(0, 1), Ran(31, 1)], [Changed(0, 1.0, 30, False)], [31])
@example([Ran(0, 100)], [Changed(0, 2.0, None, False), Changed(50, 2.0, None, True)], [20, 70])
@given(statements(), _CHANGES, st.lists(st.integers(1, END - 1), max_size=3))
@settings(max_examples=150, deadline=None)
def test_credits_are_those_of_the_seconds(ran: list[Ran], changed: list[Changed], cuts: list[int]) -> None:
    """However the time is cut into stretches."""
    model = Model()
    for t in range(END):
        model.second(t, ran, changed)
    meter = Meter()
    works = [
        Work(str(n), at(r.begun), at(r.ended), None if r.parent is None else str(r.parent))
        for n, r in enumerate(ran)
    ]
    sets = [Setting(at(c.at), c.rate, c.auto_suspend, c.stops) for c in changed]
    on: dict[datetime, float] = defaultdict(float)
    busy: dict[datetime, float] = defaultdict(float)
    queries: dict[str, float] = {}
    edges = [0, *sorted(set(cuts)), END]
    for since, until in pairwise(edges):
        found = advance(meter, works, sets, at(since), at(until))
        assert not queries.keys() & found.queries.keys()
        queries |= found.queries
        for hour, cost, attributed in found.hours:
            on[hour] += cost
            busy[hour] += attributed
    assert {h: c for h, c in on.items() if c} == pytest.approx(hourly(model.bill))
    assert {h: c for h, c in busy.items() if c} == pytest.approx(hourly(model.busy))
    assert queries == pytest.approx({str(n): model.queries[n] / 3600 for n in range(len(ran))})
    assert sum(queries.values()) == pytest.approx(sum(busy.values()))


def test_what_took_100_milliseconds_is_idle_time() -> None:
    works = [
        Work("short", at(0), at(0) + timedelta(milliseconds=100)),
        Work("long", at(0), at(0) + timedelta(milliseconds=101)),
    ]
    found = advance(Meter(), works, [], at(0), at(60))
    assert found.queries == pytest.approx({"long": 0.101 / 3600})
    assert found.hours == [(hour_of(0), pytest.approx(60 / 3600), pytest.approx(0.101 / 3600))]
    alone = advance(Meter(), works[:1], [], at(0), at(60))
    assert (alone.queries, alone.hours) == ({}, [(hour_of(0), pytest.approx(60 / 3600), 0.0)])


def test_a_query_that_vanishes_in_a_crash_keeps_what_it_cost() -> None:
    """Its warehouse goes on until it would have suspended, had the query ended there."""
    meter, work = Meter(), Work("gone", at(0), at(600) + timedelta(microseconds=1))
    before = advance(meter, [work], [], at(0), at(600))
    assert (before.hours, before.queries) == (
        [(hour_of(0), pytest.approx(600 / 3600), pytest.approx(1 / 6))],
        {},
    )
    after = advance(meter, [], [], at(600), at(4200))
    assert (after.hours, meter.pending) == ([(hour_of(600), pytest.approx(600 / 3600), 0.0)], {})


def test_a_query_that_was_taken_to_run_keeps_what_it_got() -> None:
    """It had ended before the cut, and its end was told after it."""
    meter = Meter()
    advance(meter, [Work("q", at(0), at(601))], [], at(0), at(600))
    after = advance(meter, [Work("q", at(0), at(599))], [], at(600), at(700))
    assert (after.queries, meter.pending) == ({"q": pytest.approx(600 / 3600)}, {})
    assert advance(meter, [], [], at(700), at(800)).queries == {}
