"""Every value of every feature view against one computed by hand, and the proof that none knows its day."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
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
VIEWS = ("historical", "geospatial", "temporal")
Rows = dict[tuple[int, datetime], dict[str, Any]]


def query(view: str) -> str:
    return NAMES.render(import_module(f"spokes.pudo.features.{view}").VERSIONS["V1"].query)


def rows_of(connection: Any, sql: str) -> Rows:
    cursor = connection.cursor(snowflake.connector.DictCursor).execute(sql)
    return {(row.pop("PUDO_ID"), row.pop("UPDATED_AT")): row for row in cursor.fetchall()}


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
def unchanged(connection: Any) -> dict[str, Rows]:
    """The rows of each view over the world as it is."""
    return {view: rows_of(connection, query(view)) for view in VIEWS}


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
    unchanged: dict[str, Rows],
    view: str,
    compute: Callable[..., by_hand.Values],
    first_offset: int,
    last_offset: int,
) -> None:
    found = unchanged[view]
    expected = {}
    for point in WORLD.points:
        own = [day for (pudo, day) in WORLD.fill if pudo == point.pudo]
        start = min(own) if view != "geospatial" else max(point.created, world.FIRST_DAY)
        first = start + timedelta(days=first_offset)
        last = world.FIRST_DAY + timedelta(days=last_offset)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            expected[point.pudo, morning(day)] = compute(WORLD, point.pudo, day)
    assert set(found) == set(expected)
    wrong = [
        (key, name, found[key][name], value)
        for key, values in expected.items()
        for name, value in values.items()
        if not same(found[key][name], value)
    ]
    assert wrong == []
    assert all(set(found[key]) == set(values) for key, values in expected.items())


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
        f"INSERT INTO PARCELS VALUES ('NEW', {latitude}, 13.4, '{later + timedelta(days=1)}')",
        f"INSERT INTO PUDO_REFERENCE VALUES (99, 'NEW', 'SHOP', {latitude}, 13.4, 500, TRUE, "
        f"'{later + timedelta(days=1)}')",
    ]
    return day, draw(st.sampled_from(options))


def leaks(connection: Any, before: Rows, sql: str, day: date, change: str) -> list[tuple[Any, ...]]:
    """Values that the morning of ``day``, or one before it, sees differently once ``change`` is made."""
    connection.cursor().execute("BEGIN")
    try:
        connection.cursor().execute(change)
        after = rows_of(connection, sql)
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
    connection: Any, unchanged: dict[str, Rows], view: str, drawn: tuple[date, str]
) -> None:
    day, change = drawn
    assert leaks(connection, unchanged[view], query(view), day, change) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_leak_would_be_seen(connection: Any, unchanged: dict[str, Rows], view: str) -> None:
    """The proof can fail: the same rows stamped a day too early are caught."""
    columns = list(next(iter(unchanged[view].values())))
    shifted = ["PUDO_ID", "DATEADD(day, -1, UPDATED_AT) AS UPDATED_AT", *columns]
    early = f"SELECT {', '.join(shifted)} FROM ({query(view)})"
    day = world.FIRST_DAY + timedelta(days=40)
    change = {
        "historical": f"UPDATE PUDO_OCCUPANCY SET FILL_RATE = 2.5 WHERE DATE >= '{day}'",
        "temporal": f"DELETE FROM PUDO_OCCUPANCY WHERE DATE >= '{day}'",
        "geospatial": f"UPDATE PARCELS SET DESTINATION_LAT = 52.5 WHERE CREATED_DATE > '{day}'",
    }[view]
    assert leaks(connection, rows_of(connection, early), early, day, change) != []
