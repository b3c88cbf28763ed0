"""Dynamic tables: what they hold, how they refresh, what they tell about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snowflake.connector.errors import ProgrammingError

import embedded_account.loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.objects.dynamic_table_refresh import lag_seconds, refresh_due, shown_lag
from embedded_account.session import Session
from embedded_account.statements import execute

assert embedded_account.loaded

HISTORY = (
    "SELECT NAME, STATE, REFRESH_ACTION, REFRESH_TRIGGER FROM TABLE(INFORMATION_SCHEMA."
    "DYNAMIC_TABLE_REFRESH_HISTORY(RESULT_LIMIT => 1000)) WHERE DATABASE_NAME = CURRENT_DATABASE() "
    "ORDER BY REFRESH_START_TIME, NAME DESC"
)


def create(name: str, query: str, lag: str = "'1 hour'", rest: str = "") -> str:
    return f"CREATE DYNAMIC TABLE {name} TARGET_LAG = {lag} WAREHOUSE = WH {rest} AS {query}"


@pytest.fixture
def pair(run: Any) -> None:
    """UP reads T; a view reads UP; DOWN reads the view."""
    run("CREATE TABLE T (A INT)")
    run("INSERT INTO T VALUES (1), (2)")
    run(create("UP", "SELECT A, A * 10 AS B FROM T", "DOWNSTREAM"))
    run("CREATE VIEW V AS SELECT B FROM UP")
    run(create("DOWN", "SELECT SUM(B) AS S FROM V"))


def test_a_refresh_begins_upstream(run: Any, pair: None) -> None:
    run("INSERT INTO T VALUES (4)")
    assert run("SELECT * FROM DOWN") == [(30,)]
    ((statistics, moment),) = run("ALTER DYNAMIC TABLE DOWN REFRESH")
    assert json.loads(statistics) == {"insertedRows": 1}
    assert datetime.fromisoformat(moment) <= datetime.now(UTC)
    assert run("SELECT * FROM DOWN") == [(70,)]
    assert run("SELECT * FROM UP ORDER BY A") == [(1, 10), (2, 20), (4, 40)]
    done = ("SUCCEEDED", "FULL")
    assert run(HISTORY) == [
        ("UP", *done, "CREATION"),
        ("DOWN", *done, "CREATION"),
        ("UP", *done, "MANUAL"),
        ("DOWN", *done, "MANUAL"),
    ]


def test_a_failure_is_told_and_keeps_the_rows(run: Any, pair: None) -> None:
    run("ALTER TABLE T RENAME TO T2")
    with pytest.raises(ProgrammingError) as raised:
        run("ALTER DYNAMIC TABLE DOWN REFRESH")
    assert raised.value.errno == 2003
    assert run("SELECT * FROM DOWN") == [(30,)]
    assert run(HISTORY)[2:] == [
        ("UP", "FAILED", None, "MANUAL"),
        ("DOWN", "UPSTREAM_FAILED", None, "MANUAL"),
    ]
    errors = run(
        "SELECT NAME, STATE_CODE, CONTAINS(STATE_MESSAGE, 'does not exist') FROM TABLE(INFORMATION_SCHEMA."
        "DYNAMIC_TABLE_REFRESH_HISTORY(ERROR_ONLY => TRUE, NAME => 'UP'))"
    )
    assert errors == [("UP", "ERROR", True)]


def test_columns_tags_and_show(run: Any, connection: Any) -> None:
    run("CREATE TABLE T AS SELECT 1 AS A, 'x' AS B")
    run("CREATE TAG G")
    text = (
        "CREATE OR REPLACE DYNAMIC TABLE D (X COMMENT 'it''s x', Y) TARGET_LAG = '2 days' COMMENT = 'c' "
        "TAG (G = 'v') WAREHOUSE = WH REFRESH_MODE = AUTO INITIALIZE = ON_CREATE CLUSTER BY (X, Y) "
        "AS SELECT A, B FROM T"
    )
    run(text)
    (row,) = run("SHOW DYNAMIC TABLES LIKE 'd'")
    assert row[1:13] == (
        "D",
        connection.database,
        "S",
        "LINEAR(X, Y)",
        1,
        0,
        "ACCOUNTADMIN",
        "2 days",
        "FULL",
        "the embedded account computes every refresh in full",
        "WH",
        "c",
    )
    assert row[13:16] == (text, "OFF", "ACTIVE")
    described = run("DESC DYNAMIC TABLE D")
    assert [(r[0], r[1], r[9]) for r in described] == [
        ("X", "NUMBER(38,0)", "it's x"),
        ("Y", "VARCHAR(16777216)", None),
    ]
    assert run("SELECT SYSTEM$GET_TAG('G', 'D', 'TABLE')") == [("v",)]
    run("ALTER DYNAMIC TABLE D REFRESH")
    assert [r[9] for r in run("DESC DYNAMIC TABLE D")] == ["it's x", None]
    run("ALTER DYNAMIC TABLE D SET TARGET_LAG = DOWNSTREAM COMMENT = 'n'")
    run("ALTER DYNAMIC TABLE D SUSPEND")
    run("ALTER DYNAMIC TABLE D RENAME TO E")
    (row,) = run("SHOW DYNAMIC TABLES")
    assert (row[1], row[8], row[12], row[15]) == ("E", "DOWNSTREAM", "n", "SUSPENDED")
    assert run("SELECT SYSTEM$GET_TAG('G', 'E', 'TABLE')") == [("v",)]
    state = (
        "SELECT NAME, SCHEDULING_STATE:state::STRING, TARGET_LAG_TYPE "
        "FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLES(NAME => 'E'))"
    )
    assert run(state) == [("E", "SUSPENDED", "DOWNSTREAM")]
    run("DROP DYNAMIC TABLE E")
    assert run("SHOW DYNAMIC TABLES") == []
    assert run("DROP DYNAMIC TABLE IF EXISTS E") == [("Drop statement executed successfully.",)]


def test_unqualified_names_mean_what_they_meant(run: Any, connection: Any) -> None:
    run("CREATE TABLE T AS SELECT 1 AS A")
    run(create("D", "SELECT A FROM T"))
    run("CREATE SCHEMA OTHER")
    run("CREATE TABLE T AS SELECT 2 AS A")
    run("CREATE TEMP TABLE S.T (A INT)")
    run("ALTER DYNAMIC TABLE S.D REFRESH")
    assert run("SELECT A FROM S.D") == [(1,)]


ERRORS = [
    (create("D", "SELECT 1 AS A"), 2002),
    (create("E", "SELECT * FROM NOPE"), 2003),
    (create("E", "SELECT 1 AS A", "'30 seconds'"), 1008),
    (create("E", "SELECT 1 AS A", "'soon'"), 1008),
    (create("E", "SELECT 1 AS A", rest="INITIALIZE = NEVER"), 1008),
    (create("E", "SELECT 1 AS A").replace("WAREHOUSE = WH", "WAREHOUSE = NOPE"), 2003),
    (create("E", "SELECT 1 AS A").replace("WAREHOUSE = WH", ""), 2029),
    (create("E", "SELECT 1 AS A", rest="BACKFILL FROM T"), 2),
    (create("E", "SELECT * FROM TEMPORARY_ONE"), 2003),
    ("CREATE DYNAMIC ICEBERG TABLE E TARGET_LAG = '1 day' WAREHOUSE = WH AS SELECT 1 AS A", 2),
    ("CREATE DYNAMIC TABLE E CLONE D", 2),
    ("ALTER DYNAMIC TABLE D SWAP WITH E", 2),
    ("ALTER DYNAMIC TABLE NOPE REFRESH", 2003),
    ("DROP DYNAMIC TABLE NOPE", 2003),
    ("INSERT INTO D VALUES (2)", 1003),
    ("UPDATE D SET A = 2", 1003),
    ("DELETE FROM D", 1003),
]


def test_errors_change_nothing(run: Any) -> None:
    run("CREATE TEMP TABLE TEMPORARY_ONE (A INT)")
    run(create("D", "SELECT 1 AS A"))
    before = run("SHOW DYNAMIC TABLES"), run("SELECT * FROM D")
    for statement, code in ERRORS:
        with pytest.raises(ProgrammingError) as raised:
            run(statement)
        assert (statement, raised.value.errno) == (statement, code)
    assert (run("SHOW DYNAMIC TABLES"), run("SELECT * FROM D")) == before


NAMES = {
    "second": (1, ("s", "sec", "second")),
    "minute": (60, ("m", "min", "minute")),
    "hour": (3600, ("h", "hr", "hour")),
    "day": (86400, ("d", "day")),
}


@given(st.integers(0, 1000), st.sampled_from(sorted(NAMES)), st.data())
def test_lags(number: int, unit: str, data: st.DataObject) -> None:
    factor, spellings = NAMES[unit]
    word = data.draw(st.sampled_from(spellings))
    word += data.draw(st.sampled_from(["", "s"])) if len(word) > 1 else ""
    text = f"{number}{data.draw(st.sampled_from(['', ' ', '  ']))}{data.draw(st.sampled_from([word, word.upper()]))}"
    if number * factor < 60:
        with pytest.raises(SnowflakeError, match="at least 60 seconds"):
            lag_seconds(text)
    else:
        assert lag_seconds(text) == number * factor
        assert shown_lag(text) == f"{number} {unit}{'s' if number != 1 else ''}"


@pytest.mark.parametrize(
    "text", ["", "1", "h", "-1 hour", "1.5 hours", "1 hour 5 minutes", "1 fortnight", "1 week"]
)
def test_no_lags(text: str) -> None:
    with pytest.raises(SnowflakeError, match="Invalid TARGET_LAG"):
        lag_seconds(text)


def test_short_lags_are_shown_long(run: Any) -> None:
    for lag, shown in [
        ("'1h'", "1 hour"),
        ("'1 m'", "1 minute"),
        ("'2M'", "2 minutes"),
        ("downstream", "DOWNSTREAM"),
    ]:
        run(create("D", "SELECT 1 AS A", lag).replace("CREATE", "CREATE OR REPLACE"))
        run("SHOW DYNAMIC TABLES")
        assert run('SELECT "target_lag" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [(shown,)]
    run("ALTER DYNAMIC TABLE D SET TARGET_LAG = '1d'")
    run("SHOW DYNAMIC TABLES")
    assert run('SELECT "target_lag" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("1 day",)]


# ----- by the lag, with the clock in hand


@pytest.fixture
def local(tmp_path: Path) -> Any:
    """(account, function that runs a statement) without a server."""
    account = Account(tmp_path / "data")
    session = Session(account)
    for statement in ("CREATE DATABASE DB", "CREATE WAREHOUSE WH"):
        execute(session, statement)
    yield account, lambda text: execute(session, text).rows()
    account.close()


def test_tables_refresh_by_their_lag(local: Any) -> None:
    account, run = local
    run("CREATE TABLE T AS SELECT 1 AS A")
    run(create("UP", "SELECT A FROM T", "DOWNSTREAM"))
    run(create("D", "SELECT A FROM UP", "'1 hour'"))
    run(create("LATER", "SELECT A FROM T", "'1 hour'", "INITIALIZE = ON_SCHEDULE"))
    run("CREATE OR REPLACE TABLE T AS SELECT 2 AS A")
    now = datetime.now(UTC)
    refresh_due(account, now + timedelta(minutes=30))
    assert (run("SELECT A FROM D"), run("SELECT A FROM LATER")) == ([(1,)], [(2,)])
    run("ALTER DYNAMIC TABLE D SUSPEND")
    refresh_due(account, now + timedelta(minutes=61))
    assert run("SELECT A FROM D") == [(1,)]
    run("ALTER DYNAMIC TABLE D RESUME")
    refresh_due(account, now + timedelta(minutes=61))
    assert run("SELECT A FROM D") == [(2,)]
    scheduled = [r[0] for r in run(HISTORY) if r[3] == "SCHEDULED"]
    assert scheduled == ["LATER", "LATER", "UP", "D", "LATER"]


def test_five_failures_suspend(local: Any) -> None:
    account, run = local
    run("CREATE TABLE T AS SELECT 1 AS A")
    run(create("D", "SELECT A FROM T"))
    run("DROP TABLE T")
    for hour in range(1, 8):
        refresh_due(account, datetime.now(UTC) + timedelta(hours=2 * hour))
    failed = [r for r in run(HISTORY) if r[1] == "FAILED"]
    assert failed == [("D", "FAILED", None, "SCHEDULED")] * 5
    (row,) = run(
        "SELECT SCHEDULING_STATE:state::STRING, SCHEDULING_STATE:reason_code::STRING, LAST_COMPLETED_REFRESH_STATE "
        "FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLES(NAME => 'D'))"
    )
    assert row == ("SUSPENDED", "SUSPENDED_DUE_TO_ERRORS", "FAILED")
    with pytest.raises(SnowflakeError, match="does not exist"):
        run("ALTER DYNAMIC TABLE D REFRESH")
    assert run("SELECT A FROM D") == [(1,)]


def test_incremental_needs_change_tracking_of_tables_of_others(run: Any, database: str) -> None:
    incremental = "REFRESH_MODE = INCREMENTAL"
    run("CREATE ROLE IF NOT EXISTS STRANGER")
    run("GRANT ROLE STRANGER TO USER SPOKEHUB")
    run(f"GRANT USAGE ON DATABASE {database} TO ROLE STRANGER")
    run("GRANT USAGE, CREATE TABLE ON SCHEMA S TO ROLE STRANGER")
    run("USE ROLE STRANGER")
    run("CREATE TABLE OTHER (A INT)")
    run("CREATE TABLE TRACKED (A INT) CHANGE_TRACKING = TRUE")
    for table in ("OTHER", "TRACKED"):
        run(f"GRANT SELECT ON TABLE {table} TO ROLE ACCOUNTADMIN")
    run("USE ROLE ACCOUNTADMIN")
    run("CREATE TABLE OWN (A INT)")
    run("CREATE VIEW OVER_OTHER AS SELECT A FROM OTHER")
    tracked = 'SHOW TABLES ->> SELECT "name" FROM $1 WHERE "change_tracking" = \'ON\' ORDER BY 1'

    with pytest.raises(
        ProgrammingError, match=r"Change tracking is not enabled .* on table 'OTHER'"
    ) as refused:
        run(create("D", "SELECT A FROM OWN UNION ALL SELECT A FROM OVER_OTHER", rest=incremental))
    assert (refused.value.errno, refused.value.sqlstate) == (91930, "22000")
    assert run(tracked) == [("TRACKED",)]
    run(create("FULL_OVER_OTHER", "SELECT A FROM OTHER", rest="REFRESH_MODE = FULL"))
    run(create("AUTO_OVER_OTHER", "SELECT A FROM OTHER"))
    run(create("OVER_TRACKED", "SELECT A FROM TRACKED", rest=incremental))
    run(create("OVER_OWN", "SELECT A FROM OWN", rest=incremental))
    assert run(tracked) == [("OWN",), ("TRACKED",)]
