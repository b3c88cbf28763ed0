"""The configuration refuses what cannot be generated and survives JSON."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_data import MockDataError, NetworkConfig, PudoType
from mock_data.errors import InvalidConfig


def test_the_defaults_are_those_of_the_documents() -> None:
    config = NetworkConfig()
    assert (config.n_pudos, config.n_days, config.parcels_per_day, config.seed) == (100, 365, 1000.0, 42)
    assert (config.start_date, config.last_date) == (date(2024, 7, 1), date(2025, 6, 30))
    assert (config.latitude, config.longitude) == (52.52, 13.405)
    assert (config.latitude_range, config.longitude_range) == (0.4, 0.6)
    assert (config.first_attempt_rate, config.second_attempt_rate) == (0.3, 0.1)
    assert config.types == (
        PudoType("SHOP", 0.6, 6, 70),
        PudoType("LOCKER", 0.3, 6, 70),
        PudoType("POST_OFFICE", 0.1, 8, 120),
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_pudos": 0}, "n_pudos is 0."),
        ({"n_days": 0}, "n_days is 0."),
        ({"parcels_per_day": 0.5}, "parcels_per_day is 0.5."),
        ({"parcels_per_day": float("nan")}, "parcels_per_day is nan."),
        ({"seed": -1}, "seed is -1."),
        ({"start_date": date(1980, 1, 1)}, "start_date is 1980-01-01."),
        ({"latitude": 89.0}, "latitude is 89.0."),
        ({"longitude_range": 0.0}, "longitude_range is 0.0."),
        ({"district_shock": 1.5}, "district_shock is 1.5."),
        ({"inactive_share": 0.9}, "inactive_share is 0.9."),
        ({"planned_fill": 0.0}, "planned_fill is 0.0."),
        ({"weekly_closure_rate": -0.1}, "weekly_closure_rate is -0.1."),
        ({"second_attempt_rate": 0.8}, "second_attempt_rate is 0.8."),
        ({"types": ()}, "types is []."),
        ({"types": (PudoType("BANK", 1.0, 1, 2),)}, "types is ['BANK']."),
        ({"types": (PudoType("SHOP", 0.5, 1, 2),)}, "types is shares."),
        ({"types": (PudoType("SHOP", 1.0, 9, 2),)}, "types.SHOP.capacity is (9, 2)."),
    ],
)
def test_refuses_by_name(change: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        replace(NetworkConfig(), **change)
    assert refused.value.message == named
    assert refused.value.hint
    assert isinstance(refused.value, MockDataError)


@given(
    st.builds(
        NetworkConfig,
        n_pudos=st.integers(1, 500),
        n_days=st.integers(1, 700),
        start_date=st.dates(date(2000, 1, 1), date(2050, 1, 1)),
        parcels_per_day=st.floats(1, 5000),
        seed=st.integers(0, 2**32 - 1),
        district_shock=st.floats(0, 1),
    )
)
def test_json_gives_an_equal_configuration_back(config: NetworkConfig) -> None:
    again = NetworkConfig.from_json(config.to_json())
    assert again == config
    assert again.fingerprint == config.fingerprint


def test_the_fingerprint_tells_configurations_apart() -> None:
    config = NetworkConfig()
    others = [
        replace(config, seed=1),
        replace(config, n_days=364),
        replace(config, types=(PudoType("SHOP", 1.0, 25, 70),)),
    ]
    assert len({each.fingerprint for each in (config, *others)}) == 4


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"n_pudos": 5}'])
def test_refuses_what_is_not_a_configuration(text: str) -> None:
    with pytest.raises(InvalidConfig):
        NetworkConfig.from_json(text)


def test_refuses_an_unknown_setting() -> None:
    text = NetworkConfig().to_json().replace('"seed"', '"sead"')
    with pytest.raises(InvalidConfig, match="sead"):
        NetworkConfig.from_json(text)
