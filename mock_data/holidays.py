"""Berlin's public holidays, on which neither shops nor post offices open and few parcels are announced.

Source: Gesetz über die Sonn- und Feiertage, Berlin, and its single days of 2020, 2025 and 2028.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

_ONCE = frozenset({date(2017, 10, 31), date(2020, 5, 8), date(2025, 5, 8), date(2028, 6, 17)})


def easter_sunday(year: int) -> date:
    """Gregorian Easter by Gauss's rule with Lichtenberg's correction."""
    century = year // 100
    moon = (15 + (3 * century + 3) // 4 - (8 * century + 13) // 25 + 19 * (year % 19)) % 30
    correction = (moon + year % 19 // 11) // 29
    border = 21 + moon - correction
    sunday = 7 - (year + year // 4 + 2 - (3 * century + 3) // 4) % 7
    return date(year, 3, 1) + timedelta(days=border + 7 - (border - sunday) % 7 - 1)


@cache
def berlin_holidays(year: int) -> frozenset[date]:
    """The public holidays of one year."""
    easter = easter_sunday(year)
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 10, 3), date(year, 12, 25), date(year, 12, 26)}
    if year >= 2019:
        fixed.add(date(year, 3, 8))
    moving = {easter + timedelta(days=offset) for offset in (-2, 1, 39, 50)}
    return frozenset(fixed | moving | {day for day in _ONCE if day.year == year})


def is_holiday(days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each day (counted from 1970-01-01) is a public holiday."""
    if not days.size:
        return np.zeros(0, dtype=bool)
    epoch = date(1970, 1, 1)
    years = range(
        (epoch + timedelta(days=int(days.min()))).year, (epoch + timedelta(days=int(days.max()))).year + 1
    )
    known = [(day - epoch).days for year in years for day in berlin_holidays(year)]
    return np.isin(days, known)
