"""How long warehouses were on, and which statement costs how much of that: arithmetic, without any storage.

A warehouse is on from its first statement until AUTO_SUSPEND seconds after its last, or until it is suspended, and each
start costs at least 60 seconds: https://docs.snowflake.com/en/user-guide/cost-understanding-compute. What it costs each
second follows from its size at that second.

The time in which statements ran is theirs, in equal parts where several ran; the rest was idle. One that called another
on the same warehouse leaves that time to it. Statements of 100 ms and less get nothing, as on Snowflake, so their time
is idle time: https://docs.snowflake.com/en/sql-reference/account-usage/query_attribution_history
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHORTEST_START = timedelta(seconds=60)
TOO_SHORT = timedelta(milliseconds=100)
DEFAULT_AUTO_SUSPEND = 600
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Work:
    """A statement on a warehouse, from `begun` until `ended`. `rate`, credits an hour, serves an unknown warehouse."""

    query_id: str
    begun: datetime
    ended: datetime
    parent: str | None = None
    rate: float = 1.0

    @property
    def long(self) -> bool:
        return self.ended - self.begun > TOO_SHORT


@dataclass(frozen=True)
class Setting:
    """What holds for a warehouse from `at` on: credits an hour, and seconds to suspension (None for never).

    With `stops` it is also suspended, or dropped, at that time, once its statements have ended.
    """

    at: datetime
    rate: float
    auto_suspend: int | None
    stops: bool = False


@dataclass(frozen=True)
class Span:
    begun: datetime
    ended: datetime
    rate: float


@dataclass
class Meter:
    """One warehouse at some moment: what is needed to go on from there.

    `on_since` and `busy_until` are of the current start, None while it is off. `owed` are spans that began but lie
    beyond the moment. `pending` are the credits so far of statements that go on.
    """

    rate: float | None = None
    auto_suspend: int | None = DEFAULT_AUTO_SUSPEND
    on_since: datetime | None = None
    busy_until: datetime | None = None
    stopping: bool = False
    owed: list[Span] = field(default_factory=list)
    pending: dict[str, float] = field(default_factory=dict)

    @property
    def known_rate(self) -> float:
        return 1.0 if self.rate is None else self.rate

    @property
    def off_at(self) -> datetime | None:
        """When it suspends if nothing comes; None for never."""
        assert self.busy_until is not None
        if self.stopping:
            return self.busy_until
        if self.auto_suspend is None:
            return None
        return self.busy_until + timedelta(seconds=self.auto_suspend)


@dataclass
class Account:
    """What a stretch of time came to: credits by hour, on and attributed, and those of statements that ended."""

    on: dict[datetime, float] = field(default_factory=lambda: defaultdict(float))
    attributed: dict[datetime, float] = field(default_factory=lambda: defaultdict(float))
    queries: dict[str, float] = field(default_factory=dict)

    @property
    def hours(self) -> list[tuple[datetime, float, float]]:
        """(hour, credits, attributed credits) of the hours in which anything cost anything."""
        return [(hour, self.on.get(hour, 0.0), self.attributed.get(hour, 0.0)) for hour in sorted(self.on)]


def advance(
    meter: Meter, works: Iterable[Work], settings: Iterable[Setting], since: datetime, until: datetime
) -> Account:
    """Bring a meter from `since` to `until`; `works` are all statements that ran between, `settings` the changes.

    A statement that goes on beyond `until` must be given again next time, with the same id; so must one that was taken
    to go on and had ended: it keeps what it got.
    """
    works = list(works)
    late = {
        w.query_id: meter.pending[w.query_id]
        for w in works
        if w.ended <= since and w.query_id in meter.pending
    }
    works = sorted((w for w in works if w.ended > since and w.begun < until), key=lambda w: w.begun)
    settings = sorted((s for s in settings if since <= s.at < until), key=lambda s: s.at)
    if meter.rate is None and not settings and works:
        meter.rate = works[0].rate
    account = Account()
    rates = [(since, meter.known_rate), *((s.at, s.rate) for s in settings)]
    for span in _spans(meter, works, settings, since, until):
        for hour, part in split(span.begun, span.ended):
            account.on[hour] += credits(part, span.rate)
    _attribute(meter, account, works, rates, since, until)
    account.queries |= late
    return account


def credits(length: timedelta, rate: float) -> float:
    return length.total_seconds() / 3600 * rate


def split(begun: datetime, ended: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """(hour, time within it) of a stretch."""
    while begun < ended:
        hour = begun.replace(minute=0, second=0, microsecond=0)
        part = min(ended, hour + HOUR)
        yield hour, part - begun
        begun = part


def _spans(
    meter: Meter, works: list[Work], settings: list[Setting], since: datetime, until: datetime
) -> Iterator[Span]:
    """When the warehouse was on. Moves the meter to `until`."""
    walk = _Walk(meter, since, until)
    for work in works:
        if work.begun < since:
            walk.work(work)
    changes: list[Work | Setting] = [*settings, *(work for work in works if work.begun >= since)]
    for change in sorted(changes, key=lambda c: (_time(c), isinstance(c, Work))):
        walk.pass_to(_time(change))
        if isinstance(change, Work):
            walk.work(change)
        else:
            walk.change(change)
    walk.pass_to(until)
    walk.add(until)
    yield from walk.spans
    meter.owed = walk.owed


def _time(change: Work | Setting) -> datetime:
    return change.begun if isinstance(change, Work) else change.at


class _Walk:
    """Goes through one warehouse's time, and collects the spans in which it is on."""

    def __init__(self, meter: Meter, since: datetime, until: datetime) -> None:
        self._meter = meter
        self._since = since
        self._until = until
        # From where on the current start is not collected yet.
        self._from = since
        self.spans: list[Span] = []
        self.owed: list[Span] = []
        for span in meter.owed:
            self._put(span)

    def pass_to(self, at: datetime) -> None:
        """Suspend it where it would have been by now."""
        meter = self._meter
        if meter.on_since is None:
            return
        off = meter.off_at
        if off is not None and (off < at or (meter.stopping and off <= at)):
            self._stop(off)

    def work(self, work: Work) -> None:
        """A statement begins, or goes on from before."""
        meter = self._meter
        if meter.on_since is None:
            meter.on_since = meter.busy_until = self._from = max(work.begun, self._since)
        if work.begun >= self._since:
            meter.stopping = False
        assert meter.busy_until is not None
        meter.busy_until = max(meter.busy_until, work.ended)

    def change(self, setting: Setting) -> None:
        meter = self._meter
        if meter.on_since is not None:
            self.add(setting.at)
            meter.stopping = meter.stopping or setting.stops
            self._stop_if_due(setting.at)
        meter.rate, meter.auto_suspend = setting.rate, setting.auto_suspend
        self._stop_if_due(setting.at)

    def _stop_if_due(self, at: datetime) -> None:
        if self._meter.on_since is not None and (off := self._meter.off_at) is not None and off <= at:
            self._stop(at)

    def _stop(self, at: datetime) -> None:
        meter = self._meter
        assert meter.on_since is not None
        self.add(at)
        least = meter.on_since + SHORTEST_START
        if at < least:
            self._put(Span(at, least, meter.known_rate))
        meter.on_since = meter.busy_until = None
        meter.stopping = False

    def add(self, to: datetime) -> None:
        """Collect the current start up to a time."""
        if self._meter.on_since is not None and to > self._from:
            self._put(Span(self._from, to, self._meter.known_rate))
            self._from = to

    def _put(self, span: Span) -> None:
        if span.begun < self._until:
            self.spans.append(Span(span.begun, min(span.ended, self._until), span.rate))
        if span.ended > self._until:
            self.owed.append(Span(max(span.begun, self._until), span.ended, span.rate))


def _attribute(
    meter: Meter,
    account: Account,
    works: list[Work],
    rates: list[tuple[datetime, float]],
    since: datetime,
    until: datetime,
) -> None:
    """Give the busy time to the statements that ran in it. Moves what goes on to the meter's `pending`."""
    # (time, order, what): ends before beginnings, so that nobody shares with one who is gone.
    moments: list[tuple[datetime, int, Work | float | None]] = [(at, 1, rate) for at, rate in rates]
    for work in works:
        if work.long:
            moments += [(max(work.begun, since), 2, work), (min(work.ended, until), 0, work)]
    moments.sort(key=lambda moment: (moment[0], moment[1]))
    active: dict[str, Work] = {}
    calls: dict[str, int] = defaultdict(int)
    got: dict[str, float] = defaultdict(float, meter.pending)
    rate, at = meter.known_rate, since
    for moment, order, what in moments:
        working = [query_id for query_id in active if not calls[query_id]]
        for hour, part in split(at, moment) if working else ():
            cost = credits(part, rate)
            account.attributed[hour] += cost
            for query_id in working:
                got[query_id] += cost / len(working)
        at = max(at, moment)
        if isinstance(what, Work):
            step = 1 if order == 2 else -1
            if order == 2:
                active[what.query_id] = what
            else:
                active.pop(what.query_id, None)
            if what.parent is not None:
                calls[what.parent] += step
        elif what is not None:
            rate = what
    meter.pending = {w.query_id: got.pop(w.query_id, 0.0) for w in works if w.long and w.ended > until}
    account.queries = {w.query_id: got[w.query_id] for w in works if w.long and w.ended <= until}
