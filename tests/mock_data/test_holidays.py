"""Berlin's public holidays against published lists."""

from datetime import date

import numpy as np

from mock_data.holidays import berlin_holidays, easter_sunday, is_holiday
from mock_data.rows import from_date


def test_easter() -> None:
    published = [
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2024, 3, 31),
        date(2025, 4, 20),
    ]
    assert [easter_sunday(day.year) for day in published] == published
    # The two exceptions of the rule.
    assert (easter_sunday(1981), easter_sunday(1954)) == (date(1981, 4, 19), date(1954, 4, 18))


def test_berlin_2025() -> None:
    assert sorted(berlin_holidays(2025)) == [
        date(2025, 1, 1),
        date(2025, 3, 8),
        date(2025, 4, 18),
        date(2025, 4, 21),
        date(2025, 5, 1),
        date(2025, 5, 8),
        date(2025, 5, 29),
        date(2025, 6, 9),
        date(2025, 10, 3),
        date(2025, 12, 25),
        date(2025, 12, 26),
    ]


def test_days_across_years() -> None:
    days = np.arange(from_date(date(2024, 12, 24)), from_date(date(2025, 1, 3)))
    assert is_holiday(days).tolist() == [False, True, True, False, False, False, False, False, True, False]
