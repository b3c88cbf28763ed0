"""The synthetic pick-up and drop-off (PUDO) network and its day-by-day simulator.

What the morning of day D may use
---------------------------------
A day has two phases. The *morning* of D adds the parcels announced for D (``CREATED_DATE = D``, stamped
before 06:00 UTC). The *evening* adds what came of it: the delivery attempts of D, each stamped with the moment
at which it was made (08:00 to 20:00 UTC), and the occupancy (stamped 22:00 UTC). Attempts of D would give the
day away: those that end at a PUDO are exactly its occupancy, and the first ones are what a delivery model
predicts. So the morning of D does not have them, and of a day that is over ``CREATED_AT <= D 06:00`` keeps what
its morning knew.

Determinism
-----------
Every random draw comes from a stream named by (seed, purpose, day), and a PUDO's room is counted anew each
day. A parcel's attempts fall on the day it is announced or on one of the next two days. So the rows of day D
depend on the configuration and D alone, whether the seed or the simulator makes them; no state is kept.

Importing the package is cheap: the connector and DuckDB come with the first use of `seed` or `Simulator`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_data.config import NetworkConfig, PudoType
from mock_data.errors import MockDataError

if TYPE_CHECKING:
    from mock_data.seeding import SeedReport, seed
    from mock_data.simulator import PhaseReport, Simulator, Status

__all__ = [
    "MockDataError",
    "NetworkConfig",
    "PhaseReport",
    "PudoType",
    "SeedReport",
    "Simulator",
    "Status",
    "seed",
]

_HOMES = {
    "PhaseReport": "mock_data.simulator",
    "SeedReport": "mock_data.seeding",
    "Simulator": "mock_data.simulator",
    "Status": "mock_data.simulator",
    "seed": "mock_data.seeding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mock_data' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
