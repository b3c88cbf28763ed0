"""Who is missed at the door can be learned, and the parcels that PUDOs get do not tell."""

from dataclasses import replace

import numpy as np
import pytest

from mock_data import NetworkConfig, doors
from mock_data.days import Days, generate_days, period
from mock_data.demand import weekday
from mock_data.holidays import is_holiday
from mock_data.network import Network, build_network
from mock_data.parcels import AT_PUDO, parcels_of

SMALL = NetworkConfig(n_pudos=40, n_days=60, parcels_per_day=600, seed=9)
LONG = replace(SMALL, n_days=365)
N_DISTRICTS = 8


@pytest.fixture(scope="module")
def network() -> Network:
    return build_network(LONG)


@pytest.fixture(scope="module")
def days(network: Network) -> Days:
    return generate_days(network, *period(LONG))


def _district(days: Days) -> np.ndarray:
    return days.parcels.street // 40


def test_as_many_end_at_a_pudo_as_if_all_doors_were_alike(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def redirected() -> list[list[int]]:
        made = [parcels_of(network, day) for day in range(period(SMALL)[0], period(SMALL)[0] + 10)]
        return [np.bincount(each.street[each.ends_at == AT_PUDO] // 40).tolist() for each in made]

    with_signal = redirected()
    monkeypatch.setattr(doors, "street_effect", lambda seed, day: np.zeros(doors.STREETS))
    monkeypatch.setattr(doors, "_BY_SIZE", np.zeros(3))
    monkeypatch.setattr(doors, "_BY_WEEKDAY", np.ones(7))
    assert redirected() == with_signal
    assert sum(map(sum, with_signal)) > 1000


def test_where_a_parcel_lies_does_not_tell_whether_it_ends_at_a_pudo(network: Network, days: Days) -> None:
    parcels, district = days.parcels, _district(days)
    north = parcels.latitude - network.districts.latitude[district]
    at_pudo = (parcels.ends_at == AT_PUDO).astype(float)
    noise = 4 / np.sqrt(len(parcels))
    for column in (north, abs(north), parcels.longitude - network.districts.longitude[district]):
        assert abs(np.corrcoef(column, at_pudo)[0, 1]) < noise


def test_the_share_at_pudos_is_the_same_for_every_district_and_weekday(days: Days) -> None:
    at_pudo = days.parcels.ends_at == AT_PUDO
    for group in (_district(days), weekday(days.parcels.day)):
        for value in np.unique(group):
            assert at_pudo[group == value].mean() == pytest.approx(0.6, abs=0.03)


def test_size_street_district_and_day_tell_who_is_missed(days: Days) -> None:
    parcels = days.parcels
    missed = parcels.ends_at > 1
    small, medium, large = (missed[parcels.size == size].mean() for size in range(3))
    assert small + 0.05 < medium < large - 0.05
    by_district = [missed[_district(days) == district].mean() for district in range(N_DISTRICTS)]
    assert max(by_district) - min(by_district) > 0.05
    rest = (weekday(parcels.day) == 6) | is_holiday(parcels.day)
    assert missed[rest].mean() + 0.05 < missed[~rest].mean()


def test_a_street_is_missed_as_it_was_lately(days: Days) -> None:
    parcels = days.parcels
    missed, block = parcels.ends_at > 1, (parcels.day - parcels.day[0]) // 28
    rate = np.full((13, doors.STREETS), np.nan)
    for index in range(13):
        these = block == index
        count = np.bincount(parcels.street[these], minlength=doors.STREETS)
        found = np.bincount(parcels.street[these], missed[these], minlength=doors.STREETS)
        rate[index, count >= 20] = found[count >= 20] / count[count >= 20]

    def correlation(apart: int) -> float:
        one, other = rate[:-apart].ravel(), rate[apart:].ravel()
        known = ~np.isnan(one) & ~np.isnan(other)
        assert known.sum() > 500
        return float(np.corrcoef(one[known], other[known])[0, 1])

    assert correlation(1) > correlation(6) + 0.05
    assert correlation(6) > 0.3


def test_no_more_are_missed_than_there_are() -> None:
    for first, second in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)):
        network = build_network(replace(SMALL, first_attempt_rate=first, second_attempt_rate=second))
        ends = parcels_of(network, period(SMALL)[0]).ends_at
        assert ends.size
        if first == 1.0:
            assert (ends == 1).all()
        if first == second == 0.0:
            assert (ends == AT_PUDO).mean() > 0.8
