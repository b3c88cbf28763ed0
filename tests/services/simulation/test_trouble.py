"""Trouble is real, is undone whatever remains of it, and undoing it twice is undoing it once."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import date

import pytest

from services.core.errors import Invalid, SnowflakeFailed
from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.simulation.trouble import TROUBLES, Run, mend_all, trouble
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.scope import Scope

DAY = date(2025, 7, 3)
USES = {
    "failing-task": "SELECT COUNT(*) FROM SPOKEHUB.TIDES_DEV.ALERTS",
    "broken-feature": "SELECT SUM(DESTINATION_LAT) FROM SPOKEHUB.SHARED_DATA.PARCELS",
    "late-data": "SELECT 1 / COUNT(*) FROM SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY WHERE DATE = '2025-07-02'",
}
TABLES = (
    ("SHARED_DATA.PARCELS", "SELECT 1.5::FLOAT AS DESTINATION_LAT"),
    (
        "SHARED_DATA.PUDO_OCCUPANCY",
        "SELECT 7 AS N, '2025-07-02'::DATE AS DATE UNION ALL SELECT 8, '2025-07-01'",
    ),
    ("SHARED_DATA.DELIVERY_ATTEMPTS", "SELECT 9 AS N, '2025-07-02'::DATE AS ATTEMPT_DATE"),
    ("TIDES_DEV.ALERTS", "SELECT 'a' AS ALERT_ID"),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    folder = tmp_path_factory.mktemp("trouble")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    hub = load_declaration()
    source = ConnectionSource(AccountSettings(), account, hub)
    source.query(f"CREATE WAREHOUSE {hub.warehouse.name}")
    source.renew()
    source.query("CREATE DATABASE SPOKEHUB")
    for schema in ("SHARED_DATA", "TIDES_DEV"):
        source.query(f"CREATE SCHEMA SPOKEHUB.{schema}")
    for table, rows in TABLES:
        source.query(f"CREATE TABLE SPOKEHUB.{table} AS {rows}")
    yield source
    source.close()
    account.stop()


def contents(source: ConnectionSource) -> list[list[tuple[object, ...]]]:
    return [
        sorted(tuple(row.items()) for row in source.query(f"SELECT * FROM SPOKEHUB.{table}"))
        for table, _ in TABLES
    ]


class Killed(Exception):
    """The process died before this statement."""


def dying(run: Run, after: int) -> Run:
    count = itertools.count(1)

    def until(text: str) -> list[dict[str, object]]:
        if not text.startswith(("SHOW", "DESCRIBE")) and next(count) > after:
            raise Killed
        return run(text)

    return until


@pytest.mark.parametrize("name", TROUBLES)
def test_it_breaks_what_it_says_and_leaves_no_trace(source: ConnectionSource, name: str) -> None:
    scopes, before = [Scope(load_declaration(), "tides", "DEV")], contents(source)
    source.query(USES[name])
    for _ in range(2):
        assert trouble(name).make(source.query, scopes, DAY)
    with pytest.raises(SnowflakeFailed):
        source.query(USES[name])
    assert list(mend_all(source.query, scopes)) == [name]
    source.query(USES[name])
    assert contents(source) == before
    assert list(mend_all(source.query, scopes)) == []


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("after", range(5))
def test_a_crash_at_any_statement_loses_nothing(source: ConnectionSource, name: str, after: int) -> None:
    scopes, before = [Scope(load_declaration(), "tides", "DEV")], contents(source)
    for act in (lambda run: trouble(name).make(run, scopes, DAY), lambda run: list(mend_all(run, scopes))):
        with contextlib.suppress(Killed):
            act(dying(source.query, after))
    list(mend_all(source.query, scopes))
    assert contents(source) == before


def test_an_unknown_trouble_is_refused() -> None:
    with pytest.raises(Invalid, match="There is no trouble 'rain'"):
        trouble("rain")
