"""Who may read SNOWFLAKE.ACCOUNT_USAGE: https://docs.snowflake.com/en/sql-reference/snowflake-db-roles"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.functions import VIRTUAL
from embedded_account.security.snowflake_database import VIEWS
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.usage import start

PREFIX = "SNOWFLAKE.ACCOUNT_USAGE."


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    account = Account(tmp_path / "data")
    start(account)
    session = Session(account)
    for sql in (
        "CREATE WAREHOUSE WH",
        "CREATE ROLE READER",
        "CREATE ROLE ABOVE",
        "GRANT USAGE ON WAREHOUSE WH TO ROLE READER",
        "GRANT ROLE READER TO ROLE ABOVE",
        "GRANT ROLE ABOVE TO USER SPOKEHUB",
    ):
        execute(session, sql)
    yield session
    account.close()


def told(session: Session, view: str) -> tuple[int, str] | None:
    """The error of reading a view."""
    try:
        execute(session, f"SELECT * FROM {PREFIX}{view}")
    except SnowflakeError as error:
        return error.code, error.message
    return None


def readable(session: Session, role: str = "ABOVE") -> set[str]:
    """The views that a role may read; it reads the others' error."""
    execute(session, f"USE ROLE {role}")
    found = {view for view in VIEWS if told(session, view) is None}
    for view in VIEWS.keys() - found:
        text = f"SQL compilation error:\nObject '{PREFIX}{view}' does not exist or not authorized."
        assert told(session, view) == (2003, text)
    execute(session, "USE ROLE ACCOUNTADMIN")
    return found


def test_each_view_has_its_roles() -> None:
    assert {PREFIX + view for view in VIEWS} == {name for name in VIRTUAL if name.startswith("SNOWFLAKE.")}


USAGE = {
    "TASK_HISTORY",
    "WAREHOUSE_METERING_HISTORY",
    "METERING_HISTORY",
    "METERING_DAILY_HISTORY",
    "QUERY_ATTRIBUTION_HISTORY",
    "SERVERLESS_TASK_HISTORY",
    "SNOWPARK_CONTAINER_SERVICES_HISTORY",
    "DYNAMIC_TABLE_REFRESH_HISTORY",
}


@pytest.mark.parametrize(
    ("role", "views"),
    [
        ("USAGE_VIEWER", USAGE),
        ("OBJECT_VIEWER", {"COMPLETE_TASK_GRAPHS", "TASK_VERSIONS"}),
        ("GOVERNANCE_VIEWER", {"QUERY_HISTORY", "QUERY_ATTRIBUTION_HISTORY"}),
        ("SECURITY_VIEWER", set()),
    ],
)
def test_a_database_role_opens_its_views(session: Session, role: str, views: set[str]) -> None:
    """To the role that it is granted to, and to those that inherit it, until it is revoked."""
    assert readable(session) == set()
    execute(session, f"GRANT DATABASE ROLE SNOWFLAKE.{role} TO ROLE READER")
    assert readable(session) == views
    shown = execute(session, "SHOW GRANTS TO ROLE READER").rows()
    assert ("USAGE", "DATABASE ROLE", f"SNOWFLAKE.{role}") in {row[1:4] for row in shown}
    execute(session, f"REVOKE DATABASE ROLE SNOWFLAKE.{role} FROM ROLE READER")
    assert readable(session) == set()


def test_imported_privileges_open_all(session: Session) -> None:
    execute(session, "GRANT IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE TO ROLE READER")
    assert readable(session) == set(VIEWS)
    shown = execute(session, "SHOW GRANTS TO ROLE READER").rows()
    assert ("USAGE", "DATABASE", "SNOWFLAKE") in {row[1:4] for row in shown}
    execute(session, "REVOKE IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE FROM ROLE READER")
    assert readable(session) == set()
    assert readable(session, "ACCOUNTADMIN") == set(VIEWS)


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT USAGE ON DATABASE SNOWFLAKE TO ROLE READER",
        "GRANT SELECT ON DATABASE SNOWFLAKE TO ROLE READER",
        "GRANT OWNERSHIP ON DATABASE SNOWFLAKE TO ROLE READER",
        "GRANT IMPORTED PRIVILEGES ON DATABASE OTHER TO ROLE READER",
        "GRANT OWNERSHIP ON DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE READER",
        "GRANT DATABASE ROLE SNOWFLAKE.NOBODY TO ROLE READER",
        "CREATE DATABASE ROLE SNOWFLAKE.USAGE_VIEWER",
        "CREATE OR REPLACE DATABASE ROLE SNOWFLAKE.USAGE_VIEWER",
    ],
)
def test_what_cannot_be_granted(session: Session, statement: str) -> None:
    execute(session, "CREATE DATABASE OTHER")
    with pytest.raises(SnowflakeError):
        execute(session, statement)
    assert readable(session) == set()


def test_who_may_not_read_cannot_give(session: Session) -> None:
    for sql in ("CREATE ROLE OTHER", "USE ROLE ABOVE"):
        execute(session, sql)
    for sql in (
        "GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE READER",
        "GRANT IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE TO ROLE READER",
    ):
        with pytest.raises(SnowflakeError, match="Insufficient privileges"):
            execute(session, sql)
    execute(session, "USE ROLE ACCOUNTADMIN")
    execute(session, "GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE READER")
    execute(session, "USE ROLE ABOVE")
    with pytest.raises(SnowflakeError, match="Insufficient privileges"):
        execute(session, "GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE OTHER")


def test_describing_tells_nothing_more(session: Session) -> None:
    execute(session, "USE ROLE ABOVE")
    with pytest.raises(SnowflakeError, match="does not exist or not authorized"):
        execute(session, f"SELECT * FROM {PREFIX}TASK_HISTORY", describe_only=True)


def test_no_view_keeps_what_held_once(session: Session) -> None:
    for sql in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
        execute(session, sql)
    for source in (f"{PREFIX}TASK_HISTORY", "TABLE(D.INFORMATION_SCHEMA.TASK_HISTORY())"):
        with pytest.raises(SnowflakeError, match="Unsupported"):
            execute(session, f"CREATE VIEW D.S.V AS SELECT * FROM {source}")
