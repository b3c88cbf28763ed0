"""Which PUDO takes a parcel that nobody took at the door: nearer, emptier ones and lockers are preferred."""

import numpy as np
from numpy.typing import NDArray

from mock_data.demand import open_pudos
from mock_data.network import DECAY_KM, LOCKER_BONUS, Floats, Ints, Network
from mock_data.streams import Purpose, stream

NO_ROOM = -1
_RADII_KM = (5.0, 10.0)
# The day's parcels come in waves; how full a PUDO is counts from one wave to the next.
_WAVES = 4
_TINY = np.float32(1e-30)


def assign(network: Network, day: int, latitude: Floats, longitude: Floats) -> Ints:
    """Index of the PUDO for each parcel of one day, in the order of delivery, or NO_ROOM.

    Looks within 5 km, then 10 km, then anywhere. No PUDO takes more than its capacity on a day.
    """
    random = stream(network.config.seed, Purpose.ASSIGNMENT, day)
    distance = network.distances_km(latitude, longitude)
    # Adding Gumbel noise to log weights and taking the largest chooses in proportion to the weights.
    noise = -np.log(np.maximum(random.standard_exponential(distance.shape, dtype=np.float32), _TINY))
    preference = noise - distance / DECAY_KM
    preference += np.where(network.is_locker, np.log(LOCKER_BONUS), 0.0)
    room = np.where(open_pudos(network, day), network.capacity, 0)
    chosen = np.full(latitude.size, NO_ROOM)
    for wave in np.array_split(np.arange(latitude.size), _WAVES):
        _assign_wave(wave, distance, preference, network.capacity, room, chosen)
    return chosen


def _assign_wave(
    waiting: Ints, distance: Floats, preference: Floats, capacity: Ints, room: Ints, chosen: Ints
) -> None:
    """Fill `chosen` for the waiting parcels and take their places from `room`; late ones choose again."""
    while waiting.size and room.any():
        emptiness = np.log(np.maximum(room, 1) / capacity)
        allowed = _within_reach(distance[waiting], room > 0)
        choice = np.where(allowed, preference[waiting] + emptiness, -np.inf).argmax(axis=1)
        fits = _turn(choice) < room[choice]
        chosen[waiting[fits]] = choice[fits]
        room -= np.bincount(choice[fits], minlength=room.size)
        waiting = waiting[~fits]


def _within_reach(distance: Floats, has_room: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each parcel the PUDOs with room in the smallest radius that has one."""
    allowed = np.broadcast_to(has_room, distance.shape)
    for radius in reversed(_RADII_KM):
        near = (distance <= radius) & has_room
        allowed = np.where(near.any(axis=1, keepdims=True), near, allowed)
    return allowed


def _turn(choice: Ints) -> Ints:
    """How many earlier entries are equal to each entry."""
    order = np.argsort(choice, kind="stable")
    ranked = choice[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    turn = np.empty_like(choice)
    turn[order] = np.arange(choice.size) - np.repeat(starts, np.diff(np.r_[starts, choice.size]))
    return turn
