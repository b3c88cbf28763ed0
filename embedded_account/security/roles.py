"""Membership: which roles a user may activate, and which a role inherits.

https://docs.snowflake.com/en/user-guide/security-access-control-overview#role-hierarchy-and-privilege-inheritance
"""

from __future__ import annotations

from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.names import shown
from embedded_account.session import Session

ADMINISTRATOR = "ACCOUNTADMIN"
# https://docs.snowflake.com/en/user-guide/tasks-intro#task-security
SYSTEM = "SYSTEM"
_SYSTEM = {
    ADMINISTRATOR: ("SYSADMIN", "SECURITYADMIN"),
    "SECURITYADMIN": ("USERADMIN",),
}


def inherited(account: Account, *roles: str) -> frozenset[str]:
    """These roles and all that were granted to them, however far down; PUBLIC is everybody's."""
    found: set[str] = {"PUBLIC"}
    left = list(roles)
    while left:
        role = left.pop()
        if role in found:
            continue
        found.add(role)
        left += _SYSTEM.get(role, ())
        left += [
            grant.body["on"] for grant in account.grants.of("ROLE", role) if grant.body["on_kind"] == "ROLE"
        ]
    return frozenset(found)


def of_user(account: Account, user: str) -> frozenset[str]:
    """The roles that a user may activate: those granted to the user, and what they inherit."""
    granted = [
        grant.body["on"] for grant in account.grants.of("USER", user) if grant.body["on_kind"] == "ROLE"
    ]
    if user == account.user:
        granted.append(ADMINISTRATOR)
    return inherited(account, *granted)


def of_session(session: Session) -> frozenset[str]:
    """The active role with what it inherits. Secondary roles count for nothing here."""
    return inherited(session.account, session.role)


def activate(session: Session, role: str) -> None:
    """USE ROLE: https://docs.snowflake.com/en/sql-reference/sql/use-role

    Raises:
        SnowflakeError: 003013 when the role was not granted to the user.
    """
    # A task's session belongs to no user: it has its owner's rights alone.
    own = of_session(session) if session.user == SYSTEM else of_user(session.account, session.user)
    if role not in own:
        raise SnowflakeError(
            f"SQL access control error:\nRequested role '{shown(role)}' is not assigned to the executing "
            "user.  Specify another role to activate.",
            3013,
            "42501",
        )
    session.role = role
