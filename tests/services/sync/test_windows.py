"""Windows leave nothing out, and a function that tells only so much at once is asked until it has told all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sync import windows
from services.sync.sources import DAY, HOUR
from services.sync.windows import Window, Windows, differing, whole

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def all_of(found: Windows, rows: int = 0) -> list[Window]:
    told = []
    while (window := found.next()) is not None:
        told.append(window)
        found.done(window, rows)
    return told


def test_the_first_reading_goes_back_in_growing_windows() -> None:
    told = all_of(Windows(NOW, 4 * HOUR, 400))
    assert [(window.end is None, (NOW - window.start) / DAY) for window in told] == [
        (True, 7), (False, 21), (False, 49), (False, 105), (False, 217), (False, 400),
    ]  # fmt: skip
    assert {window.read_to for window in told} == {NOW}
    assert [window.since for window in told] == [window.start for window in told]


def test_many_rows_make_windows_smaller() -> None:
    told = all_of(Windows(NOW, 4 * HOUR, 21), rows=60_000)
    assert [(NOW - window.start) / DAY for window in told] == [7, 10.5, 12.25, 13.125] + [
        (NOW - window.start) / DAY for window in told[4:]
    ]
    assert told[-1].start == NOW - 21 * DAY


def test_what_is_new_is_read_with_an_overlap() -> None:
    read_to, since = NOW - HOUR, NOW - 400 * DAY
    assert all_of(Windows(NOW, 4 * HOUR, 400, read_to, since)) == [
        Window(read_to - 4 * HOUR, None, NOW, since),
    ]


def test_after_a_long_pause_what_is_new_comes_in_order() -> None:
    told = all_of(Windows(NOW, 4 * HOUR, 400, NOW - 30 * DAY, NOW - 400 * DAY))
    assert [window.end for window in told] == [
        NOW - 23 * DAY - 4 * HOUR,
        NOW - 9 * DAY - 4 * HOUR,
        None,
    ]
    assert [window.read_to for window in told] == [told[0].end, told[1].end, NOW]


def test_a_clock_that_was_set_back_leaves_nothing_out() -> None:
    [told] = all_of(Windows(NOW, 4 * HOUR, 400, NOW + 3 * HOUR, NOW - 400 * DAY))
    assert (told.start, told.read_to) == (NOW - 4 * HOUR, NOW + 3 * HOUR)


def test_an_interrupted_first_reading_goes_on() -> None:
    told = all_of(Windows(NOW, 4 * HOUR, 400, NOW, NOW - 49 * DAY))
    assert [((NOW - one.start) / HOUR, one.end) for one in told] == [
        (4, None), (63 * 24, NOW - 49 * DAY), (91 * 24, NOW - 63 * DAY), (147 * 24, NOW - 91 * DAY),
        (259 * 24, NOW - 147 * DAY), (400 * 24, NOW - 259 * DAY),
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5_000), unique=True, max_size=60), st.integers(1, 9))
def test_all_rows_of_a_function_are_told(seconds: list[int], most: int) -> None:
    rows = [{"at": NOW - timedelta(seconds=one)} for one in sorted(seconds)]

    def ask(start: datetime, end: datetime | None) -> list[dict[str, Any]]:
        return [row for row in rows if start <= row["at"] and (end is None or row["at"] <= end)][:most]

    with patch.object(windows, "MOST", most):
        found, complete = whole(ask, NOW - timedelta(seconds=5_000), NOW)
    told = {row["at"] for row in found}
    # One row can be as much as is told at once.
    assert complete == (most > 1 or not rows)
    assert told == {row["at"] for row in rows}


def test_more_rows_of_one_moment_than_are_told_is_noticed() -> None:
    rows = [{"at": NOW - HOUR}] * 5

    def ask(start: datetime, end: datetime | None) -> list[dict[str, Any]]:
        return [row for row in rows if start <= row["at"] and (end is None or row["at"] <= end)][:3]

    with patch.object(windows, "MOST", 3):
        assert whole(ask, NOW - DAY, NOW)[1] is False


def test_days_that_differ_are_read_again_together() -> None:
    days = [date(2026, 1, number) for number in range(1, 8)]
    same = dict.fromkeys(days, (3, 1.5))
    told = {**same, days[0]: (4, 1.5), days[1]: (3, 1.6), days[5]: (3, 1.5 + 1e-9)}
    kept = {**same, days[6]: (3, 9.0)}
    assert differing(told, kept) == [
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)),
        (datetime(2026, 1, 7, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)),
    ]
    assert differing(told, {}) == [(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC))]
