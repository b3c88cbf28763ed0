"""The parcels announced on a day and what will become of each one at the door."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.random import Generator

from mock_data.demand import announced_counts
from mock_data.doors import open_doors
from mock_data.network import DISTRICT_SPREAD_KM, Floats, Ints, Network, anywhere, scatter
from mock_data.streams import Purpose, stream

SIZES = ("SMALL", "MEDIUM", "LARGE")
FAILURE_REASONS = ("NOT_HOME", "ACCESS_DENIED", "ADDRESS_ISSUE", "REFUSED")
N_DRIVERS = 50
_SIZE_SHARES = np.array([0.5, 0.3, 0.2])
_REASON_SHARES = np.array([0.65, 0.2, 0.1, 0.05])
_MEAN_WEIGHT_KG = np.array([0.6, 2.5, 7.0])
_STREETS_PER_DISTRICT = 40
_COUNTRYSIDE_SHARE = 0.06
_NEXT_DAY_RATE = 0.1
_ANNOUNCED_BEFORE_MINUTE = 345  # 05:45 UTC
# Minutes of the day between which each attempt takes place.
_TOURS = ((480, 780), (780, 1020), (1020, 1200))

# `ends_at`: the attempt at which the customer takes the parcel, or AT_PUDO.
AT_PUDO = 3


@dataclass(frozen=True)
class Parcels:
    """Columns of equal length, one row a parcel; (n, 3) arrays hold the three possible attempts."""

    day: Ints
    number: Ints  # within its day
    latitude: Floats
    longitude: Floats
    street: Ints  # index into the address pool, before it is wrapped to the pool's size
    house: Ints
    size: Ints
    weight_kg: Floats
    announced_minute: Ints
    ends_at: Ints
    attempt_day: Ints
    attempt_minute: Ints
    reason: Ints
    driver: Ints

    def __len__(self) -> int:
        return len(self.day)

    @classmethod
    def concatenate(cls, parts: list[Self]) -> Self:
        """The rows of all parts, in order; at least one part."""
        return cls(
            **{
                each.name: np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )

    def announced_from(self, day: int) -> Self:
        """The rows of `day` and later."""
        keep = self.day >= day
        return type(self)(**{each.name: getattr(self, each.name)[keep] for each in fields(self)})


def parcels_of(network: Network, day: int) -> Parcels:
    """All parcels announced on one day (counted from 1970-01-01)."""
    config, districts = network.config, network.districts
    counts = announced_counts(config, districts, day)
    district = np.repeat(np.arange(len(districts)), counts)
    random = stream(config.seed, Purpose.PARCELS, day)
    district = district[random.permutation(district.size)]
    count = district.size
    latitude, longitude = scatter(
        random, config, districts.latitude[district], districts.longitude[district], DISTRICT_SPREAD_KM
    )
    country = random.random(count) < _COUNTRYSIDE_SHARE
    latitude[country], longitude[country] = anywhere(random, config, int(country.sum()))
    size = _choose(random, _SIZE_SHARES, (count,))
    weight = np.minimum(random.exponential(_MEAN_WEIGHT_KG[size]) + 0.1, 31.5)
    street = district * _STREETS_PER_DISTRICT + random.integers(0, _STREETS_PER_DISTRICT, count)
    ends_at, attempt_day, attempt_minute, reason, driver = _outcomes(network, day, district, street, size)
    return Parcels(
        day=np.full(count, day),
        number=np.arange(1, count + 1),
        latitude=latitude.round(6),
        longitude=longitude.round(6),
        street=street,
        house=random.integers(1, 180, count),
        size=size,
        weight_kg=weight.round(2),
        announced_minute=random.integers(0, _ANNOUNCED_BEFORE_MINUTE, count),
        ends_at=ends_at,
        attempt_day=attempt_day,
        attempt_minute=attempt_minute,
        reason=reason,
        driver=driver,
    )


def _outcomes(
    network: Network, day: int, district: Ints, street: Ints, size: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Where each parcel ends, and day, minute, reason of failure and driver of each attempt, shape (n, 3)."""
    random = stream(network.config.seed, Purpose.OUTCOMES, day)
    ends_at = open_doors(network, day, district, street, size, random)
    # A second or third attempt that does not fit into the day's tour is made the day after.
    later = np.cumsum(random.random((district.size, 2)) < _NEXT_DAY_RATE, axis=1)
    attempt_day = day + np.column_stack([np.zeros(district.size, dtype=np.int64), later])
    minute = np.column_stack([random.integers(low, high, district.size) for low, high in _TOURS])
    reason = _choose(random, _REASON_SHARES, (district.size, 3))
    driver = (district[:, None] * 2 + random.integers(0, 4, (district.size, 3))) % N_DRIVERS + 1
    return ends_at, attempt_day, minute, reason, driver


def _choose(random: Generator, shares: Floats, shape: tuple[int, ...]) -> Ints:
    return np.searchsorted(np.cumsum(shares)[:-1], random.random(shape), side="right").astype(np.int64)
