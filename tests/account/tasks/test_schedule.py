"""Schedules: what is accepted, and when the next time is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_account.errors import SnowflakeError
from embedded_account.tasks.schedule import Schedule


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("5 MINUTES", "2026-11-23T10:00:00", "2026-11-23T10:05:00"),
        ("1 minute", "2026-11-23T10:00:30", "2026-11-23T10:01:30"),
        ("10 S", "2026-11-23T10:00:00", "2026-11-23T10:00:10"),
        ("2 HOURS", "2026-11-23T23:00:00", "2026-11-24T01:00:00"),
        ("USING CRON 0 3 * * * UTC", "2026-11-23T03:00:00", "2026-11-24T03:00:00"),
        ("using cron */15 * * * * UTC", "2026-11-23T03:14:59", "2026-11-23T03:15:00"),
        # Winter and summer time of a zone
        ("USING CRON 0 3 * * * Europe/Zurich", "2026-01-10T12:00:00", "2026-01-11T02:00:00"),
        ("USING CRON 0 3 * * * Europe/Zurich", "2026-07-10T12:00:00", "2026-07-11T01:00:00"),
        # A time that spring skips does not come; one that autumn repeats comes twice
        ("USING CRON 0 2 * * * America/Los_Angeles", "2026-03-07T12:00:00", "2026-03-09T09:00:00"),
        ("USING CRON 0 1 * * * America/Los_Angeles", "2026-11-01T07:00:00", "2026-11-01T08:00:00"),
        ("USING CRON 0 1 * * * America/Los_Angeles", "2026-11-01T08:00:00", "2026-11-01T09:00:00"),
        ("USING CRON 0 1 * * * America/Los_Angeles", "2026-11-01T09:00:00", "2026-11-02T09:00:00"),
        ("USING CRON 0 3 * * SUN America/Los_Angeles", "2026-11-23T12:00:00", "2026-11-29T11:00:00"),
        ("USING CRON 0 0 L * * UTC", "2026-02-10T00:00:00", "2026-02-28T00:00:00"),
        ("USING CRON 0 0 * * 5L UTC", "2026-11-01T00:00:00", "2026-11-27T00:00:00"),
    ],
)
def test_next_time(text: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule.of(text).after(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "0 MINUTES",
        "9 DAYS",
        "200 HOURS",
        "-1 MINUTE",
        "USING CRON * * * * UTC",
        "USING CRON 99 * * * * UTC",
        "USING CRON 0 3 * * *",
        "USING CRON 0 3 30 2 * UTC",
        "USING CRON 0 3 * * * Mars/Olympus",
        "every day",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(SnowflakeError, match="SCHEDULE"):
        Schedule.of(text)


ZONES = ("America/Los_Angeles", "Europe/Zurich", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu",
         "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo", "UTC")  # fmt: skip


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a moment around which its clocks change, as far as they do."""
    zone, year = draw(st.sampled_from(ZONES)), draw(st.integers(1990, 2030))
    start = datetime(year, 1, 1, tzinfo=UTC)
    offsets = [(start + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in range(365 * 24)]
    changes = [h for h in range(1, len(offsets)) if offsets[h] != offsets[h - 1]]
    hours = draw(st.sampled_from(changes)) if changes else draw(st.integers(0, 8000))
    return zone, start + timedelta(hours=hours, minutes=draw(st.integers(-1500, 300)))


@given(near_a_change(), st.integers(0, 59), st.sets(st.integers(0, 4), min_size=1))
@settings(max_examples=80, deadline=None)
def test_it_runs_when_the_clock_shows_the_time(
    place: tuple[str, datetime], minute: int, hours: set[int]
) -> None:
    zone, moment = place
    schedule = Schedule.of(f"USING CRON {minute} {','.join(map(str, sorted(hours)))} * * * {zone}")
    looked = moment + timedelta(minutes=1)
    while True:
        local = looked.astimezone(ZoneInfo(zone))
        if local.minute == minute and local.hour in hours:
            break
        looked += timedelta(minutes=1)
    assert schedule.after(moment) == looked
