"""Days do not depend on how they are generated, and hold together."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_data import NetworkConfig, PudoType
from mock_data.days import Days, generate_days, period
from mock_data.demand import is_rest_day, open_pudos
from mock_data.network import Network, build_network
from mock_data.parcels import AT_PUDO

SMALL = NetworkConfig(n_pudos=12, n_days=40, parcels_per_day=120, start_date=date(2024, 12, 10), seed=3)
# Half of the parcels of a day fit into the network at most, so that it runs full.
CROWDED = replace(SMALL, types=(PudoType("SHOP", 0.5, 2, 3), PudoType("LOCKER", 0.5, 1, 2)), n_days=12)


@pytest.fixture(scope="module")
def network() -> Network:
    return build_network(SMALL)


@pytest.fixture(scope="module")
def whole(network: Network) -> Days:
    return generate_days(network, *period(SMALL))


def _rows_of_day(days: Days, day: int) -> dict[str, list[object]]:
    """Everything that would be stored for one day, whatever the arrays' indices."""
    parcels, attempts, journeys = days.parcels, days.attempts, days.journeys
    today = parcels.day == day
    made = attempts.day == day
    parcel, step = attempts.parcel[made], attempts.number[made] - 1
    evening = days.occupancy.day == day
    return {
        **{each.name: getattr(parcels, each.name)[today].tolist() for each in fields(parcels)},
        "attempted": list(
            zip(journeys.day[parcel], journeys.number[parcel], attempts.number[made], strict=True)
        ),
        "minutes": attempts.minute[made].tolist(),
        "pudos": attempts.pudo[made].tolist(),
        "drivers": journeys.driver[parcel, step].tolist(),
        "reasons": journeys.reason[parcel, step].tolist(),
        "occupancy": list(zip(days.occupancy.pudo[evening], days.occupancy.deliveries[evening], strict=True)),
    }


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_day_is_the_same_in_every_range(network: Network, whole: Days, data: st.DataObject) -> None:
    begin, end = period(SMALL)
    first = data.draw(st.integers(begin, end))
    last = data.draw(st.integers(first, min(first + 6, end)))
    part = generate_days(network, first, last)
    for day in range(first, last + 1):
        assert _rows_of_day(part, day) == _rows_of_day(whole, day)


def test_the_days_go_on_after_the_seed(network: Network) -> None:
    end = period(SMALL)[1]
    across = generate_days(network, end - 1, end + 3)
    for day in range(end + 1, end + 4):
        assert _rows_of_day(generate_days(network, day, day), day) == _rows_of_day(across, day)
        assert _rows_of_day(across, day)["pudos"]


def test_another_seed_gives_other_days(whole: Days) -> None:
    other = generate_days(build_network(replace(SMALL, seed=4)), *period(SMALL))
    assert len(other.parcels) != len(whole.parcels)


def test_no_days_before_the_network(network: Network) -> None:
    begin, end = period(SMALL)
    for first, last in ((begin - 1, end), (begin + 2, begin + 1)):
        with pytest.raises(ValueError, match="the network begins on day"):
            generate_days(network, first, last)


@pytest.mark.parametrize("config", [SMALL, CROWDED])
def test_deliveries_respect_room_opening_and_distance(config: NetworkConfig) -> None:
    network = build_network(config)
    days = generate_days(network, *period(config))
    attempts = days.attempts
    last = attempts.number == AT_PUDO
    for day in range(period(config)[0], period(config)[1] + 1):
        today = last & (attempts.day == day)
        parcel, pudo = attempts.parcel[today], attempts.pudo[today]
        is_open = open_pudos(network, day)
        taken = np.bincount(pudo[pudo >= 0], minlength=len(network))
        full = taken >= np.where(is_open, network.capacity, 0)
        assert (taken <= np.where(is_open, network.capacity, 0)).all()
        distance = network.distances_km(days.journeys.latitude[parcel], days.journeys.longitude[parcel])
        # Room only ever shrinks within a day: who was sent away found everything nearer full.
        for row, chosen in zip(distance, pudo, strict=True):
            if chosen < 0:
                assert full.all()
            elif row[chosen] > 10:
                assert full[row <= 10].all()
            elif row[chosen] > 5:
                assert full[row <= 5].all()


def test_a_crowded_network_overflows() -> None:
    network = build_network(CROWDED)
    days = generate_days(network, *period(CROWDED))
    last = days.attempts.number == AT_PUDO
    assert 0.2 < (days.attempts.pudo[last] < 0).mean() < 0.95
    rates = days.occupancy.deliveries / network.capacity[days.occupancy.pudo]
    assert (rates == 1.0).mean() > 0.5


def test_occupancy_counts_the_deliveries(network: Network, whole: Days) -> None:
    occupancy, attempts = whole.occupancy, whole.attempts
    active = np.flatnonzero(network.active)
    begin, end = period(SMALL)
    assert list(zip(occupancy.day, occupancy.pudo, strict=True)) == [
        (day, pudo) for day in range(begin, end + 1) for pudo in active
    ]
    counted = [
        int(((attempts.day == day) & (attempts.pudo == pudo)).sum())
        for day, pudo in zip(occupancy.day, occupancy.pudo, strict=True)
    ]
    assert occupancy.deliveries.tolist() == counted
    assert sum(counted) > 1000


def test_attempts_follow_one_another(whole: Days) -> None:
    journeys, attempts = whole.journeys, whole.attempts
    moment = attempts.day * 1440 + attempts.minute
    order = np.lexsort((attempts.number, attempts.parcel))
    parcel, number, moment = attempts.parcel[order], attempts.number[order], moment[order]
    same = parcel[1:] == parcel[:-1]
    assert (number[1:][same] == number[:-1][same] + 1).all()
    assert (moment[1:][same] > moment[:-1][same]).all()
    assert (number[np.r_[True, ~same]] == 1).all()
    # Complete unless the period ended before the parcel's last attempt.
    finished = np.r_[~same, True]
    complete = number[finished] == journeys.ends_at[parcel[finished]]
    assert complete[journeys.day[parcel[finished]] <= period(SMALL)[1] - 2].all()
    assert ((attempts.minute >= 480) & (attempts.minute < 1200)).all()
    assert (journeys.announced_minute < 360).all()


def test_only_lockers_take_parcels_on_rest_days(network: Network, whole: Days) -> None:
    rest = is_rest_day(whole.occupancy.day)
    locker = network.is_locker[whole.occupancy.pudo]
    assert rest.any()
    assert whole.occupancy.deliveries[rest & ~locker].sum() == 0
    assert whole.occupancy.deliveries[rest & locker].sum() > 0


def test_closures_last_some_days_and_take_nothing() -> None:
    config = replace(SMALL, weekly_closure_rate=0.3, inactive_share=0.0)
    network = build_network(config)
    begin, end = period(config)
    is_open = np.array([open_pudos(network, day) for day in range(begin, end + 1)])
    locker_closed = ~is_open[:, network.is_locker]
    assert 0.05 < locker_closed.mean() < 0.5
    for column in locker_closed[1:-1].T:
        edges = np.flatnonzero(np.diff(np.r_[0, column.astype(int), 0]))
        lengths = (edges[1::2] - edges[::2])[1:-1]
        assert (lengths >= 2).all()
    deliveries = generate_days(network, begin, end).occupancy.deliveries.reshape(is_open.shape)
    assert deliveries[~is_open].sum() == 0
