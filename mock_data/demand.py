"""How many parcels each district is expected to order on a day: the signal that a model can learn."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mock_data.config import NetworkConfig
from mock_data.holidays import is_holiday
from mock_data.network import Districts, Floats, Ints, Network, build_network
from mock_data.streams import Purpose, stream

# Monday to Sunday; hardly anything is announced on a Sunday.
WEEK = np.array([0.95, 1.15, 1.10, 1.12, 1.20, 0.85, 0.20])
_HOLIDAY = 0.15
_AFTER_HOLIDAY = 1.25
_WAVE = 0.15
_DAYS_PER_YEAR = 365.25


def to_day(config: NetworkConfig, offset: int = 0) -> int:
    """The day `offset` days after the configured start, counted from 1970-01-01."""
    return int(np.datetime64(config.start_date, "D").astype(np.int64)) + offset


def weekday(days: Ints) -> Ints:
    """0 is Monday. 1970-01-01 was a Thursday."""
    return (days + 3) % 7


def is_rest_day(days: Ints) -> NDArray[np.bool_]:
    """Sundays and public holidays: only lockers take parcels."""
    return (weekday(days) == 6) | is_holiday(days)


def calendar_factor(days: Ints) -> Floats:
    """What week, season and holidays do to the demand of each day; about 1 on an ordinary working day."""
    dates = days.astype("datetime64[D]")
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    season = (
        1.0
        + 0.06 * np.cos(2 * np.pi * (day_of_year - 340) / _DAYS_PER_YEAR)
        + 0.35 * np.exp(-0.5 * ((day_of_year - 346) / 9.0) ** 2)
        + 0.20 * np.exp(-0.5 * ((day_of_year - 332) / 2.5) ** 2)
        - 0.10 * np.exp(-0.5 * ((day_of_year - 212) / 16.0) ** 2)
    )
    rest = is_holiday(days)
    after = is_holiday(days - 1) & ~rest & (weekday(days) != 6)
    return WEEK[weekday(days)] * season * np.where(rest, _HOLIDAY, 1.0) * np.where(after, _AFTER_HOLIDAY, 1.0)


def expected_parcels(config: NetworkConfig, districts: Districts, days: Ints) -> Floats:
    """Expected parcels, shape (days, districts), before the day's shocks.

    Over the seeded period they average to `parcels_per_day`.
    """
    return _level(config) * _shape(config, districts, days)


@lru_cache(maxsize=8)
def _level(config: NetworkConfig) -> float:
    period = np.arange(to_day(config), to_day(config, config.n_days))
    shape = _shape(config, build_network(config).districts, period)
    return float(config.parcels_per_day / shape.sum(axis=1).mean())


def _shape(config: NetworkConfig, districts: Districts, days: Ints) -> Floats:
    since = (days - to_day(config))[:, None]
    growth = np.exp(np.log1p(np.maximum(districts.yearly_growth, -0.9)) * since / _DAYS_PER_YEAR)
    wave = 1.0 + _WAVE * np.sin(2 * np.pi * since / districts.wave_period_days + districts.wave_phase)
    return np.asarray(calendar_factor(days)[:, None] * districts.share * growth * wave)


def announced_counts(config: NetworkConfig, districts: Districts, day: int) -> Ints:
    """Parcels that each district orders on one day: expectation, the day's shock, and chance."""
    random = stream(config.seed, Purpose.DEMAND, day)
    deviation = config.district_shock
    shock = np.exp(random.normal(-0.5 * deviation**2, deviation, len(districts)))
    return random.poisson(expected_parcels(config, districts, np.array([day]))[0] * shock).astype(np.int64)


def open_pudos(network: Network, day: int) -> NDArray[np.bool_]:
    """Which PUDOs take parcels on a day: active, not closed for some days, and on rest days lockers only."""
    closed = network.active & _closed_for_days(network, day)
    rest = bool(is_rest_day(np.array([day]))[0])
    return np.asarray(network.active & ~closed & (network.is_locker if rest else True))


def _closed_for_days(network: Network, day: int) -> NDArray[np.bool_]:
    """Closures begin within a week and last up to 5 days, into the next week too; each week draws its own."""
    closed = np.zeros(len(network), dtype=bool)
    for week in (day // 7 - 1, day // 7):
        random = stream(network.config.seed, Purpose.CLOSURES, max(0, week))
        happens = random.random(len(network)) < network.config.weekly_closure_rate
        first = week * 7 + random.integers(0, 7, len(network))
        length = random.integers(2, 6, len(network))
        closed |= happens & (first <= day) & (day < first + length)
    return closed
