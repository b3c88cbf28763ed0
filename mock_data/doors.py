"""Which doors open at the first attempt: the signal that a delivery model can learn, and what it leaves alone.

How many parcels of a district and day end at a PUDO is drawn without regard to what they are; *which* ones do
follows from their size and their street alone, and neither says anything about where in its district a parcel
lies. So number, places and times of the parcels that PUDOs get are distributed as if all doors were alike.
"""

import numpy as np

from mock_data.config import NetworkConfig
from mock_data.demand import WEEK, weekday
from mock_data.holidays import is_holiday
from mock_data.network import Districts, Floats, Ints, Network
from mock_data.streams import Purpose, stream

#: Streets that differ in their doors: as many as there are addresses.
STREETS = 400
# Log-odds of a miss: by size (small ones fit the letter box), and how far streets lie apart.
_BY_SIZE = np.array([-0.5, 0.15, 0.9])
_STREET_DEVIATION = 1.0
# The part of a street's variance that stays; the rest moves from one knot to the next.
_LASTING = 0.6
_KNOT_DAYS = 28
# Misses that a second attempt makes good, against the mean: Monday to Sunday, and on holidays.
_BY_WEEKDAY = np.array([1.2, 1.15, 1.1, 1.1, 1.3, 0.35, 0.25])
_ON_HOLIDAYS = 0.25
_BY_DISTRICT = (0.3, 1.9)


def open_doors(
    network: Network, day: int, district: Ints, street: Ints, size: Ints, random: np.random.Generator
) -> Ints:
    """The attempt at which each parcel of one day ends: 1 and 2 at the door, 3 at a PUDO.

    Of each district as many parcels end at a PUDO as independent draws at the day's rate give; of the rest a
    share depending on district and day is missed once. Those that are most often missed are the first of both.
    """
    config = network.config
    deviation = config.redirect_noise
    noise = np.exp(random.normal(-0.5 * deviation**2, deviation, len(network.districts)))
    at_pudo = np.minimum(config.redirected_rate * noise, 1.0)
    odds = street_effect(config.seed, day)[street % STREETS] + _BY_SIZE[size]
    rank = _rank_within(district, -(odds + random.logistic(size=district.size)))
    draw = random.random(district.size)
    redirected = np.bincount(district[draw < at_pudo[district]], minlength=len(network.districts))
    present = np.bincount(district, minlength=len(network.districts))
    missed = redirected + random.binomial(present - redirected, _missed_once(config, network.districts, day))
    return np.where(rank < redirected[district], 3, np.where(rank < missed[district], 2, 1))


def street_effect(seed: int, day: int) -> Floats:
    """Log-odds of a miss by street on one day: part of it lasts, part moves within weeks."""
    lasting = stream(seed, Purpose.STREETS).normal(size=STREETS)
    knot, into = divmod(day, _KNOT_DAYS)
    before, after = (stream(seed, Purpose.STREETS, one).normal(size=STREETS) for one in (knot, knot + 1))
    angle = 0.5 * np.pi * into / _KNOT_DAYS  # keeps the variance between the knots
    moving = np.cos(angle) * before + np.sin(angle) * after
    return np.asarray(_STREET_DEVIATION * (np.sqrt(_LASTING) * lasting + np.sqrt(1 - _LASTING) * moving))


def _missed_once(config: NetworkConfig, districts: Districts, day: int) -> Floats:
    """Of the parcels that a door takes, the share that the first attempt misses, by district."""
    at_door = config.first_attempt_rate + config.second_attempt_rate
    by_district = stream(config.seed, Purpose.DISTRICTS).uniform(*_BY_DISTRICT, len(districts))
    by_district /= by_district @ districts.share
    days = np.array([day])
    by_day = _BY_WEEKDAY[weekday(days)] / (_BY_WEEKDAY @ WEEK / WEEK.sum())
    by_day = np.where(is_holiday(days), _ON_HOLIDAYS, by_day)
    rate = config.second_attempt_rate / at_door if at_door else 0.0
    return np.asarray(np.minimum(rate * by_district * by_day, 1.0))


def _rank_within(group: Ints, value: Floats) -> Ints:
    """The place of each value among those of its group, from 0, smallest first."""
    order = np.lexsort((value, group))
    ranked = group[order]
    starts = np.searchsorted(ranked, ranked)
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = np.arange(group.size) - starts
    return rank
