"""The files hold the columns of the tables, and rows that refer to each other."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mock_data import NetworkConfig
from mock_data.days import generate_days, period
from mock_data.network import build_network
from mock_data.rows import RowWriter
from mock_data.tables import COLUMNS, SOURCE_TABLES

CONFIG = NetworkConfig(n_pudos=20, n_days=5, parcels_per_day=200)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("it's rows")
    network = build_network(CONFIG)
    first, last = period(CONFIG)
    days = generate_days(network, first, last)
    with RowWriter(network, folder) as writer:
        paths = [
            writer.reference(),
            writer.parcels(days.parcels),
            writer.attempts(days.journeys, days.attempts),
            writer.occupancy(days.occupancy),
            writer.log(days, first, last),
        ]
    assert paths == [folder / f"{table}.parquet" for table in SOURCE_TABLES]
    with duckdb.connect() as connection:
        for path in paths:
            quoted = str(path).replace("'", "''")
            connection.execute(f"CREATE TABLE {path.stem} AS SELECT * FROM '{quoted}'")
        yield connection


@pytest.mark.parametrize("table", SOURCE_TABLES)
def test_the_columns_are_those_of_the_table(database: Any, table: str) -> None:
    declared = re.findall(
        r"^\s+(\w+) (?:INTEGER|VARCHAR|FLOAT|DATE|TIME|TIMESTAMP_NTZ|BOOLEAN)\b", COLUMNS[table], re.M
    )
    assert [row[0] for row in database.execute(f"DESCRIBE {table}").fetchall()] == declared


def test_every_attempt_has_its_parcel_and_pudo(database: Any) -> None:
    orphans = """
        SELECT count(*) FROM DELIVERY_ATTEMPTS a ANTI JOIN PARCELS p USING (TRACKING_NUMBER)
        UNION ALL
        SELECT count(*) FROM DELIVERY_ATTEMPTS a ANTI JOIN PUDO_REFERENCE p USING (PUDO_ID)
          WHERE a.PUDO_ID IS NOT NULL
        UNION ALL SELECT count(*) - count(DISTINCT TRACKING_NUMBER) FROM PARCELS
        UNION ALL SELECT count(*) - count(DISTINCT ATTEMPT_ID) FROM DELIVERY_ATTEMPTS
    """
    assert database.execute(orphans).fetchall() == [(0,)] * 4


def test_status_pudo_and_reason_agree(database: Any) -> None:
    kinds = """
        SELECT DISTINCT DELIVERY_STATUS, PUDO_ID IS NOT NULL,
          CASE WHEN DELIVERY_STATUS = 'ATTEMPTED' THEN FAILURE_REASON IN
            ('NOT_HOME', 'ADDRESS_ISSUE', 'ACCESS_DENIED', 'REFUSED')
            ELSE FAILURE_REASON = 'MAX_ATTEMPTS_REACHED' END
        FROM DELIVERY_ATTEMPTS ORDER BY 1
    """
    assert database.execute(kinds).fetchall() == [
        ("ATTEMPTED", False, True),
        ("DELIVERED_TO_CUSTOMER", False, None),
        ("DELIVERED_TO_PUDO", True, True),
    ]


def test_occupancy_comes_of_the_attempts(database: Any) -> None:
    difference = """
        SELECT PUDO_ID, DATE, DAILY_DELIVERIES, FILL_RATE FROM PUDO_OCCUPANCY WHERE DAILY_DELIVERIES > 0
        EXCEPT
        SELECT PUDO_ID, ATTEMPT_DATE, count(*), count(*) / any_value(CAPACITY)
        FROM DELIVERY_ATTEMPTS JOIN PUDO_REFERENCE USING (PUDO_ID)
        WHERE DELIVERY_STATUS = 'DELIVERED_TO_PUDO' GROUP BY ALL
    """
    assert database.execute(difference).fetchall() == []
    totals = """
        SELECT sum(DAILY_DELIVERIES) - (SELECT count(PUDO_ID) FROM DELIVERY_ATTEMPTS), count(*),
          count(DISTINCT (PUDO_ID, DATE)), bool_and(CREATED_AT = DATE + INTERVAL 22 HOUR)
        FROM PUDO_OCCUPANCY
    """
    active = database.execute("SELECT count(*) FROM PUDO_REFERENCE WHERE IS_ACTIVE").fetchone()[0]
    assert database.execute(totals).fetchall() == [(0, 5 * active, 5 * active, True)]


def test_each_row_is_stamped_with_the_moment_from_which_it_is_known(database: Any) -> None:
    stamps = """
        SELECT bool_and(CREATED_AT >= CREATED_DATE AND CREATED_AT < CREATED_DATE + INTERVAL 6 HOUR)
          FROM PARCELS
        UNION ALL
        SELECT bool_and(CREATED_AT = ATTEMPT_DATE + ATTEMPT_TIME::TIME
          AND CREATED_AT >= ATTEMPT_DATE + INTERVAL 8 HOUR) FROM DELIVERY_ATTEMPTS
    """
    assert database.execute(stamps).fetchall() == [(True,), (True,)]


def test_the_log_counts_the_rows_of_each_phase(database: Any) -> None:
    counted = """
        SELECT CREATED_DATE, 'MORNING', count(*), 'COMPLETED' FROM PARCELS GROUP BY CREATED_DATE
        UNION ALL SELECT DATE, 'EVENING', count(*) + (SELECT count(*) FROM DELIVERY_ATTEMPTS
          WHERE ATTEMPT_DATE = DATE), 'COMPLETED' FROM PUDO_OCCUPANCY GROUP BY DATE
        ORDER BY 1, 2 DESC
    """
    log = database.execute(
        "SELECT SIMULATION_DATE, PHASE, RECORDS_ADDED, STATUS FROM DATA_GENERATION_LOG"
    ).fetchall()
    assert log == database.execute(counted).fetchall()
    assert [row[0] for row in log[::2]] == [date(2024, 7, 1) + timedelta(days=n) for n in range(5)]


def test_a_path_is_escaped() -> None:
    from mock_data.tables import Statements

    put = Statements('"D"."S"').put(str(Path("/tmp/it's")), "T")
    assert put == """PUT 'file:///tmp/it\\'s' @"D"."S"."T" AUTO_COMPRESS = FALSE OVERWRITE = TRUE"""
