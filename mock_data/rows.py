"""Table rows as Parquet files: the arrays of the generator become the columns of the source tables."""

from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa

from mock_data.addresses import address_pool, arrow_days, pudo_names
from mock_data.days import Attempts, Days, Occupancy
from mock_data.demand import to_day
from mock_data.network import Ints, Network
from mock_data.parcels import FAILURE_REASONS, SIZES, Parcels
from mock_data.tables import EVENING, MORNING

EVENING_MINUTE = 22 * 60
COMPLETED = "COMPLETED"

_TRACKING = "format('SH{}{:06d}', strftime(announced, '%Y%m%d'), number)"

_PARCELS = f"""
SELECT {_TRACKING} AS TRACKING_NUMBER, latitude AS DESTINATION_LAT, longitude AS DESTINATION_LON,
  street || ' ' || house || ', ' || place AS DESTINATION_ADDRESS, size AS PARCEL_SIZE, weight_kg AS WEIGHT_KG,
  announced AS CREATED_DATE, created_at AS CREATED_AT
FROM source
"""

_ATTEMPTS = f"""
SELECT {_TRACKING} || '_A' || attempt AS ATTEMPT_ID, {_TRACKING} AS TRACKING_NUMBER,
  made_at::DATE AS ATTEMPT_DATE,
  attempt AS ATTEMPT_NUMBER,
  CASE WHEN attempt < ends_at THEN 'ATTEMPTED' WHEN attempt < 3 THEN 'DELIVERED_TO_CUSTOMER'
    WHEN pudo >= 0 THEN 'DELIVERED_TO_PUDO' ELSE 'FAILED_NO_CAPACITY' END AS DELIVERY_STATUS,
  CASE WHEN pudo >= 0 THEN pudo + 1 END AS PUDO_ID, driver AS DRIVER_ID,
  strftime(made_at, '%H:%M:%S') AS ATTEMPT_TIME,
  CASE WHEN attempt < ends_at THEN reason WHEN attempt < 3 THEN NULL
    WHEN pudo >= 0 THEN 'MAX_ATTEMPTS_REACHED' ELSE 'NO_PUDO_CAPACITY' END AS FAILURE_REASON,
  made_at AS CREATED_AT
FROM source
"""

_OCCUPANCY = """
SELECT pudo + 1 AS PUDO_ID, closed_at::DATE AS DATE, deliveries AS DAILY_DELIVERIES,
  deliveries / capacity AS FILL_RATE, closed_at AS CREATED_AT
FROM source
"""

_SAME = "SELECT * FROM source"


class RowWriter:
    """Writes rows as one Parquet file a table into a folder; a context manager, for it holds a connection."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self._duckdb: Any = duckdb.connect(":memory:")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._duckdb.close()

    def reference(self) -> Path:
        """PUDO_REFERENCE: every PUDO, set up the day before the network's first."""
        network = self._network
        names, addresses, hours = pudo_names(network)
        types = [each.name for each in network.config.types]
        created = np.full(len(network), to_day(network.config, -1))
        columns = {
            "PUDO_ID": np.arange(1, len(network) + 1),
            "PUDO_NAME": names,
            "PUDO_TYPE": [types[index] for index in network.type_index],
            "LATITUDE": network.latitude.round(6),
            "LONGITUDE": network.longitude.round(6),
            "ADDRESS": addresses,
            "CAPACITY": network.capacity,
            "OPENING_HOURS": hours,
            "IS_ACTIVE": network.active,
            "CREATED_AT": arrow_days(created, 12 * 60),
        }
        return self._write("PUDO_REFERENCE", _SAME, columns)

    def parcels(self, parcels: Parcels) -> Path:
        """PARCELS: announced between midnight and 05:45 UTC of their day."""
        pool = address_pool(self._network.config.seed)
        columns = {
            "number": parcels.number,
            "announced": parcels.day.astype("datetime64[D]"),
            "created_at": arrow_days(parcels.day, parcels.announced_minute),
            "latitude": parcels.latitude,
            "longitude": parcels.longitude,
            "street": pool.street(parcels.street),
            "place": pool.place(parcels.street),
            "house": parcels.house,
            "size": _labels(SIZES, parcels.size),
            "weight_kg": parcels.weight_kg,
        }
        return self._write("PARCELS", _PARCELS, columns)

    def attempts(self, journeys: Parcels, attempts: Attempts) -> Path:
        """DELIVERY_ATTEMPTS, each stamped with the moment at which it is made."""
        parcel, step = attempts.parcel, attempts.number - 1
        columns = {
            "number": journeys.number[parcel],
            "announced": journeys.day[parcel].astype("datetime64[D]"),
            "made_at": arrow_days(attempts.day, attempts.minute),
            "attempt": attempts.number,
            "ends_at": journeys.ends_at[parcel],
            "pudo": attempts.pudo,
            "driver": journeys.driver[parcel, step],
            "reason": _labels(FAILURE_REASONS, journeys.reason[parcel, step]),
        }
        return self._write("DELIVERY_ATTEMPTS", _ATTEMPTS, columns)

    def occupancy(self, occupancy: Occupancy) -> Path:
        """PUDO_OCCUPANCY, stamped 22:00 UTC of its day."""
        columns = {
            "pudo": occupancy.pudo,
            "deliveries": occupancy.deliveries,
            "capacity": self._network.capacity[occupancy.pudo],
            "closed_at": arrow_days(occupancy.day, EVENING_MINUTE),
        }
        return self._write("PUDO_OCCUPANCY", _OCCUPANCY, columns)

    def log(self, days: Days, first: int, last: int) -> Path:
        """DATA_GENERATION_LOG: a morning and an evening for each day of the range."""
        count = last - first + 1
        added = np.column_stack(
            [
                _per_day(days.parcels.day, first, count),
                _per_day(days.attempts.day, first, count) + _per_day(days.occupancy.day, first, count),
            ]
        )
        columns = {
            "SIMULATION_DATE": np.repeat(np.arange(first, last + 1), 2).astype("datetime64[D]"),
            "PHASE": [MORNING, EVENING] * count,
            "RECORDS_ADDED": added.ravel(),
            "STATUS": [COMPLETED] * (2 * count),
            "NOTES": ["Seeded"] * (2 * count),
        }
        return self._write("DATA_GENERATION_LOG", _SAME, columns)

    def _write(self, table: str, query: str, columns: dict[str, Any]) -> Path:
        path = self._folder / f"{table}.parquet"
        self._duckdb.register("source", pa.table(columns))
        try:
            target = str(path).replace("'", "''")
            self._duckdb.execute(f"COPY ({query}) TO '{target}' (FORMAT PARQUET)")
        finally:
            self._duckdb.unregister("source")
        return path


def to_date(day: int) -> date:
    """A day counted from 1970-01-01 as a date."""
    return date(1970, 1, 1) + timedelta(days=day)


def from_date(day: date) -> int:
    """The reverse of `to_date`."""
    return (day - date(1970, 1, 1)).days


def _labels(names: tuple[str, ...], index: Ints) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(names)).cast(pa.string())


def _per_day(days: Ints, first: int, count: int) -> Ints:
    return np.bincount(days - first, minlength=count)
