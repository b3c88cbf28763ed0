"""Membership: who may log in with a role, activate it, and inherits what."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector

from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.security import logins
from embedded_account.session import Session
from tests.account.security.conftest import Login, refusal, run


def granted(session: Session, *pairs: tuple[str, str]) -> None:
    for role, to in pairs:
        run(session, f"GRANT ROLE {role} TO {to}")


@pytest.mark.parametrize(
    ("user", "role", "answer"),
    [
        ("ANNA", None, "PUBLIC"),
        ("ANNA", "TOP", "TOP"),
        ("ANNA", "MIDDLE", "MIDDLE"),
        ("ANNA", "BOTTOM", "BOTTOM"),
        ("ANNA", "PUBLIC", "PUBLIC"),
        ("ANNA", "OTHER", "Role 'OTHER' specified in the connect string is not granted to this user."),
        ("ANNA", "SYSADMIN", "Role 'SYSADMIN' specified in the connect string is not granted to this user."),
        ("ANNA", "NOPE", "Role 'NOPE' specified in the connect string does not exist or not authorized."),
        ("BERT", None, "OTHER"),
        ("SPOKEHUB", None, "ACCOUNTADMIN"),
        ("SPOKEHUB", "USERADMIN", "USERADMIN"),
        ("SPOKEHUB", "UNDER_SYSADMIN", "UNDER_SYSADMIN"),
        ("SPOKEHUB", "TOP", "Role 'TOP' specified in the connect string is not granted to this user."),
        ("NOBODY", None, "Incorrect username or password was specified."),
    ],
)
def test_logins(account: Account, admin: Session, user: str, role: str | None, answer: str) -> None:
    for name in ("TOP", "MIDDLE", "BOTTOM", "OTHER", "UNDER_SYSADMIN"):
        run(admin, f"CREATE ROLE IF NOT EXISTS {name}")
    run(admin, "CREATE USER IF NOT EXISTS ANNA", "CREATE USER IF NOT EXISTS BERT DEFAULT_ROLE = OTHER")
    granted(
        admin,
        ("TOP", "USER ANNA"),
        ("MIDDLE", "ROLE TOP"),
        ("BOTTOM", "ROLE MIDDLE"),
        ("OTHER", "USER BERT"),
        ("UNDER_SYSADMIN", "ROLE SYSADMIN"),
    )
    if " " not in answer:
        assert logins.open_session(account, user, role).role == answer
        return
    with pytest.raises(SnowflakeError) as caught:
        logins.open_session(account, user, role)
    error = caught.value
    assert error.message.partition(" Contact")[0] == answer
    assert (error.code, error.sqlstate) == (390189 if "Role" in answer else 390100, "08001")


def test_the_connector_tells_of_a_role_that_is_not_granted(account_server: Any) -> None:
    with account_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE ROLE IF NOT EXISTS MINE")
        with pytest.raises(snowflake.connector.DatabaseError, match="is not granted to this user") as caught:
            account_server.connect(role="MINE")
        assert (caught.value.errno, caught.value.sqlstate) == (390189, "08001")
        cursor.execute("GRANT ROLE MINE TO ROLE SYSADMIN")
        with account_server.connect(role="MINE") as other:
            assert other.role == "MINE"
        cursor.execute("DROP ROLE MINE")


def test_a_creator_owns_a_role_and_is_no_member(admin: Session) -> None:
    run(admin, "CREATE ROLE IF NOT EXISTS MADE")
    told = (
        "SQL access control error: Requested role 'MADE' is not assigned to the executing user. "
        "Specify another role to activate."
    )
    assert refusal(admin, "USE ROLE MADE") == (3013, "42501", told)
    run(admin, "GRANT ROLE MADE TO USER SPOKEHUB", "USE ROLE MADE", "USE ROLE ACCOUNTADMIN")
    run(admin, "REVOKE ROLE MADE FROM USER SPOKEHUB")
    assert refusal(admin, "USE ROLE MADE")[0] == 3013
    assert refusal(admin, "USE ROLE NOPE")[0] == 2043


def test_available_roles_are_those_of_the_user(login: Login) -> None:
    session = login("LONELY")
    assert run(session, "SELECT CURRENT_AVAILABLE_ROLES()") == [('["LONELY", "PUBLIC"]',)]


def test_names_in_quotes(admin: Session, account: Account) -> None:
    run(
        admin,
        'CREATE ROLE IF NOT EXISTS "my role"',
        'CREATE USER IF NOT EXISTS "a.b@c.d"',
        'GRANT ROLE "my role" TO USER "a.b@c.d"',
    )
    assert logins.open_session(account, "a.b@c.d", "my role").role == "my role"
    rows = run(admin, 'SHOW GRANTS OF ROLE "my role" ->> SELECT "role", "granted_to", "grantee_name" FROM $1')
    assert rows == [("my role", "USER", "a.b@c.d")]
