"""Who is chosen when distance, room and kind compete."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from mock_data import NetworkConfig
from mock_data.assignment import NO_ROOM, assign
from mock_data.network import KM_PER_DEGREE, Network, build_network
from mock_data.rows import from_date

CONFIG = NetworkConfig(n_pudos=2, weekly_closure_rate=0.0, inactive_share=0.0)
MONDAY, SUNDAY = from_date(date(2024, 7, 8)), from_date(date(2024, 7, 7))
SHOP, LOCKER = 0, 1


def _network(kilometres_north: list[float], types: list[int], capacity: list[int]) -> Network:
    """PUDOs due north of the centre, where all the parcels go."""
    config = replace(CONFIG, n_pudos=len(capacity))
    return replace(
        build_network(config),
        latitude=config.latitude + np.array(kilometres_north) / KM_PER_DEGREE,
        longitude=np.full(len(capacity), config.longitude),
        type_index=np.array(types),
        capacity=np.array(capacity),
        active=np.ones(len(capacity), dtype=bool),
    )


def _assigned(network: Network, day: int, parcels: int) -> list[int]:
    """How many each PUDO got, and last those without a place."""
    chosen = assign(
        network, day, np.full(parcels, network.config.latitude), np.full(parcels, network.config.longitude)
    )
    return np.bincount(np.where(chosen == NO_ROOM, len(network), chosen), minlength=len(network) + 1).tolist()


@pytest.mark.parametrize(
    ("kilometres", "parcels", "shares"),
    [
        # Hardly farther, but beyond the radius: nobody goes there while there is room nearer.
        ([4.99, 5.01, 5.01], 10, [10, 0, 0, 0]),
        ([9.99, 10.01, 10.01], 10, [10, 0, 0, 0]),
        ([4.99, 5.01, 10.01], 20, [10, 10, 0, 0]),
        ([4.99, 5.01, 10.01], 25, [10, 10, 5, 0]),
        ([4.99, 5.01, 35.0], 33, [10, 10, 10, 3]),
    ],
)
def test_nearest_radius_with_room(kilometres: list[float], parcels: int, shares: list[int]) -> None:
    network = _network(kilometres, [SHOP, SHOP, SHOP], [10, 10, 10])
    assert _assigned(network, MONDAY, parcels) == shares


@pytest.mark.parametrize(
    ("kilometres", "types", "capacity"),
    [
        ([0.5, 2.0], [SHOP, SHOP], [1000, 1000]),
        ([1.0, 1.0], [LOCKER, SHOP], [1000, 1000]),
        ([1.0, 1.0], [SHOP, SHOP], [600, 300]),
    ],
)
def test_prefers_nearer_lockers_and_room(
    kilometres: list[float], types: list[int], capacity: list[int]
) -> None:
    preferred, other, lost = _assigned(_network(kilometres, types, capacity), MONDAY, 500)
    assert lost == 0
    assert preferred > 1.15 * other > 0


def test_on_a_sunday_only_lockers_take_parcels() -> None:
    assert _assigned(_network([0.1, 3.0], [SHOP, LOCKER], [10, 10]), SUNDAY, 12) == [0, 10, 2]


def test_nothing_to_assign() -> None:
    assert _assigned(_network([1.0], [SHOP], [1]), MONDAY, 0) == [0, 0]
