"""The network has the shape that the configuration asks for, and a signal that a simple model can use."""

import numpy as np
import pytest

from mock_data import NetworkConfig
from mock_data.days import Days, generate_days, period
from mock_data.network import Network, build_network
from mock_data.parcels import AT_PUDO


@pytest.fixture(scope="module")
def network() -> Network:
    return build_network(NetworkConfig())


@pytest.fixture(scope="module")
def days(network: Network) -> Days:
    return generate_days(network, *period(network.config))


def test_shares_capacities_and_box(network: Network) -> None:
    config = network.config
    assert np.bincount(network.type_index).tolist() == [60, 30, 10]
    for index, kind in enumerate(config.types):
        capacity = network.capacity[network.type_index == index]
        assert kind.capacity_min <= capacity.min() < capacity.max() <= kind.capacity_max
    assert network.active.sum() == 97
    assert (abs(network.latitude - config.latitude) <= config.latitude_range).all()
    assert (abs(network.longitude - config.longitude) <= config.longitude_range).all()
    again = build_network(NetworkConfig())
    assert again.latitude.tolist() == network.latitude.tolist()
    assert again.capacity.tolist() == network.capacity.tolist()


@pytest.mark.parametrize("n_pudos", [1, 2, 7, 1000])
def test_networks_of_any_size(n_pudos: int) -> None:
    config = NetworkConfig(n_pudos=n_pudos, n_days=3, parcels_per_day=50)
    network = build_network(config)
    assert len(network) == len(network.latitude) == len(network.type_index) == n_pudos
    days = generate_days(network, *period(config))
    assert len(days.occupancy) == 3 * network.active.sum()


def test_volumes_and_rates(network: Network, days: Days) -> None:
    assert len(days.parcels) == pytest.approx(365_000, rel=0.03)
    ends = np.bincount(days.journeys.ends_at, minlength=4)[1:] / len(days.journeys)
    assert ends.tolist() == pytest.approx([0.30, 0.10, 0.60], abs=0.01)
    rates = days.occupancy.deliveries / network.capacity[days.occupancy.pudo]
    assert 0.35 < rates.mean() < 0.5
    assert 0.04 < (rates >= 0.85).mean() < 0.08
    assert rates.max() <= 1.0
    later = days.attempts.day > days.journeys.day[days.attempts.parcel]
    assert 0.05 < later[days.attempts.number == AT_PUDO].mean() < 0.3


def test_what_is_known_on_the_morning_beats_the_naive_forecasts(network: Network, days: Days) -> None:
    begin, end = period(network.config)
    active = np.flatnonzero(network.active)
    count = end - begin + 1
    actual = days.occupancy.deliveries.reshape(count, -1) / network.capacity[active]
    near = network.distances_km(days.parcels.latitude, days.parcels.longitude)[:, active] <= 1.0
    borders = np.searchsorted(days.parcels.day, np.arange(begin, end + 2))
    announced = np.add.reduceat(near.astype(np.int64), borders[:-1], axis=0)
    past = range(28, count)

    def past_mean(values: np.ndarray, length: int) -> np.ndarray:
        return np.array([values[day - length : day].mean(axis=0) for day in past])

    weekday = actual[21 : count - 7]
    same_weekday = np.mean([actual[28 - lag : count - lag] for lag in (7, 14, 21, 28)], axis=0)
    per_parcel = past_mean(actual, 28) / np.maximum(past_mean(announced, 28), 0.5)
    inputs = np.stack([same_weekday, past_mean(actual, 7), per_parcel * announced[28:]])
    truth, train = actual[28:], slice(0, count - 28 - 60)
    weights, *_ = np.linalg.lstsq(inputs[:, train].reshape(3, -1).T, truth[train].ravel(), rcond=None)
    test = slice(count - 28 - 60, None)
    forecast = np.tensordot(weights, inputs[:, test], axes=1)
    naive = min(abs(each[test] - truth[test]).mean() for each in (weekday, past_mean(actual, 7)))
    # Better than naive by far, yet with noise that nobody can foresee.
    assert 0.4 < abs(forecast - truth[test]).mean() / naive < 0.75
