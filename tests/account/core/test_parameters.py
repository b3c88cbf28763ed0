"""Session parameters: obeyed, refused, or listed as ignored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import snowflake.connector
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.parameters import PARAMETERS, Effect, _zones, checked
from embedded_account.session import Session
from embedded_account.statements import execute

assert loaded


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = Account(tmp_path_factory.mktemp("account"))
    first = Session(account)
    execute(first, "CREATE WAREHOUSE W")
    execute(first, "CREATE DATABASE D")
    yield account
    account.close()


@pytest.fixture
def session(account: Account) -> Iterator[Session]:
    session = Session(account)
    session.use("D", "PUBLIC")
    session.warehouse = "W"
    yield session
    session.close()


def rows(session: Session, text: str) -> list[tuple[object, ...]]:
    return execute(session, text).rows()


def refusal(session: Session, text: str) -> tuple[int, str, str]:
    with pytest.raises(SnowflakeError) as caught:
        execute(session, text)
    return caught.value.code, caught.value.sqlstate, caught.value.message


_ROWS = "TABLE(GENERATOR(ROWCOUNT => 10000000))"
LONG = f"SELECT count(*) FROM {_ROWS} a, {_ROWS} b"
TIMED_OUT = (
    630, "57014", "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled."
)  # fmt: skip


@pytest.mark.parametrize("text", [LONG, "SELECT SYSTEM$WAIT(60)"])
def test_a_statement_beyond_its_time_is_cancelled(session: Session, text: str) -> None:
    execute(session, "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    assert refusal(session, text) == TIMED_OUT
    # The next statement is not hit.
    assert rows(session, "SELECT 1") == [(1,)]


def test_the_lower_of_session_and_warehouse_holds(session: Session) -> None:
    execute(session, "CREATE OR REPLACE WAREHOUSE SLOW STATEMENT_TIMEOUT_IN_SECONDS = 1")
    execute(session, "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 0")
    assert session.statement_timeout() == 1
    assert refusal(session, "SELECT SYSTEM$WAIT(60)") == TIMED_OUT
    execute(session, "ALTER WAREHOUSE SLOW SET STATEMENT_TIMEOUT_IN_SECONDS = 0")
    assert session.statement_timeout() == 604_800
    execute(session, "ALTER SESSION UNSET STATEMENT_TIMEOUT_IN_SECONDS")
    assert session.statement_timeout() == 172_800


def test_a_request_has_a_limit_of_its_own(connection: snowflake.connector.SnowflakeConnection) -> None:
    cursor = connection.cursor()
    with pytest.raises(snowflake.connector.ProgrammingError) as caught:
        cursor.execute(
            "SELECT SYSTEM$WAIT(60)", _statement_params={"STATEMENT_TIMEOUT_IN_SECONDS": 1, "QUERY_TAG": "t"}
        )
    assert (caught.value.errno, caught.value.sqlstate) == (630, "57014")
    shown = cursor.execute("SHOW PARAMETERS LIKE '%STATEMENT_TIMEOUT%'").fetchall()
    assert [row[1] for row in shown] == ["172800"]


def test_rows_of_a_result_are_cut(session: Session) -> None:
    execute(session, "ALTER SESSION SET ROWS_PER_RESULTSET = 2")
    result = execute(session, "SELECT column1 FROM VALUES (1), (2), (3) ORDER BY 1")
    assert (result.rows(), result.rowcount) == ([(1,), (2,)], 2)
    execute(session, "CREATE OR REPLACE TABLE many AS SELECT column1 c FROM VALUES (1), (2), (3)")
    execute(session, "ALTER SESSION SET ROWS_PER_RESULTSET = 0")
    assert rows(session, "SELECT count(*) FROM many") == [(3,)]


def test_a_second_writer_waits_as_long_as_it_may(account: Account, session: Session) -> None:
    execute(session, "CREATE OR REPLACE TABLE contended AS SELECT 1 a")
    other = Session(account)
    other.use("D", "PUBLIC")
    other.warehouse = "W"
    execute(other, "BEGIN")
    execute(other, "UPDATE contended SET a = 2")
    execute(session, "ALTER SESSION SET LOCK_TIMEOUT = 0")
    assert refusal(session, "UPDATE contended SET a = a + 10")[:2] == (625, "57014")
    execute(session, "ALTER SESSION UNSET LOCK_TIMEOUT")
    threading.Timer(0.3, lambda: execute(other, "COMMIT")).start()
    execute(session, "UPDATE contended SET a = a + 10")
    assert rows(session, "SELECT a FROM contended") == [(12,)]
    other.close()


@given(
    zone=st.sampled_from(sorted(_zones())),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2022, 12, 31)),
)
@settings(max_examples=60, deadline=None)
def test_the_time_zone_of_a_session(account: Account, zone: str, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    session = Session(account)
    try:
        execute(session, f"ALTER SESSION SET TIMEZONE = '{zone}'")
        text = f"'{moment:%Y-%m-%d %H:%M:%S} +00:00'::TIMESTAMP_LTZ"
        found = rows(session, f"SELECT {text}, {text}::TIMESTAMP_NTZ, {text}::DATE, hour({text})")
    finally:
        session.close()
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    [(absolute, naive, day, hour)] = found
    assert absolute.timestamp() == moment.replace(tzinfo=ZoneInfo("UTC")).timestamp()  # type: ignore[attr-defined]
    assert (naive, day, hour) == (local, local.date(), local.hour)


def test_clients_see_the_zone(connection: snowflake.connector.SnowflakeConnection) -> None:
    cursor = connection.cursor()
    cursor.execute("ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'")
    [(found, now)] = cursor.execute(
        "SELECT '2024-07-01 12:00:00'::TIMESTAMP_LTZ, CURRENT_TIMESTAMP()"
    ).fetchall()
    assert found.isoformat() == "2024-07-01T12:00:00-07:00"
    assert now.utcoffset() == datetime.now(ZoneInfo("America/Los_Angeles")).utcoffset()
    cursor.execute("ALTER SESSION UNSET TIMEZONE")
    [(found,)] = cursor.execute("SELECT '2024-07-01 12:00:00'::TIMESTAMP_LTZ").fetchall()
    assert found.isoformat() == "2024-07-01T12:00:00+00:00"


def test_quoted_identifiers_without_case(session: Session) -> None:
    execute(session, 'CREATE OR REPLACE TABLE "Mixed" ("a b" VARCHAR)')
    execute(session, "ALTER SESSION SET QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE")
    execute(session, """CREATE OR REPLACE TABLE "Folded" ("a B" VARCHAR) COMMENT = '"as it is"'""")
    execute(session, """INSERT INTO folded ("A b") VALUES ('"x"'), ($$"y"$$)""")
    result = execute(session, 'SELECT "f"."a b" AS "Out" FROM "FOLDED" AS "F" ORDER BY "out"')
    assert (result.names, result.rows()) == (["OUT"], [('"x"',), ('"y"',)])
    execute(session, "ALTER SESSION UNSET QUOTED_IDENTIFIERS_IGNORE_CASE")
    assert rows(session, 'SELECT * FROM "Mixed"') == []
    assert rows(
        session, "SELECT TABLE_NAME, COMMENT FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'FOLDED'"
    ) == [("FOLDED", '"as it is"')]


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("AUTOCOMMIT = 5", 1008, "invalid value [5] for parameter 'AUTOCOMMIT'"),
        ("USE_CACHED_RESULT = 'perhaps'", 1008, "invalid value [perhaps] for parameter 'USE_CACHED_RESULT'"),
        ("LOCK_TIMEOUT = 'long'", 1008, "invalid value [long] for parameter 'LOCK_TIMEOUT'"),
        ("LOCK_TIMEOUT = -1", 1008, "invalid value [-1] for parameter 'LOCK_TIMEOUT'"),
        ("WEEK_START = 8", 1008, "invalid value [8] for parameter 'WEEK_START'"),
        (
            "TWO_DIGIT_CENTURY_START = 1800",
            1008,
            "invalid value [1,800] for parameter 'TWO_DIGIT_CENTURY_START'",
        ),
        (
            "STATEMENT_TIMEOUT_IN_SECONDS = 604801",
            1008,
            "parameter value out of range: 604,801. Must be between 0 and 604,800.",
        ),
        ("TIMEZONE = 'Mars/Olympus'", 1008, "invalid value [Mars/Olympus] for parameter 'TIMEZONE'"),
        (
            "TIMESTAMP_TYPE_MAPPING = 'DATE'",
            1008,
            "invalid value [DATE] for parameter 'TIMESTAMP_TYPE_MAPPING'",
        ),
    ],
)
def test_a_wrong_value_is_refused(session: Session, setting: str, code: int, message: str) -> None:
    assert refusal(session, f"ALTER SESSION SET QUERY_TAG = 'half', {setting}") == (
        code, "22023", f"SQL compilation error:\n{message}"
    )  # fmt: skip
    assert session.parameters == {}


OTHERS: dict[str, Any] = {"STRING": "x", "BOOLEAN": None, "NUMBER": 1}


@pytest.mark.parametrize("name", [name for name, p in PARAMETERS.items() if p.effect is Effect.FIXED])
def test_what_is_not_done_is_refused_by_name(session: Session, name: str) -> None:
    known = PARAMETERS[name]
    value: object = not known.default if known.type == "BOOLEAN" else 1 if known.type == "NUMBER" else "DD"
    if known.type == "NUMBER" and known.least > 1:
        value = known.least
    if known.words:
        value = next(word for word in known.words if word not in known.here)
    code, sqlstate, message = refusal(session, f"ALTER SESSION SET {name} = {value!r}")
    assert (code, sqlstate) == (2, "0A000")
    assert f"'{name} = {value}'" in message
    assert checked(name, known.default) == known.default


def test_unknown_parameters_are_kept_and_listed_as_ignored(session: Session) -> None:
    execute(session, "ALTER SESSION SET ENABLE_SOMETHING_NEW = TRUE, ALLOW_MORE = 3, PLAIN = 'text'")
    ignored = "Ignored by the embedded account: it changes nothing here."
    shown = rows(session, "SHOW PARAMETERS IN SESSION")
    assert [row for row in shown if row[0] not in PARAMETERS] == [
        ("ALLOW_MORE", "3", "", "SESSION", ignored, "NUMBER"),
        ("ENABLE_SOMETHING_NEW", "true", "", "SESSION", ignored, "BOOLEAN"),
        ("PLAIN", "text", "", "SESSION", ignored, "STRING"),
    ]
    execute(session, "ALTER SESSION UNSET ALLOW_MORE, PLAIN")
    assert session.parameters == {"ENABLE_SOMETHING_NEW": True}


def test_the_documentation_lists_what_each_does() -> None:
    text = (Path(__file__).parents[3] / "docs" / "embedded_account.md").read_text()
    table = text.split("\n## Parameters\n")[1].split("\n## ")[0]
    listed = {
        heading: set(body.replace(",", " ").split())
        for heading, body in (line.split(": ", 1) for line in table.splitlines() if line.startswith("- **"))
    }
    wanted: dict[str, set[str]] = {}
    headings = {
        Effect.OBEYED: "- **Obeyed**",
        Effect.FIXED: "- **Only as it is**",
        Effect.CLIENT: "- **For clients**",
        Effect.IGNORED: "- **Ignored**",
    }
    for name, known in PARAMETERS.items():
        wanted.setdefault(headings[known.effect], set()).add(name)
    assert listed == wanted
