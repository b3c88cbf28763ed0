"""Public holidays in Berlin, which the calendar features need ahead of time."""

from __future__ import annotations

from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 2020, 2035

_FIXED = ((1, 1), (3, 8), (5, 1), (10, 3), (12, 25), (12, 26))
# Good Friday, Easter Monday, Ascension, Whit Monday, in days from Easter Sunday.
_FROM_EASTER = (-2, 1, 39, 50)
# Single days by law of the state of Berlin: the end of the war, 75 and 80 years on, and 17 June 1953, 75 years on.
_ONCE = (date(2020, 5, 8), date(2025, 5, 8), date(2028, 6, 17))


def easter_sunday(year: int) -> date:
    """Easter Sunday of a Gregorian ``year``, by Gauss's rule in Lichtenberg's form."""
    century, golden = year // 100, year % 19
    solar_shift = (3 * century + 3) // 4
    epact = (19 * golden + 15 + solar_shift - (8 * century + 13) // 25) % 30
    full_moon = 21 + epact - (epact + golden // 11) // 29
    first_sunday = 7 - (year + year // 4 + 2 - solar_shift) % 7
    return date(year, 3, 1) + timedelta(days=full_moon + 6 - (full_moon - first_sunday) % 7)


def berlin_holidays(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> list[date]:
    """All public holidays from the first to the last year, in order."""
    found = list(_ONCE)
    for year in range(first_year, last_year + 1):
        found += [date(year, month, day) for month, day in _FIXED]
        found += [easter_sunday(year) + timedelta(days=days) for days in _FROM_EASTER]
    return sorted(day for day in found if first_year <= day.year <= last_year)
