"""Every value of every feature view against one computed by hand, and the proof that none knows its day."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from importlib import import_module
from typing import Any

import pytest
import snowflake.connector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spoke_kit.layout import Layout
from spoke_kit.names import Names
from tests.spokes import by_hand, world

NAMES = Names(Layout(database="FEATURE_TESTS"), "pudo", "DEV")
WORLD = world.build()
#: The module and the key of each view.
VIEWS = {
    "historical": ("spokes.pudo.features.historical", "PUDO_ID"),
    "geospatial": ("spokes.pudo.features.geospatial", "PUDO_ID"),
    "temporal": ("spokes.pudo.features.temporal", "PUDO_ID"),
    "calendar": ("spokes.shared.features.calendar", "DAY"),
    "neighbourhood": ("spokes.shared.features.neighbourhood", "CELL"),
    "street_history": ("spokes.delivery.features.street_history", "STREET"),
    "parcel": ("spokes.delivery.features.parcel", "TRACKING_NUMBER"),
}
Rows = dict[tuple[Any, datetime], dict[str, Any]]


def query(view: str) -> str:
    return NAMES.render(import_module(VIEWS[view][0]).VERSIONS["V1"].query)


def rows_of(connection: Any, view: str, sql: str | None = None) -> Rows:
    """The rows of a view, or of a query of its form, each by its key and the moment from which it is known."""
    cursor = connection.cursor(snowflake.connector.DictCursor).execute(sql or query(view))
    return {(row.pop(VIEWS[view][1]), row.pop("UPDATED_AT")): row for row in cursor.fetchall()}


@pytest.fixture(scope="module")
def connection(account: dict[str, Any]) -> Iterator[Any]:
    """A connection to the little world."""
    with snowflake.connector.connect(**account, autocommit=True) as opened:
        for statement in (
            f"CREATE OR REPLACE DATABASE {NAMES.database}",
            f"CREATE SCHEMA {NAMES.database}.SHARED_DATA",
            f"USE SCHEMA {NAMES.database}.SHARED_DATA",
            *world.insert_statements(WORLD),
        ):
            opened.cursor().execute(statement)
        yield opened


@pytest.fixture(scope="module")
def unchanged(connection: Any) -> Callable[[str], Rows]:
    """Gives the rows of a view over the world as it is."""
    return cache(partial(rows_of, connection))


def morning(day: date) -> datetime:
    return datetime.combine(day, time(6))


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("view", "compute", "first_offset", "last_offset"),
    [
        ("historical", by_hand.historical, 1, world.N_DAYS),
        ("temporal", by_hand.temporal, 1, world.N_DAYS),
        ("geospatial", by_hand.geospatial, 0, world.N_DAYS - 1),
    ],
)
def test_values(
    unchanged: Callable[[str], Rows],
    view: str,
    compute: Callable[..., by_hand.Values],
    first_offset: int,
    last_offset: int,
) -> None:
    found = unchanged(view)
    expected = {}
    for point in WORLD.points:
        own = [day for (pudo, day) in WORLD.fill if pudo == point.pudo]
        start = min(own) if view != "geospatial" else max(point.created, world.FIRST_DAY)
        first = start + timedelta(days=first_offset)
        last = world.FIRST_DAY + timedelta(days=last_offset)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            expected[point.pudo, morning(day)] = compute(WORLD, point.pudo, day)
    assert differences(found, expected) == []


def differences(found: Rows, expected: Mapping[Any, by_hand.Values]) -> list[tuple[Any, ...]]:
    """Rows and values that are not as they should be."""
    assert set(found) == set(expected)
    assert all(set(found[key]) == set(values) for key, values in expected.items())
    return [
        (key, name, found[key][name], value)
        for key, values in expected.items()
        for name, value in values.items()
        if not same(found[key][name], value)
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_each_key_has_one_row_a_moment(connection: Any, unchanged: Callable[[str], Rows], view: str) -> None:
    count = connection.cursor().execute(f"SELECT COUNT(*) FROM ({query(view)})").fetchall()[0][0]
    assert len(unchanged(view)) == count


def test_the_calendar(unchanged: Callable[[str], Rows]) -> None:
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(366 * 4 + 365 * 12)]
    assert days[-1] == date(2035, 12, 31)
    expected = {}
    for day in days:
        year_before = day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
        expected[day, datetime.combine(year_before, time())] = by_hand.calendar(day)
    assert differences(unchanged("calendar"), expected) == []


def test_the_neighbourhood(unchanged: Callable[[str], Rows]) -> None:
    expected = {
        (f"{row}:{column}", morning(day)): by_hand.neighbourhood(WORLD, (row, column), day)
        for (row, column), day in by_hand.cells(WORLD)
    }
    assert differences(unchanged("neighbourhood"), expected) == []


def test_the_street_history(unchanged: Callable[[str], Rows]) -> None:
    tried = [
        (day, street)
        for (day, _, _), street, missed in zip(WORLD.parcels, WORLD.streets, WORLD.missed, strict=True)
        if missed is not None
    ]
    last = max(day for day, _ in tried)
    expected = {}
    for street in set(WORLD.streets):
        first = min(day for day, its in tried if its == street)
        for number in range(1, (last - first).days + 2):
            day = first + timedelta(days=number)
            expected[street, morning(day)] = by_hand.street_history(WORLD, street, day)
    assert len(expected) > 300
    assert differences(unchanged("street_history"), expected) == []


def test_the_parcels(unchanged: Callable[[str], Rows]) -> None:
    expected = {
        (f"T{number}", morning(day)): {
            "SIZE_CLASS": {"SMALL": 1.0, "MEDIUM": 2.0, "LARGE": 3.0}[size],
            "WEIGHT_KG": number % 7 + 0.5,
        }
        for number, ((day, _, _), size) in enumerate(zip(WORLD.parcels, WORLD.sizes, strict=True))
    }
    assert differences(unchanged("parcel"), expected) == []


@given(st.floats(-53, 53), st.floats(-179, 179), st.floats(0, 360), st.floats(0, 0.999))
def test_what_is_within_a_kilometre_is_in_the_nine_cells(
    latitude: float, longitude: float, bearing: float, distance: float
) -> None:
    """In whatever direction from a place, up to 53 degrees from the equator."""
    angle = math.radians(bearing)
    other = latitude + distance * math.cos(angle) / 111.2
    width = 111.2 * math.cos(math.radians(max(abs(latitude), abs(other))))
    east = longitude + distance * math.sin(angle) / width
    assert world.distance_km(latitude, longitude, other, east) <= 1.001
    here, there = by_hand.cell_of(latitude, longitude), by_hand.cell_of(other, east)
    assert max(abs(here[0] - there[0]), abs(here[1] - there[1])) <= 1


@st.composite
def changes(draw: st.DrawFn) -> tuple[date, str]:
    """A day D, and a statement that changes something that the morning of D cannot know."""
    day = world.FIRST_DAY + timedelta(days=draw(st.integers(30, world.N_DAYS - 3)))
    later = day + timedelta(days=draw(st.integers(0, 30)))
    rate = draw(st.floats(0, 3).map(lambda value: round(value, 3)))
    latitude = round(draw(st.floats(52.45, 52.55)), 4)
    pudo = draw(st.integers(1, 7))
    after = f"CREATED_DATE > '{day}'"
    options = [
        f"UPDATE PUDO_OCCUPANCY SET FILL_RATE = {rate} WHERE DATE >= '{day}' AND PUDO_ID = {pudo}",
        f"UPDATE PUDO_OCCUPANCY SET FILL_RATE = NULL WHERE DATE >= '{day}'",
        f"UPDATE PUDO_OCCUPANCY SET DAILY_DELIVERIES = 99, FILL_RATE = FILL_RATE * 2 WHERE DATE >= '{day}'",
        f"UPDATE PUDO_OCCUPANCY SET PUDO_ID = {pudo} WHERE DATE >= '{day}'",
        f"UPDATE PUDO_OCCUPANCY SET DATE = '{later}' WHERE DATE >= '{day}'",
        f"DELETE FROM PUDO_OCCUPANCY WHERE DATE >= '{day}' AND PUDO_ID <> {pudo}",
        f"INSERT INTO PUDO_OCCUPANCY VALUES ({pudo}, '{later}', 5, {rate})",
        f"UPDATE PARCELS SET DESTINATION_LAT = {latitude} WHERE {after}",
        f"UPDATE PARCELS SET DESTINATION_LON = 13.4 WHERE {after}",
        f"UPDATE PARCELS SET CREATED_DATE = '{later + timedelta(days=1)}' WHERE {after}",
        f"DELETE FROM PARCELS WHERE {after}",
        f"INSERT INTO PARCELS VALUES ('NEW', {latitude}, 13.4, '{later + timedelta(days=1)}', "
        "'Aweg 1, 10115 Berlin', 'LARGE', 2)",
        f"UPDATE PARCELS SET DESTINATION_ADDRESS = 'Bweg 3, 10115 Berlin', PARCEL_SIZE = 'SMALL' WHERE {after}",
        f"UPDATE DELIVERY_ATTEMPTS SET DELIVERY_STATUS = 'ATTEMPTED' WHERE ATTEMPT_DATE >= '{day}'",
        f"UPDATE DELIVERY_ATTEMPTS SET DELIVERY_STATUS = 'DELIVERED_TO_CUSTOMER' WHERE ATTEMPT_DATE >= '{day}'",
        f"UPDATE DELIVERY_ATTEMPTS SET ATTEMPT_NUMBER = {pudo} WHERE ATTEMPT_DATE >= '{day}'",
        f"UPDATE DELIVERY_ATTEMPTS SET TRACKING_NUMBER = 'T{pudo}' WHERE ATTEMPT_DATE >= '{day}'",
        f"UPDATE DELIVERY_ATTEMPTS SET ATTEMPT_DATE = '{later}' WHERE ATTEMPT_DATE >= '{day}'",
        f"DELETE FROM DELIVERY_ATTEMPTS WHERE ATTEMPT_DATE >= '{day}'",
        f"INSERT INTO DELIVERY_ATTEMPTS VALUES ('T{pudo}', '{later}', 1, 'ATTEMPTED')",
        f"INSERT INTO PUDO_REFERENCE VALUES (99, 'NEW', 'SHOP', {latitude}, 13.4, 500, TRUE, "
        f"'{later + timedelta(days=1)}')",
    ]
    return day, draw(st.sampled_from(options))


def leaks(
    connection: Any, view: str, before: Rows, day: date, change: str, sql: str | None = None
) -> list[tuple[Any, ...]]:
    """Values that the morning of ``day``, or one before it, sees differently once ``change`` is made."""
    connection.cursor().execute("BEGIN")
    try:
        connection.cursor().execute(change)
        after = rows_of(connection, view, sql)
    finally:
        connection.cursor().execute("ROLLBACK")
    known = {key for key in (*before, *after) if key[1] <= morning(day)}
    return [
        (key, name, before.get(key, {}).get(name), after.get(key, {}).get(name))
        for key in known
        for name in {**before.get(key, {}), **after.get(key, {})}
        if key not in before or key not in after or not same(before[key][name], after[key][name])
    ]


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=changes())
def test_no_feature_knows_its_day(
    connection: Any, unchanged: Callable[[str], Rows], view: str, drawn: tuple[date, str]
) -> None:
    day, change = drawn
    assert leaks(connection, view, unchanged(view), day, change) == []


@pytest.mark.parametrize("view", sorted(set(VIEWS) - {"calendar"}))
def test_a_leak_would_be_seen(connection: Any, unchanged: Callable[[str], Rows], view: str) -> None:
    """The proof can fail: the same rows stamped a day too early are caught."""
    columns = list(next(iter(unchanged(view).values())))
    shifted = [VIEWS[view][1], "DATEADD(day, -1, UPDATED_AT) AS UPDATED_AT", *columns]
    early = f"SELECT {', '.join(shifted)} FROM ({query(view)})"
    day = world.FIRST_DAY + timedelta(days=40)
    change = {
        "historical": f"UPDATE PUDO_OCCUPANCY SET FILL_RATE = 2.5 WHERE DATE >= '{day}'",
        "temporal": f"DELETE FROM PUDO_OCCUPANCY WHERE DATE >= '{day}'",
        "geospatial": f"UPDATE PARCELS SET DESTINATION_LAT = 52.5 WHERE CREATED_DATE > '{day}'",
        "neighbourhood": f"UPDATE PARCELS SET DESTINATION_LAT = 52.5 WHERE CREATED_DATE > '{day}'",
        "street_history": f"DELETE FROM DELIVERY_ATTEMPTS WHERE ATTEMPT_DATE >= '{day}'",
        "parcel": f"UPDATE PARCELS SET PARCEL_SIZE = NULL WHERE CREATED_DATE > '{day}'",
    }[view]
    assert leaks(connection, view, rows_of(connection, view, early), day, change, early) != []
