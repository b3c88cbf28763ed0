"""What a synthetic network is made of: a frozen configuration, checked when it is built."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any, Self

from mock_data.errors import InvalidConfig

# Part of the fingerprint: raise it when the same configuration starts to give other rows.
GENERATOR_VERSION = 2


@dataclass(frozen=True)
class PudoType:
    """A kind of PUDO: its share of the network and the range of its daily capacity in parcels."""

    name: str
    share: float
    capacity_min: int
    capacity_max: int


SHOP = "SHOP"
LOCKER = "LOCKER"
POST_OFFICE = "POST_OFFICE"

DEFAULT_TYPES = (
    PudoType(SHOP, 0.6, 6, 70),
    PudoType(LOCKER, 0.3, 6, 70),
    PudoType(POST_OFFICE, 0.1, 8, 120),
)


@dataclass(frozen=True)
class NetworkConfig:
    """The network, its period and the strength of its signal. Angles in degrees, shares in 0..1.

    Raises InvalidConfig when a value cannot be generated.
    """

    n_pudos: int = 100
    n_days: int = 365
    start_date: date = date(2024, 7, 1)
    parcels_per_day: float = 1000.0
    seed: int = 42
    latitude: float = 52.52
    longitude: float = 13.405
    latitude_range: float = 0.4
    longitude_range: float = 0.6
    types: tuple[PudoType, ...] = DEFAULT_TYPES
    inactive_share: float = 0.03
    # Of all parcels; what is left goes to a PUDO at the third attempt.
    first_attempt_rate: float = 0.3
    second_attempt_rate: float = 0.1
    # The mean fill rate that capacities are planned for, within the ranges of the types.
    planned_fill: float = 0.45
    # Log-scale deviation of a district's announced parcels from day to day: visible on the morning.
    district_shock: float = 0.35
    # Log-scale deviation of the share that ends at a PUDO, for each district and day: never visible before.
    redirect_noise: float = 0.15
    yearly_growth: float = 0.15
    # Chance that a PUDO closes for some days within a given week.
    weekly_closure_rate: float = 0.02

    def __post_init__(self) -> None:
        _require(1 <= self.n_pudos <= 10_000, "n_pudos", self.n_pudos, "between 1 and 10,000")
        _require(1 <= self.n_days <= 3_660, "n_days", self.n_days, "between 1 and 3,660")
        _require(1 <= self.parcels_per_day <= 90_000, "parcels_per_day", self.parcels_per_day, "1 to 90,000")
        _require(0 <= self.seed < 2**32, "seed", self.seed, "between 0 and 4294967295")
        _require(
            date(1990, 1, 1) <= self.start_date <= date(2090, 1, 1),
            "start_date",
            self.start_date,
            "1990 to 2090",
        )
        _require(-75 <= self.latitude <= 75, "latitude", self.latitude, "between -75 and 75")
        _require(-175 <= self.longitude <= 175, "longitude", self.longitude, "between -175 and 175")
        for name in ("latitude_range", "longitude_range"):
            _require(0.02 <= getattr(self, name) <= 5, name, getattr(self, name), "between 0.02 and 5")
        for name in ("district_shock", "redirect_noise", "yearly_growth"):
            _require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "between 0 and 1")
        _require(0 <= self.inactive_share <= 0.5, "inactive_share", self.inactive_share, "between 0 and 0.5")
        _require(
            0 <= self.weekly_closure_rate <= 0.5, "weekly_closure_rate", self.weekly_closure_rate, "0 to 0.5"
        )
        _require(0.01 <= self.planned_fill <= 10, "planned_fill", self.planned_fill, "between 0.01 and 10")
        first, second = self.first_attempt_rate, self.second_attempt_rate
        _require(
            first >= 0 and second >= 0 and first + second <= 1,
            "second_attempt_rate",
            second,
            "such that both attempt rates are at least 0 and their sum at most 1",
        )
        self._check_types()

    def _check_types(self) -> None:
        known = {SHOP, LOCKER, POST_OFFICE}
        names = [each.name for each in self.types]
        _require(
            bool(names) and set(names) <= known and len(set(names)) == len(names),
            "types",
            names,
            f"distinct and among {sorted(known)}",
        )
        _require(
            abs(sum(each.share for each in self.types) - 1) < 1e-9,
            "types",
            "shares",
            "such that they add to 1",
        )
        for each in self.types:
            _require(0 <= each.share <= 1, f"types.{each.name}.share", each.share, "between 0 and 1")
            _require(
                1 <= each.capacity_min <= each.capacity_max <= 100_000,
                f"types.{each.name}.capacity",
                (each.capacity_min, each.capacity_max),
                "a range of at least 1 parcel, smaller first",
            )

    @property
    def redirected_rate(self) -> float:
        """The share of all parcels that no door takes."""
        return max(0.0, 1.0 - self.first_attempt_rate - self.second_attempt_rate)

    @property
    def last_date(self) -> date:
        """The last seeded day."""
        return self.start_date + timedelta(days=self.n_days - 1)

    def to_json(self) -> str:
        """The configuration as JSON with sorted keys; `from_json` gives an equal one back."""
        values = asdict(self) | {"start_date": self.start_date.isoformat()}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raises InvalidConfig for anything else."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["start_date"] = date.fromisoformat(values["start_date"])
            values["types"] = tuple(PudoType(**each) for each in values["types"])
            unknown = values.keys() - {each.name for each in fields(cls)}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidConfig(f"This is not a network configuration: {error}.") from error
        if unknown:
            raise InvalidConfig(f"Unknown settings of the network: {sorted(unknown)}.")
        return cls(**values)

    @property
    def fingerprint(self) -> str:
        """Equal for two configurations exactly when they give the same rows."""
        text = f"{GENERATOR_VERSION}:{self.to_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _require(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise InvalidConfig(f"{name} is {value}.", f"It must be {rule}.")
