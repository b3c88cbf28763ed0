"""What a login gives a session: the role that it asks for or the user's own, and the user's warehouse.

https://docs.snowflake.com/en/sql-reference/sql/create-user
"""

from __future__ import annotations

from datetime import UTC, datetime

from embedded_account.account import Account
from embedded_account.catalog import Record
from embedded_account.errors import SnowflakeError
from embedded_account.names import shown
from embedded_account.security.roles import ADMINISTRATOR, of_user
from embedded_account.session import Session


def administrator(account: Account) -> Record:
    """The user whom the account begins with."""
    options = {"DEFAULT_ROLE": ADMINISTRATOR}
    if account.default_warehouse:
        options["DEFAULT_WAREHOUSE"] = account.default_warehouse
    return Record("USER", "", account.user, body={"options": options})


def open_session(account: Account, user: str, role: str | None) -> Session:
    """A session of `user`; passwords are not checked.

    Raises:
        SnowflakeError: 390100 for a user that nobody made, 390189 for a role that the user was not given.
    """
    record = administrator(account) if user == account.user else account.get("USER", user)
    if record is None:
        raise SnowflakeError("Incorrect username or password was specified.", 390100, "08001")
    options = record.body["options"]
    chosen = role or str(options.get("DEFAULT_ROLE", "PUBLIC"))
    if account.get("ROLE", chosen) is None:
        raise _no_role(chosen, "does not exist or not authorized")
    if chosen not in of_user(account, user):
        raise _no_role(chosen, "is not granted to this user")
    session = Session(account, chosen)
    session.user = user
    default = options.get("DEFAULT_WAREHOUSE")
    if default is not None and account.get("WAREHOUSE", str(default)) is not None:
        session.warehouse = str(default)
    return session


def _no_role(role: str, why: str) -> SnowflakeError:
    return SnowflakeError(
        f"Role '{shown(role)}' specified in the connect string {why}. Contact your local system administrator, "
        "or attempt to login with another role, e.g. PUBLIC.",
        390189,
        "08001",
    )


def give_default_warehouse(account: Account, name: str) -> None:
    """What a trial account has: a warehouse, and an administrator whose sessions begin on it."""
    if account.get("WAREHOUSE", name) is None:
        body = {"options": {}, "state": "SUSPENDED", "resumed_on": datetime.now(UTC).isoformat()}
        account.put(Record("WAREHOUSE", "", name, body=body))
    account.default_warehouse = name
