"""Which windows of time to ask a source for, so that nothing is cut off and nothing is asked for without need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.sync.sources import DAY, HOUR, MOST

Row = dict[str, Any]
_FIRST = 7 * DAY
_SMALLEST, _LARGEST = HOUR, 400 * DAY
# Rows of a window: with fewer the next is larger, with more it is smaller.
_FEW, _MANY = 5_000, 50_000
_MOMENT = timedelta(milliseconds=1)
# Sums of credits differ by how they were added up.
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end), or without an end all that is later. ``read_to`` and ``since`` hold once it was read."""

    start: datetime
    end: datetime | None
    read_to: datetime
    since: datetime


class Windows:
    """The windows of a usage view, one after the other: what is new first, then what is old, backwards.

    Each is larger or smaller than the one before by how much that brought. ``read_to`` and ``since`` are those of
    the last reading, None for the first.
    """

    def __init__(
        self,
        now: datetime,
        overlap: timedelta,
        days: int,
        read_to: datetime | None = None,
        since: datetime | None = None,
    ) -> None:
        self._now = now
        self._oldest = now - timedelta(days=days)
        self._size = _FIRST
        if read_to is None:
            self._at = now - min(_FIRST, timedelta(days=days))
            self._since = self._at
        else:
            # The account's clock may have been set back.
            self._at = min(read_to, now) - overlap
            self._since = min(since or self._at, self._at)
        self._read_to = read_to or self._at

    def next(self) -> Window | None:
        """The window to ask for now; None when all is read."""
        if self._at < self._now:
            end = self._at + self._size
            last = end >= self._now
            return Window(
                self._at,
                None if last else end,
                max(self._read_to, self._now if last else end),
                self._since,
            )
        if self._since > self._oldest:
            start = max(self._oldest, self._since - self._size)
            return Window(start, self._since, self._read_to, start)
        return None

    def done(self, window: Window, rows: int) -> None:
        """It was read, and had so many rows."""
        if self._at < self._now:
            self._at = self._now if window.end is None else window.end
        self._read_to, self._since = window.read_to, window.since
        if rows < _FEW:
            self._size = min(self._size * 2, _LARGEST)
        elif rows > _MANY:
            self._size = max(self._size / 2, _SMALLEST)


def whole(
    ask: Callable[[datetime, datetime | None], list[Row]], start: datetime, now: datetime
) -> tuple[list[Row], bool]:
    """All rows of a function that tells no more than ``MOST`` at once, and whether that is so.

    A window that is full is asked for again in halves: which rows were left out does not matter then. Rows at the
    border of two are told twice. It is not so only when more than ``MOST`` fall into one millisecond. What is yet
    to come is told only while all fits.
    """
    found = ask(start, None)
    if len(found) < MOST:
        return found, True
    found, complete = [], True
    left = [(start, now)]
    while left:
        begin, end = left.pop()
        rows = ask(begin, end)
        if len(rows) >= MOST and end - begin > _MOMENT:
            middle = begin + (end - begin) / 2
            left += [(begin, middle), (middle, end)]
            continue
        complete = complete and len(rows) < MOST
        found += rows
    return found, complete


def differing(
    told: Mapping[date, tuple[int, float]], kept: Mapping[date, tuple[int, float]]
) -> list[tuple[datetime, datetime]]:
    """The days on which two counts differ, as windows; days that follow each other as one."""
    days = sorted(
        day for day in {*told, *kept} if not _alike(told.get(day, (0, 0.0)), kept.get(day, (0, 0.0)))
    )
    return list(_joined(days))


def _alike(one: tuple[int, float], other: tuple[int, float]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= _SAME * max(1.0, abs(one[1]))


def _joined(days: Iterable[date]) -> Iterable[tuple[datetime, datetime]]:
    start: date | None = None
    last: date | None = None
    for day in days:
        if last is not None and start is not None and day - last > DAY:
            yield midnight(start), midnight(last) + DAY
            start = None
        start, last = start or day, day
    if start is not None and last is not None:
        yield midnight(start), midnight(last) + DAY


def midnight(day: date) -> datetime:
    """Its beginning in UTC."""
    return datetime.combine(day, time(), UTC)
