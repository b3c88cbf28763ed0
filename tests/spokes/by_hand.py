"""The features of one point, day or cell on one morning, computed one by one from the definition."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from datetime import date, timedelta

from spokes.shared.features.holidays import berlin_holidays
from tests.spokes.world import World, distance_km

Values = dict[str, float | None]
_HOLIDAYS = set(berlin_holidays())


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _deviation(values: list[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def historical(world: World, pudo: int, day: date) -> Values:
    """What is known on the morning of ``day``: only fill rates of days before."""

    def back(days: int) -> float | None:
        return world.fill.get((pudo, day - timedelta(days=days)))

    def last(days: int) -> list[float]:
        return [rate for number in range(1, days + 1) if (rate := back(number)) is not None]

    busy = [one for (point, one), rate in world.fill.items() if point == pudo and one < day and rate > 0]
    mean_7, mean_28 = _mean(last(7)), _mean(last(28))
    yesterday = back(1)
    return {
        "FILL_RATE_LAG_1D": yesterday,
        "FILL_RATE_LAG_2D": back(2),
        "FILL_RATE_LAG_7D": back(7),
        "FILL_RATE_LAG_14D": back(14),
        "FILL_RATE_7D_AVG": mean_7,
        "FILL_RATE_28D_AVG": mean_28,
        "FILL_RATE_30D_AVG": _mean(last(30)),
        "FILL_RATE_7D_STDDEV": _deviation(last(7)),
        "FILL_RATE_28D_STDDEV": _deviation(last(28)),
        "FILL_RATE_7D_MAX": max(last(7), default=None),
        "FILL_RATE_1D_CHANGE": _less(yesterday, back(2)),
        "FILL_RATE_7D_CHANGE": _less(yesterday, back(8)),
        "FILL_RATE_TREND": _less(mean_7, mean_28),
        "IS_HIGH_CAPACITY": float(yesterday is not None and yesterday >= 0.8),
        "IS_OVER_CAPACITY": float(yesterday is not None and yesterday >= 1.0),
        "BUSY_DAYS_28D": float(sum(rate > 0 for rate in last(28))),
        "DAYS_SINCE_BUSY": float((day - max(busy)).days - 1) if busy else None,
    }


def temporal(world: World, pudo: int, day: date) -> Values:
    """The fill rates of the same weekday before ``day``."""
    same = [world.fill.get((pudo, day - timedelta(days=7 * weeks))) for weeks in range(1, 20)]
    every = [rate for rate in same if rate is not None]
    four = [rate for rate in same[:4] if rate is not None]
    return {
        "AVG_FILL_RATE_BY_DOW": _mean(every),
        "STDDEV_FILL_RATE_BY_DOW": _deviation(every),
        "AVG_FILL_RATE_BY_DOW_4W": _mean(four),
    }


def calendar(day: date) -> Values:
    """What anybody knows of ``day`` a year before."""
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)

    def holiday(offset: int) -> float:
        return float(day + timedelta(days=offset) in _HOLIDAYS)

    return {
        "DAY_OF_WEEK": float(day.isoweekday()),
        "DAY_OF_MONTH": float(day.day),
        "DAY_OF_YEAR": float(day.timetuple().tm_yday),
        "WEEK_OF_YEAR": float(day.isocalendar().week),
        "MONTH": float(day.month),
        "QUARTER": float((day.month + 2) // 3),
        "IS_WEEKEND": float(day.isoweekday() >= 6),
        "IS_MONTH_END": float((next_month - day).days <= 3),
        "IS_HOLIDAY": holiday(0),
        "IS_REST_DAY": max(holiday(0), float(day.isoweekday() == 7)),
        "IS_DAY_AFTER_HOLIDAY": holiday(-1),
        "IS_DAY_BEFORE_HOLIDAY": holiday(1),
        "WAS_HOLIDAY_LAST_WEEK": holiday(-7),
    }


Cell = tuple[int, int]


def cell_of(latitude: float, longitude: float) -> Cell:
    """Row and column of the grid."""
    return math.floor(latitude / 0.009), math.floor(longitude / 0.015)


def cells(world: World) -> set[tuple[Cell, date]]:
    """The mornings on which something is announced for a cell, or a point stands in it."""
    announced = {(cell_of(latitude, longitude), day) for day, latitude, longitude in world.parcels}
    last = max(day for day, _, _ in world.parcels)
    standing = {
        (cell_of(point.latitude, point.longitude), day)
        for point in world.points
        for day in world.days
        if point.created <= day <= last
    }
    return announced | standing


def neighbourhood(world: World, cell: Cell, day: date) -> Values:
    """What is in and around ``cell`` on the morning of ``day``."""

    def near(place: Cell) -> bool:
        return abs(place[0] - cell[0]) <= 1 and abs(place[1] - cell[1]) <= 1

    def block(place: Cell) -> Cell:
        return place[0] // 3, place[1] // 3

    places = [(when, cell_of(latitude, longitude)) for when, latitude, longitude in world.parcels]
    of_day = [place for when, place in places if when == day]
    around = float(sum(map(near, of_day)))
    in_block = Counter(when for when, place in places if block(place) == block(cell))
    first = min(in_block, default=None)

    def back(days: int) -> float | None:
        one = day - timedelta(days=days)
        return float(in_block[one]) if first is not None and one >= first else None

    def last(days: int) -> list[float]:
        return [value for number in range(1, days + 1) if (value := back(number)) is not None]

    points = [p for p in world.points if near(cell_of(p.latitude, p.longitude)) and p.created <= day]
    capacity, mean_28 = float(sum(point.capacity for point in points)), _mean(last(28))
    return {
        "CELL_PARCELS": float(of_day.count(cell)),
        "AREA_PARCELS": around,
        "AREA_POINTS": float(len(points)),
        "AREA_CAPACITY": capacity,
        "AREA_PARCELS_PER_CAPACITY": around / capacity if points else None,
        "BLOCK_PARCELS": float(in_block[day]),
        "BLOCK_PARCELS_LAG_1D": back(1),
        "BLOCK_PARCELS_LAG_7D": back(7),
        "BLOCK_PARCELS_7D_AVG": _mean(last(7)),
        "BLOCK_PARCELS_28D_RATIO": in_block[day] / mean_28 if mean_28 else None,
        "NETWORK_PARCELS": float(len(of_day)),
    }


def geospatial(world: World, pudo: int, day: date) -> Values:
    """What lies within 1 km, and the parcels announced up to ``day``, every pair looked at."""
    here = next(point for point in world.points if point.pudo == pudo)
    first = max(min(one for one, _, _ in world.parcels), here.created)

    def announced(one: date) -> float | None:
        if one < first:
            return None
        near = [
            distance_km(here.latitude, here.longitude, latitude, longitude) <= 1
            for when, latitude, longitude in world.parcels
            if when == one
        ]
        return float(sum(near))

    def last(days: int) -> list[float]:
        values = [announced(day - timedelta(days=number)) for number in range(1, days + 1)]
        return [value for value in values if value is not None]

    rivals = [
        other.capacity
        for other in world.points
        if other.pudo != pudo
        and other.created <= day
        and distance_km(here.latitude, here.longitude, other.latitude, other.longitude) <= 1
    ]
    parcels, mean_28 = announced(day) or 0.0, _mean(last(28))
    return {
        "CAPACITY": float(here.capacity),
        "IS_LOCKER": float(here.kind == "LOCKER"),
        "IS_POST_OFFICE": float(here.kind == "POST_OFFICE"),
        "NUM_NEARBY_COMPETING_PUDOS": float(len(rivals)),
        "TOTAL_NEARBY_PUDO_CAPACITY": float(sum(rivals)),
        "DAILY_PARCEL_DEMAND": parcels,
        "DAILY_PARCEL_DEMAND_LAG_1D": announced(day - timedelta(days=1)),
        "DAILY_PARCEL_DEMAND_LAG_2D": announced(day - timedelta(days=2)),
        "DAILY_PARCEL_DEMAND_LAG_7D": announced(day - timedelta(days=7)),
        "PARCEL_DEMAND_7D_AVG": _mean(last(7)),
        "DEMAND_CAPACITY_RATIO": parcels / (here.capacity + sum(rivals)),
        "DEMAND_28D_RATIO": parcels / mean_28 if mean_28 else None,
    }


def street_history(world: World, street: str, day: date) -> Values:
    """What is known of a street on the morning of ``day``: only first attempts of days before."""
    tried = [
        (when, its, missed)
        for (when, _, _), its, missed in zip(world.parcels, world.streets, world.missed, strict=True)
        if missed is not None and when < day
    ]

    def last(days: int, where: str | None) -> list[bool]:
        since = day - timedelta(days=days)
        return [missed for when, its, missed in tried if when >= since and where in (None, its)]

    misses = [when for when, its, missed in tried if its == street and missed]
    return {
        "STREET_TRIES_28D": float(len(last(28, street))),
        "STREET_MISSES_28D": float(sum(last(28, street))),
        "STREET_MISS_RATE_7D": _mean([float(one) for one in last(7, street)]),
        "STREET_MISS_RATE_28D": _mean([float(one) for one in last(28, street)]),
        "STREET_MISS_RATE_90D": _mean([float(one) for one in last(90, street)]),
        "DAYS_SINCE_STREET_MISS": float((day - max(misses)).days - 1) if misses else None,
        "NETWORK_MISS_RATE_28D": _mean([float(one) for one in last(28, None)]),
    }
