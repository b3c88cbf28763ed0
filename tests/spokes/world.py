"""A tiny world to compute features by hand in: points, parcels and occupancy with gaps, from one seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta

FIRST_DAY = date(2025, 4, 10)
N_DAYS = 50


@dataclass(frozen=True)
class Point:
    pudo: int
    kind: str
    latitude: float
    longitude: float
    capacity: int
    created: date


@dataclass(frozen=True)
class World:
    """``fill`` by (point, day); ``parcels`` are (day, latitude, longitude).

    Of each parcel ``streets`` and ``sizes`` say where it goes and how large it is, and ``missed`` whether the first
    attempt failed, which is made on its day; None where there was none.
    """

    points: list[Point]
    fill: dict[tuple[int, date], float]
    parcels: list[tuple[date, float, float]]
    streets: list[str]
    sizes: list[str]
    missed: list[bool | None]

    @property
    def days(self) -> list[date]:
        return [FIRST_DAY + timedelta(days=number) for number in range(N_DAYS)]


def build(seed: int = 5) -> World:
    """Seven points, one of them a late starter; days without a row, and a day that no point has."""
    source = random.Random(seed)
    points = [
        Point(
            number,
            source.choice(["SHOP", "LOCKER", "POST_OFFICE"]),
            52.5 + source.uniform(-0.02, 0.02),
            13.4 + source.uniform(-0.03, 0.03),
            source.randint(10, 60),
            FIRST_DAY - timedelta(days=30) if number < 7 else FIRST_DAY + timedelta(days=20),
        )
        for number in range(1, 8)
    ]
    hole = FIRST_DAY + timedelta(days=23)
    days = [FIRST_DAY + timedelta(days=number) for number in range(N_DAYS)]
    fill = {
        (point.pudo, day): round(source.uniform(0, 1.2), 3) if source.random() < 0.85 else 0.0
        for point in points
        for day in days
        if day >= point.created and day != hole and source.random() < 0.9
    }
    parcels = [
        (day, 52.5 + source.gauss(0, 0.015), 13.4 + source.gauss(0, 0.02))
        for day in days
        if day != hole
        for _ in range(40)
    ]
    streets = [f"{source.choice('ABCDEFGH')}weg, 10115 Berlin" for _ in parcels]
    sizes = [source.choice(["SMALL", "MEDIUM", "LARGE"]) for _ in parcels]
    missed = [
        source.random() < 0.6 if day < days[-1] and source.random() < 0.95 else None for day, _, _ in parcels
    ]
    return World(points, fill, parcels, streets, sizes, missed)


def distance_km(a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float) -> float:
    """Great-circle distance on a sphere of 6371 km."""
    phi, psi = math.radians(a_latitude), math.radians(b_latitude)
    half_north, half_east = (psi - phi) / 2, math.radians(b_longitude - a_longitude) / 2
    chord = math.sin(half_north) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(half_east) ** 2
    return 2 * 6371 * math.asin(math.sqrt(chord))


def insert_statements(world: World) -> list[str]:
    """SQL that fills the three source tables of a schema that is in use."""
    points = ", ".join(
        f"({p.pudo}, 'P{p.pudo}', '{p.kind}', {p.latitude!r}, {p.longitude!r}, {p.capacity}, TRUE, "
        f"'{p.created}')"
        for p in world.points
    )
    fill = ", ".join(f"({pudo}, '{day}', 1, {rate!r})" for (pudo, day), rate in sorted(world.fill.items()))
    parcels = ", ".join(
        f"('T{number}', {latitude!r}, {longitude!r}, '{day}', '{street.replace(',', f' {number % 90 + 1},')}', "
        f"'{size}', {number % 7}.5)"
        for number, ((day, latitude, longitude), street, size) in enumerate(
            zip(world.parcels, world.streets, world.sizes, strict=True)
        )
    )
    attempts = ", ".join(
        f"('T{number}', '{day}', 1, '{'ATTEMPTED' if missed else 'DELIVERED_TO_CUSTOMER'}')"
        + (f", ('T{number}', '{day}', 2, 'DELIVERED_TO_CUSTOMER')" if missed else "")
        for number, ((day, _, _), missed) in enumerate(zip(world.parcels, world.missed, strict=True))
        if missed is not None
    )
    return [
        "CREATE OR REPLACE TABLE PUDO_REFERENCE (PUDO_ID INTEGER, PUDO_NAME VARCHAR, PUDO_TYPE VARCHAR, "
        "LATITUDE FLOAT, LONGITUDE FLOAT, CAPACITY INTEGER, IS_ACTIVE BOOLEAN, CREATED_AT TIMESTAMP_NTZ)",
        "CREATE OR REPLACE TABLE PUDO_OCCUPANCY (PUDO_ID INTEGER, DATE DATE, DAILY_DELIVERIES INTEGER, "
        "FILL_RATE FLOAT)",
        "CREATE OR REPLACE TABLE PARCELS (TRACKING_NUMBER VARCHAR, DESTINATION_LAT FLOAT, "
        "DESTINATION_LON FLOAT, CREATED_DATE DATE, DESTINATION_ADDRESS VARCHAR, PARCEL_SIZE VARCHAR, WEIGHT_KG FLOAT)",
        "CREATE OR REPLACE TABLE DELIVERY_ATTEMPTS (TRACKING_NUMBER VARCHAR, ATTEMPT_DATE DATE, "
        "ATTEMPT_NUMBER INTEGER, DELIVERY_STATUS VARCHAR)",
        f"INSERT INTO PUDO_REFERENCE VALUES {points}",
        f"INSERT INTO PUDO_OCCUPANCY VALUES {fill}",
        f"INSERT INTO PARCELS VALUES {parcels}",
        f"INSERT INTO DELIVERY_ATTEMPTS VALUES {attempts}",
    ]
