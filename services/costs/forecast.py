"""What a month will come to, from its days so far and those before."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import fmean

from services.costs.types import Forecast, Month, credits_of

# Of so many whole days it is told; with the greater number, weekdays are told apart.
FEWEST, FEWEST_WEEKDAYS, MOST = 3, 14, 28
# Between these quantiles of the normal distribution are four fifths of it.
_QUANTILE = 1.2815515655446004


def month(nanos: Mapping[date, int], today: date, whole_to: date) -> Month:
    """The month of ``today``. ``nanos`` by day hold at least the last 28 days; a day that is not in it cost nothing.

    Days before ``whole_to`` are wholly known. The days to come cost what the same weekdays did on average, or all days
    of the last ones where these are fewer than two weeks. The range is that of a sum of independent days with the
    spread that they had, and of an average that is not known better than from so many days.
    """
    first = today.replace(day=1)
    so_far = sum(value for day, value in nanos.items() if first <= day <= today)
    known = _whole_days(nanos, whole_to)
    if len(known) < FEWEST:
        return Month(first, credits_of(so_far))
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    begin = max(first, whole_to)
    to_come = [begin + timedelta(days=number) for number in range((last - begin).days + 1)]
    done = sum(value for day, value in nanos.items() if first <= day < whole_to)
    expected, spread = _sum_of(known, to_come)
    expected += done
    least = float(so_far)
    low, middle, high = (max(least, value) for value in (expected - spread, expected, expected + spread))
    return Month(
        first,
        credits_of(so_far),
        Forecast(credits_of(round(middle)), credits_of(round(low)), credits_of(round(high)), len(known)),
    )


def _whole_days(nanos: Mapping[date, int], whole_to: date) -> list[tuple[date, int]]:
    """The last days that are known, from the first that cost something."""
    begin = min((day for day, value in nanos.items() if value and day < whole_to), default=whole_to)
    begin = max(begin, whole_to - timedelta(days=MOST))
    days = [begin + timedelta(days=number) for number in range((whole_to - begin).days)]
    return [(day, nanos.get(day, 0)) for day in days]


def _sum_of(known: Sequence[tuple[date, int]], to_come: Sequence[date]) -> tuple[float, float]:
    """What the days to come cost together, and how far that may be off."""

    def group(day: date) -> int:
        return day.weekday() if len(known) >= FEWEST_WEEKDAYS else 0

    before: dict[int, list[int]] = defaultdict(list)
    for day, value in known:
        before[group(day)].append(value)
    means = {key: fmean(values) for key, values in before.items()}
    freedom = len(known) - len(before)
    variance = sum((value - means[group(day)]) ** 2 for day, value in known) / freedom
    counts: dict[int, int] = defaultdict(int)
    for day in to_come:
        counts[group(day)] += 1
    expected = sum(count * means[key] for key, count in counts.items())
    off = variance * (len(to_come) + sum(count**2 / len(before[key]) for key, count in counts.items()))
    return expected, _student(freedom) * math.sqrt(off)


def _student(freedom: int) -> float:
    """The quantile of Student's distribution, by its expansion in the normal one's.

    Of Fisher and Cornish, to the second term.
    """
    z = _QUANTILE
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
