"""Schedules: what is accepted, and when the next time is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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
        "USING CRON 0 3 * * * Mars/Olympus",
        "every day",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(SnowflakeError, match="SCHEDULE"):
        Schedule.of(text)
