"""The places: districts where people order parcels, and the PUDOs that serve them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mock_data.config import LOCKER, NetworkConfig
from mock_data.streams import Purpose, stream

KM_PER_DEGREE = 111.195  # on a sphere of 6371 km
DISTRICT_SPREAD_KM = 0.4
_PUDO_SPREAD_KM = 0.35
_RURAL_PUDO_SHARE = 0.15
_PUDOS_PER_DISTRICT = 5
_CONCENTRATION = 1.2
_RURAL_BUSYNESS = 0.01
# Places in each district from which its parcels are sized up.
_SAMPLE = 25
# A driver prefers near PUDOs, the more so the nearer, and lockers.
DECAY_KM = 0.8
LOCKER_BONUS = 1.5
# Log-scale deviation of a capacity from what the place would need.
_MISJUDGEMENT = 0.2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Districts:
    """One row a district: centre in degrees, share of the parcels (sums to 1), and how its demand moves."""

    latitude: Floats
    longitude: Floats
    share: Floats
    yearly_growth: Floats
    wave_period_days: Floats
    wave_phase: Floats

    def __len__(self) -> int:
        return len(self.share)


@dataclass(frozen=True)
class Network:
    """One row a PUDO; PUDO_ID is the index plus 1. `type_index` points into the configuration's types."""

    config: NetworkConfig
    districts: Districts
    latitude: Floats
    longitude: Floats
    type_index: Ints
    capacity: Ints
    active: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.capacity)

    @property
    def is_locker(self) -> NDArray[np.bool_]:
        """Lockers are open every day of the week and preferred by drivers."""
        names = np.array([each.name for each in self.config.types])
        return np.asarray(names[self.type_index] == LOCKER)

    def distances_km(self, latitude: Floats, longitude: Floats) -> Floats:
        """Distances of n places to every PUDO in km, shape (n, PUDOs), on a plane that touches the centre."""
        scale = np.cos(np.radians(self.config.latitude))
        north = (latitude[:, None] - self.latitude) * KM_PER_DEGREE
        east = (longitude[:, None] - self.longitude) * (KM_PER_DEGREE * scale)
        return np.asarray(np.hypot(north, east))


def scatter(
    random: Generator, config: NetworkConfig, latitude: Floats, longitude: Floats, spread_km: float
) -> tuple[Floats, Floats]:
    """Points normally scattered around places, kept within the network's box. Degrees in and out."""
    north = random.normal(0.0, spread_km / KM_PER_DEGREE, latitude.size)
    scale = np.cos(np.radians(config.latitude))
    east = random.normal(0.0, spread_km / (KM_PER_DEGREE * scale), longitude.size)
    return within_box(config, latitude + north, longitude + east)


def within_box(config: NetworkConfig, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """The same points, clipped to the box around the network's centre."""
    return (
        np.clip(latitude, config.latitude - config.latitude_range, config.latitude + config.latitude_range),
        np.clip(
            longitude, config.longitude - config.longitude_range, config.longitude + config.longitude_range
        ),
    )


def anywhere(random: Generator, config: NetworkConfig, count: int) -> tuple[Floats, Floats]:
    """Points spread evenly over the network's box."""
    return (
        config.latitude + random.uniform(-config.latitude_range, config.latitude_range, count),
        config.longitude + random.uniform(-config.longitude_range, config.longitude_range, count),
    )


def build_network(config: NetworkConfig) -> Network:
    """The network of a configuration; the same one each time."""
    random = stream(config.seed, Purpose.NETWORK)
    districts = _districts(random, config)
    latitude, longitude, busyness = _places(random, config, districts)
    type_index = _types(random, config, busyness)
    active = np.ones(config.n_pudos, dtype=bool)
    active[random.permutation(config.n_pudos)[: int(config.n_pudos * config.inactive_share)]] = False
    unsized = Network(
        config, districts, latitude, longitude, type_index, np.ones(config.n_pudos, np.int64), active
    )
    return replace(unsized, capacity=_capacities(random, unsized))


def _capacities(random: Generator, network: Network) -> Ints:
    """Each PUDO is as large as its place needs, more or less, within the range of its type.

    What it needs are the parcels of an average day that drivers would bring there if all had room.
    """
    config, districts = network.config, network.districts
    home = np.repeat(np.arange(len(districts)), _SAMPLE)
    latitude, longitude = scatter(
        random, config, districts.latitude[home], districts.longitude[home], DISTRICT_SPREAD_KM
    )
    attraction = np.exp(-network.distances_km(latitude, longitude) / DECAY_KM)
    attraction *= np.where(network.is_locker, LOCKER_BONUS, 1.0) * network.active
    attraction /= np.maximum(attraction.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    share = districts.share[home] @ attraction / _SAMPLE
    needed = share * config.parcels_per_day * config.redirected_rate / config.planned_fill
    size = needed * np.exp(random.normal(0.0, _MISJUDGEMENT, len(network)))
    low = np.array([each.capacity_min for each in config.types])[network.type_index]
    high = np.array([each.capacity_max for each in config.types])[network.type_index]
    return np.rint(size).clip(low, high).astype(np.int64)


def _districts(random: Generator, config: NetworkConfig) -> Districts:
    count = max(2, round(config.n_pudos / _PUDOS_PER_DISTRICT))
    latitude, longitude = _spaced_centres(random, config, count)
    # Few districts order most parcels, the ones near the centre above all.
    remoteness = np.hypot(
        (latitude - config.latitude) / config.latitude_range,
        (longitude - config.longitude) / config.longitude_range,
    )
    rank = 1.0 + np.argsort(np.argsort(remoteness + random.uniform(0, 0.15, count)))
    weight = rank**-_CONCENTRATION
    return Districts(
        latitude=latitude,
        longitude=longitude,
        share=weight / weight.sum(),
        yearly_growth=random.normal(config.yearly_growth, 0.1, count),
        wave_period_days=random.uniform(40, 120, count),
        wave_phase=random.uniform(0, 2 * np.pi, count),
    )


def _spaced_centres(random: Generator, config: NetworkConfig, count: int) -> tuple[Floats, Floats]:
    """District centres around the middle: of each group of candidates the farthest from those kept before."""
    candidates = 12 * count
    latitude, longitude = within_box(
        config,
        config.latitude + random.normal(0, config.latitude_range / 3, candidates),
        config.longitude + random.normal(0, config.longitude_range / 3, candidates),
    )
    offered = np.arange(candidates).reshape(count, 12)
    kept = [int(offered[0, 0])]
    scale = np.cos(np.radians(config.latitude))
    for group in offered[1:]:
        north = latitude[group][:, None] - latitude[kept]
        east = (longitude[group][:, None] - longitude[kept]) * scale
        kept.append(int(group[np.hypot(north, east).min(axis=1).argmax()]))
    return latitude[kept], longitude[kept]


def _places(random: Generator, config: NetworkConfig, districts: Districts) -> tuple[Floats, Floats, Floats]:
    """Places of the PUDOs and the share of parcels of the district each lies in.

    Every district has a PUDO while there are enough; busy ones have more; some lie in the country.
    """
    rural = int(config.n_pudos * _RURAL_PUDO_SHARE)
    urban = config.n_pudos - rural
    weight = districts.share**0.25
    drawn = random.choice(len(districts), size=max(0, urban - len(districts)), p=weight / weight.sum())
    home = np.concatenate([np.arange(len(districts)), drawn])[:urban]
    town = scatter(random, config, districts.latitude[home], districts.longitude[home], _PUDO_SPREAD_KM)
    country = anywhere(random, config, rural)
    order = random.permutation(config.n_pudos)
    busyness = np.concatenate([districts.share[home], np.full(rural, _RURAL_BUSYNESS)])[order]
    return (
        np.concatenate([town[0], country[0]])[order],
        np.concatenate([town[1], country[1]])[order],
        busyness,
    )


def _types(random: Generator, config: NetworkConfig, busyness: Floats) -> Ints:
    """The types in the configured shares, rounded so that every PUDO has one; lockers rather where it is busy."""
    borders = np.cumsum([each.share for each in config.types]) * config.n_pudos
    kinds = np.searchsorted(borders, np.arange(config.n_pudos) + 0.5).clip(max=len(config.types) - 1)
    is_locker = np.array([each.name == LOCKER for each in config.types])[kinds]
    kinds = np.concatenate([kinds[is_locker], random.permutation(kinds[~is_locker])])
    type_index = np.empty_like(kinds)
    type_index[np.argsort(-np.log(busyness) - random.gumbel(size=config.n_pudos))] = kinds
    return type_index
