"""Whole days of the network: parcels, the delivery attempts made, and the occupancy of every evening."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mock_data.assignment import NO_ROOM, assign
from mock_data.config import NetworkConfig
from mock_data.demand import to_day
from mock_data.network import Ints, Network
from mock_data.parcels import AT_PUDO, Parcels, parcels_of

# A parcel's last attempt is made at most this many days after its announcement.
_LONGEST_JOURNEY = 2


@dataclass(frozen=True)
class Attempts:
    """One row an attempt. `parcel` points into `Days.journeys`; `pudo` is an index, or -1 for none."""

    parcel: Ints
    number: Ints
    day: Ints
    minute: Ints
    pudo: Ints

    def __len__(self) -> int:
        return len(self.parcel)


@dataclass(frozen=True)
class Occupancy:
    """One row for each active PUDO and day, closed ones included: `pudo` is an index into the network."""

    pudo: Ints
    day: Ints
    deliveries: Ints

    def __len__(self) -> int:
        return len(self.pudo)


@dataclass(frozen=True)
class Days:
    """The rows of consecutive days. `journeys` holds also the earlier parcels that are still on their way."""

    parcels: Parcels
    journeys: Parcels
    attempts: Attempts
    occupancy: Occupancy


def generate_days(network: Network, first: int, last: int) -> Days:
    """The rows of the days `first` to `last` (counted from 1970-01-01), both within the network's period.

    The rows of a day are the same whatever range it is generated in. Raises ValueError for an empty range
    or one that begins before the network.
    """
    begin = to_day(network.config)
    if not begin <= first <= last:
        raise ValueError(f"no days from {first} to {last}: the network begins on day {begin}")
    announced = range(max(begin, first - _LONGEST_JOURNEY), last + 1)
    journeys = Parcels.concatenate([parcels_of(network, day) for day in announced])
    attempts = _attempts(network, journeys, first, last)
    return Days(
        journeys.announced_from(first), journeys, attempts, _occupancy(network, attempts, first, last)
    )


def period(config: NetworkConfig) -> tuple[int, int]:
    """First and last seeded day, counted from 1970-01-01."""
    return to_day(config), to_day(config, config.n_days - 1)


def _attempts(network: Network, journeys: Parcels, first: int, last: int) -> Attempts:
    """The attempts made within the range, in order of day and time."""
    steps = np.arange(1, 4)
    made = steps <= journeys.ends_at[:, None]
    made &= (journeys.attempt_day >= first) & (journeys.attempt_day <= last)
    parcel, step = np.nonzero(made)
    day, minute = journeys.attempt_day[parcel, step], journeys.attempt_minute[parcel, step]
    order = np.lexsort((journeys.number[parcel], journeys.day[parcel], minute, day))
    parcel, step, day, minute = parcel[order], step[order], day[order], minute[order]
    redirected: NDArray[np.bool_] = (step + 1 == AT_PUDO) & (journeys.ends_at[parcel] == AT_PUDO)
    pudo = np.full(parcel.size, NO_ROOM)
    rows = np.flatnonzero(redirected)
    borders = np.searchsorted(day[rows], np.arange(first, last + 2))
    for index, today in enumerate(range(first, last + 1)):
        these = rows[borders[index] : borders[index + 1]]
        pudo[these] = assign(
            network, today, journeys.latitude[parcel[these]], journeys.longitude[parcel[these]]
        )
    return Attempts(parcel, step + 1, day, minute, pudo)


def _occupancy(network: Network, attempts: Attempts, first: int, last: int) -> Occupancy:
    count = last - first + 1
    delivered = attempts.pudo != NO_ROOM
    cell = (attempts.day[delivered] - first) * len(network) + attempts.pudo[delivered]
    deliveries = np.bincount(cell, minlength=count * len(network)).reshape(count, len(network))
    active = np.flatnonzero(network.active)
    return Occupancy(
        pudo=np.tile(active, count),
        day=np.repeat(np.arange(first, last + 1), active.size),
        deliveries=deliveries[:, active].ravel(),
    )
