"""What a month will come to."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.costs.forecast import month

CREDIT = 1_000_000_000
TODAY = date(2025, 7, 20)
DAY = timedelta(days=1)


def days(amounts: list[int], last: date = TODAY - DAY) -> dict[date, int]:
    """Amounts of the days up to ``last``."""
    return {last - number * DAY: amount for number, amount in enumerate(reversed(amounts))}


def test_the_same_every_day_is_foreseen_exactly() -> None:
    found = month(days([2 * CREDIT] * 60), TODAY, TODAY)
    assert (found.first, found.so_far) == (date(2025, 7, 1), Decimal(38))
    assert found.forecast is not None
    assert (found.forecast.expected, found.forecast.low, found.forecast.high) == (62, 62, 62)
    assert found.forecast.days == 28


def test_weekdays_are_told_apart_from_two_weeks_on() -> None:
    def amount(day: date) -> int:
        return 0 if day.weekday() >= 5 else 3 * CREDIT

    whole = {TODAY - number * DAY: amount(TODAY - number * DAY) for number in range(1, 40)}
    found = month(whole, TODAY, TODAY)
    rest = sum(amount(date(2025, 7, number)) for number in range(20, 32))
    assert found.forecast is not None
    assert found.forecast.expected == found.so_far + Decimal(rest) / CREDIT
    assert found.forecast.low == found.forecast.high
    few = month({day: value for day, value in whole.items() if (TODAY - day).days <= 10}, TODAY, TODAY)
    assert few.forecast is not None
    assert few.forecast.low < few.forecast.expected < few.forecast.high


def test_a_day_that_is_not_whole_is_no_example() -> None:
    """Nor is it counted twice: it is one of those to come."""
    told = {**days([CREDIT] * 30), TODAY: CREDIT // 100}
    found = month(told, TODAY, TODAY)
    assert found.so_far == Decimal("19.01")
    assert found.forecast is not None
    assert found.forecast.expected == 31


def test_what_is_spent_stays_spent() -> None:
    told = {**days([CREDIT] * 5), TODAY: 500 * CREDIT}
    found = month(told, TODAY, TODAY)
    assert found.forecast is not None
    assert found.forecast.low == found.forecast.expected == found.forecast.high == 505


@pytest.mark.parametrize("known", [0, 1, 2])
def test_too_few_days_tell_nothing(known: int) -> None:
    assert month(days([CREDIT] * known), TODAY, TODAY).forecast is None


def test_nothing_was_read_for_a_month() -> None:
    """All days of this month are to come."""
    found = month(days([CREDIT] * 30, date(2025, 6, 10)), TODAY, date(2025, 6, 11))
    assert found.so_far == 0
    assert found.forecast is not None
    assert found.forecast.expected == 31


@pytest.mark.parametrize("known", [4, 10, 28])
def test_the_range_holds_about_four_times_of_five(known: int) -> None:
    rng = random.Random(known)
    held = 0
    for _ in range(400):
        amounts = [round(CREDIT * rng.gauss(10, 2)) for _ in range(known + 12)]
        last = sum(amounts[known:])
        told = days(amounts[:known])
        done = sum(value for day, value in told.items() if day >= TODAY.replace(day=1))
        found = month(told, TODAY, TODAY).forecast
        assert found is not None
        held += found.low <= Decimal(done + last) / CREDIT <= found.high
    assert 0.74 < held / 400 < 0.86
