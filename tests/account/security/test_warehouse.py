"""A statement that computes needs a warehouse; the rest does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.security import logins
from embedded_account.session import Session
from embedded_account.statements import execute
from tests.account.security.conftest import Login, refusal, run

NONE = (
    606,
    "57P03",
    "No active warehouse selected in the current session. Select an active warehouse with the 'use warehouse' "
    "command.",
)
MADE = (
    "CREATE TABLE T (A INT)",
    "CREATE STAGE ST",
    "CREATE FUNCTION F() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'f' AS 'def f(): return 1'",
    "CREATE PROCEDURE P() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = "
    "('snowflake-snowpark-python') HANDLER = 'f' AS 'def f(session): return 1'",
    "CREATE DATASET DS",
    "CREATE TASK K WAREHOUSE = WH AS SELECT 1",
    "CREATE DYNAMIC TABLE DT TARGET_LAG = DOWNSTREAM WAREHOUSE = WH AS SELECT A FROM T",
)
NEEDS = (
    "SELECT * FROM T",
    "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES",
    "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY",
    "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
    "SELECT * FROM TABLE(INFORMATION_SCHEMA.TAG_REFERENCES('T', 'TABLE'))",
    "SELECT 1 FROM TABLE(GENERATOR(ROWCOUNT => 2))",
    "SELECT * FROM VALUES (1)",
    "WITH C AS (SELECT * FROM T) SELECT A FROM C",
    "SELECT (SELECT MAX(A) FROM T)",
    "SHOW TABLES ->> SELECT * FROM $1",
    "INSERT INTO T VALUES (1)",
    "UPDATE T SET A = 2",
    "DELETE FROM T",
    "MERGE INTO T USING T AS S ON T.A = S.A WHEN MATCHED THEN DELETE",
    "TRUNCATE TABLE T",
    "COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV)",
    "CREATE TABLE U AS SELECT 1 AS A",
    "CREATE OR REPLACE TEMPORARY TABLE U AS SELECT * FROM T",
    "CALL P()",
    "SELECT F()",
    "SET X = (SELECT MAX(A) FROM T)",
    "EXECUTE IMMEDIATE 'SELECT * FROM T'",
    "ALTER DATASET DS ADD VERSION 'v1' FROM (SELECT * FROM T)",
)
NEEDS_NONE = (
    "SELECT 1, CURRENT_ROLE(), CURRENT_WAREHOUSE()",
    "SELECT SYSTEM$GET_TAG('G', 'T', 'TABLE')",
    "SET X = 1",
    "SHOW TABLES",
    "SHOW GRANTS TO ROLE SYSADMIN",
    "DESCRIBE TABLE T",
    "CREATE TABLE U (A INT)",
    "CREATE VIEW V AS SELECT * FROM T",
    "ALTER TABLE T SET COMMENT = 'x'",
    "ALTER DYNAMIC TABLE DT REFRESH",
    "CREATE DYNAMIC TABLE DT2 TARGET_LAG = DOWNSTREAM WAREHOUSE = WH AS SELECT A FROM T",
    "GRANT SELECT ON TABLE T TO ROLE SYSADMIN",
    "LIST @ST",
    "USE SCHEMA S",
    "BEGIN",
    "ALTER SESSION SET QUERY_TAG = 'x'",
    "CALL SYSTEM$WAIT(0)",
    "EXPLAIN SELECT * FROM T",
    "DROP TABLE T",
)


@pytest.fixture
def bare(account: Account, admin: Session) -> Any:
    """A session without a warehouse, beside objects of all kinds."""
    run(admin, "CREATE TAG G", *MADE)
    session = Session(account)
    session.use(str(admin.database), "S")
    yield session
    session.close()


def test_what_computes_is_refused(bare: Session) -> None:
    answers = {}
    for statement in NEEDS:
        try:
            execute(bare, statement)
            answers[statement] = "ok"
        except SnowflakeError as error:
            answers[statement] = (error.code, error.sqlstate, " ".join(error.message.split()))
    assert answers == dict.fromkeys(NEEDS, NONE)


def test_what_does_not_compute_goes_on(bare: Session) -> None:
    for statement in NEEDS_NONE:
        execute(bare, statement)


def test_describing_and_errors_of_names_come_first(bare: Session) -> None:
    execute(bare, "SELECT * FROM T", describe_only=True)
    assert refusal(bare, "SELECT * FROM NOPE")[0] == 2003


@pytest.mark.parametrize(
    ("options", "after", "works"),
    [
        ("", "", True),
        ("INITIALLY_SUSPENDED = TRUE", "", True),
        ("AUTO_RESUME = FALSE INITIALLY_SUSPENDED = TRUE", "", False),
        ("AUTO_RESUME = FALSE", "", True),
        ("AUTO_RESUME = FALSE", "ALTER WAREHOUSE W SUSPEND", False),
        ("AUTO_RESUME = FALSE INITIALLY_SUSPENDED = TRUE", "ALTER WAREHOUSE W RESUME", True),
        ("", "DROP WAREHOUSE W", False),
    ],
)
def test_the_warehouse_exists_and_runs_or_resumes(
    account: Account, admin: Session, options: str, after: str, works: bool
) -> None:
    other = Session(account)
    run(other, f"CREATE OR REPLACE WAREHOUSE W {options}")
    run(admin, "CREATE TABLE T (A INT)", "USE WAREHOUSE W")
    if after:
        run(other, after)
    if works:
        assert run(admin, "SELECT * FROM T") == []
    else:
        assert refusal(admin, "SELECT * FROM T") == NONE
    if after.startswith("DROP"):
        assert run(admin, "SELECT CURRENT_WAREHOUSE()") == [(None,)]


def test_a_warehouse_that_is_not_there_or_not_allowed_cannot_be_used(admin: Session, login: Login) -> None:
    missing = "SQL compilation error: Object does not exist, or operation cannot be performed."
    assert refusal(admin, "USE WAREHOUSE NOPE") == (2043, "02000", missing)
    run(admin, "CREATE WAREHOUSE IF NOT EXISTS PRIVATE")
    other = login("STRANGER")
    assert refusal(other, "USE WAREHOUSE PRIVATE") == (2043, "02000", missing)
    run(admin, "GRANT USAGE ON WAREHOUSE PRIVATE TO ROLE STRANGER")
    run(other, "USE WAREHOUSE PRIVATE", "SELECT * FROM VALUES (1)")
    run(admin, "REVOKE USAGE ON WAREHOUSE PRIVATE FROM ROLE STRANGER")
    assert refusal(other, "SELECT * FROM VALUES (1)") == NONE


def test_a_dynamic_table_needs_its_own_warehouse(account: Account, bare: Session) -> None:
    run(Session(account), "CREATE OR REPLACE WAREHOUSE W AUTO_RESUME = FALSE INITIALLY_SUSPENDED = TRUE")
    made = "CREATE DYNAMIC TABLE DT3 TARGET_LAG = DOWNSTREAM WAREHOUSE = W AS SELECT A FROM T"
    assert refusal(bare, made) == NONE
    assert bare.warehouse is None


def test_a_default_warehouse_is_the_users(tmp_path: Path) -> None:
    account = Account(tmp_path / "account")
    try:
        assert logins.open_session(account, "SPOKEHUB", None).warehouse is None
        for _ in range(2):
            logins.give_default_warehouse(account, "COMPUTE_WH")
            session = logins.open_session(account, "SPOKEHUB", None)
            assert run(session, "SELECT CURRENT_WAREHOUSE(), 1 FROM VALUES (1)") == [("COMPUTE_WH", 1)]
        run(session, "CREATE WAREHOUSE OTHER", "CREATE USER ANNA DEFAULT_WAREHOUSE = OTHER")
        assert logins.open_session(account, "ANNA", None).warehouse == "OTHER"
        users = run(session, 'SHOW USERS ->> SELECT "name", "default_warehouse" FROM $1 ORDER BY 1')
        assert users == [("ANNA", "OTHER"), ("SPOKEHUB", "COMPUTE_WH")]
    finally:
        account.close()
