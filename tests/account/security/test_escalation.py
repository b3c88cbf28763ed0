"""Ways around the roles that were granted."""

from __future__ import annotations

import pytest

from embedded_account.account import Account
from embedded_account.security import roles
from embedded_account.session import Session
from tests.account.security.conftest import Login, refusal, run


@pytest.mark.parametrize("role", ["ACCOUNTADMIN", "SYSADMIN", "VICTIM"])
def test_replacing_a_role_takes_its_ownership(admin: Session, login: Login, role: str) -> None:
    run(admin, "CREATE ROLE IF NOT EXISTS VICTIM")
    low = login("REPLACER", "CREATE ROLE ON ACCOUNT")
    assert refusal(low, f"CREATE OR REPLACE ROLE {role}")[0] == 3001
    assert refusal(low, f"GRANT ROLE {role} TO ROLE REPLACER")[0] == 3001


def test_a_replaced_role_begins_without_grants(admin: Session) -> None:
    run(admin, "CREATE ROLE RENEWED", "GRANT CREATE ROLE ON ACCOUNT TO ROLE RENEWED")
    run(admin, "CREATE OR REPLACE ROLE RENEWED")
    assert run(admin, "SHOW GRANTS TO ROLE RENEWED") == []


@pytest.mark.parametrize("user", ["SYSTEM", "SPOKEHUB"])
def test_users_that_every_account_has(admin: Session, user: str) -> None:
    assert refusal(admin, f"CREATE USER {user}")[0] == 2002


def test_a_task_activates_no_more_than_its_owner_has(account: Account, admin: Session) -> None:
    run(admin, "CREATE ROLE IF NOT EXISTS TASK_OWNER")
    session = Session(account, "TASK_OWNER")
    session.user = roles.SYSTEM
    assert refusal(session, "USE ROLE ACCOUNTADMIN")[0] == 3013
    run(session, "USE ROLE TASK_OWNER")
    session.close()


@pytest.mark.parametrize("statement", ["CREATE TEMP ROLE X1", "CREATE TEMPORARY DATABASE X1"])
def test_temporary_is_no_way_around_privileges(login: Login, statement: str) -> None:
    assert refusal(login("TEMPORIZER"), statement)[0] == 2


def test_revoking_the_option_keeps_the_privilege(admin: Session) -> None:
    run(admin, "CREATE ROLE OPTED", "GRANT CREATE ROLE ON ACCOUNT TO ROLE OPTED WITH GRANT OPTION")
    run(admin, "REVOKE GRANT OPTION FOR CREATE ROLE ON ACCOUNT FROM ROLE OPTED")
    assert [(row[1], row[6]) for row in run(admin, "SHOW GRANTS TO ROLE OPTED")] == [("CREATE ROLE", "false")]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO IDENTIFIER($HIDDEN) VALUES (1)",
        "DELETE FROM IDENTIFIER($HIDDEN)",
        "CREATE OR REPLACE TABLE IDENTIFIER($HIDDEN) (A INT)",
    ],
)
def test_a_variable_hides_no_name(admin: Session, login: Login, statement: str) -> None:
    run(admin, "CREATE TABLE KEPT (A INT)")
    low = login("HIDER")
    run(low, "SET HIDDEN = 'KEPT'")
    assert refusal(low, statement)[0] == 3001


@pytest.mark.parametrize(
    ("made", "replaced"),
    [
        ("CREATE DATABASE REPLACED", "DATABASE REPLACED"),
        ("CREATE SCHEMA REPLACED", "SCHEMA REPLACED"),
        ("CREATE WAREHOUSE REPLACED", "WAREHOUSE REPLACED"),
        ("CREATE TABLE REPLACED (A INT)", "TABLE REPLACED (A INT)"),
        ("CREATE VIEW REPLACED_VIEW AS SELECT 1 AS A", "VIEW REPLACED_VIEW AS SELECT 2 AS A"),
        ("CREATE STAGE REPLACED", "STAGE REPLACED"),
        ("CREATE TAG REPLACED", "TAG REPLACED"),
        (
            "CREATE FUNCTION REPLACED() RETURNS INT LANGUAGE PYTHON HANDLER = 'f' AS 'def f(): return 1'",
            "FUNCTION REPLACED() RETURNS INT LANGUAGE PYTHON HANDLER = 'f' AS 'def f(): return 2'",
        ),
    ],
)
def test_only_its_owner_replaces_an_object(admin: Session, login: Login, made: str, replaced: str) -> None:
    kind = replaced.split()[0]
    database = admin.database
    run(admin, made)
    admin.use(str(database), "S")
    on = {"DATABASE": "ACCOUNT", "WAREHOUSE": "ACCOUNT", "SCHEMA": f"DATABASE {database}"}
    low = login(f"REPLACES_{kind}", f"CREATE {kind} ON {on.get(kind, f'SCHEMA {database}.S')}")
    assert refusal(low, f"CREATE OR REPLACE {replaced}")[0] == 3001
    run(admin, f"CREATE OR REPLACE {replaced}")
