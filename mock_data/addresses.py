"""Names and addresses, drawn from a small pool so that making a row costs no more than an index."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from faker import Faker

from mock_data.config import LOCKER, POST_OFFICE
from mock_data.doors import STREETS
from mock_data.network import Ints, Network
from mock_data.streams import Purpose, stream

_POOL = STREETS
_POST_CODES = (10115, 14199)
_OPENING_HOURS = {LOCKER: "Mon-Sun 00:00-24:00", POST_OFFICE: "Mon-Sat 09:00-18:00"}
_SHOP_HOURS = "Mon-Sat 08:00-20:00"
_STREET_ENDINGS = ("straße", "weg", "platz", "allee", "ring", "gasse")
_SHOP_KINDS = ("Kiosk", "Spätkauf", "Schreibwaren", "Bäckerei", "Blumen", "Reinigung")


@dataclass(frozen=True)
class AddressPool:
    """Streets with the place they lie in, and first names of owners; an index wraps around the pool."""

    streets: pa.Array
    places: pa.Array
    owners: list[str]

    def street(self, index: Ints) -> pa.Array:
        """Street names for indices of any size."""
        return self.streets.take(pa.array(index % len(self.streets)))

    def place(self, index: Ints) -> pa.Array:
        """Post code and town of the same streets."""
        return self.places.take(pa.array(index % len(self.places)))


@lru_cache(maxsize=4)
def address_pool(seed: int) -> AddressPool:
    """The pool of a seed."""
    faker = Faker("de_DE")
    faker.seed_instance(seed)
    random = stream(seed, Purpose.NAMES)
    names = [faker.first_name() for _ in range(_POOL)]
    endings = random.integers(0, len(_STREET_ENDINGS), _POOL)
    codes = random.integers(*_POST_CODES, _POOL)
    return AddressPool(
        streets=pa.array([name + _STREET_ENDINGS[end] for name, end in zip(names, endings, strict=True)]),
        places=pa.array([f"{code} Berlin" for code in codes]),
        owners=[faker.first_name() for _ in range(_POOL)],
    )


def pudo_names(network: Network) -> tuple[list[str], list[str], list[str]]:
    """Name, address and opening hours of every PUDO."""
    pool = address_pool(network.config.seed)
    random = stream(network.config.seed, Purpose.NAMES, 1)
    types = [network.config.types[index].name for index in network.type_index]
    street_index = random.integers(0, _POOL, len(network))
    streets, places = pool.street(street_index).to_pylist(), pool.place(street_index).to_pylist()
    houses = random.integers(1, 180, len(network))
    kinds = random.integers(0, len(_SHOP_KINDS), len(network))
    owners = random.integers(0, _POOL, len(network))
    names = []
    for index, kind in enumerate(types):
        if kind == LOCKER:
            names.append(f"Parcel locker {100 + index + 1}")
        elif kind == POST_OFFICE:
            names.append(f"Postfiliale {streets[index]}"[:50])
        else:
            names.append(f"{_SHOP_KINDS[kinds[index]]} {pool.owners[owners[index]]}")
    addresses = [
        f"{street} {house}, {place}" for street, house, place in zip(streets, houses, places, strict=True)
    ]
    return names, addresses, [_OPENING_HOURS.get(kind, _SHOP_HOURS) for kind in types]


def arrow_days(days: Ints, minutes: Ints | int) -> pa.Array:
    """Microsecond timestamps without a zone (UTC) from days since 1970-01-01 and minutes of the day."""
    seconds = days.astype("datetime64[D]").astype("datetime64[s]") + np.asarray(minutes) * np.timedelta64(
        60, "s"
    )
    return pa.array(seconds.astype("datetime64[us]"))
