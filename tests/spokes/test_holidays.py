"""Berlin's holidays against the published calendars of some years."""

from __future__ import annotations

from datetime import date

import pytest

from spokes.shared.features.holidays import berlin_holidays, easter_sunday


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(1961, 4, 2), (2000, 4, 23), (2008, 3, 23), (2011, 4, 24), (2024, 3, 31), (2025, 4, 20), (2038, 4, 25)],
)
def test_easter(year: int, month: int, day: int) -> None:
    assert easter_sunday(year) == date(year, month, day)


def test_berlin_2025() -> None:
    assert [f"{day:%m-%d}" for day in berlin_holidays(2025, 2025)] == [
        "01-01", "03-08", "04-18", "04-21", "05-01", "05-08", "05-29", "06-09", "10-03", "12-25", "12-26",
    ]  # fmt: skip
