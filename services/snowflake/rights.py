"""What an administrator grants once, so that Spokehub then does all else with the hub's role.

The one place that knows it: the README, the page of the hub and ``spokehub bootstrap --print`` show what is here.
https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.core.hub import Declaration
from services.snowflake.identifiers import literal, quote

ADMINISTRATOR = "ACCOUNTADMIN"


@dataclass(frozen=True, slots=True)
class Right:
    """Privileges that the hub's role holds on the account, or on one thing; ``grantable`` to the spokes' roles."""

    privileges: tuple[str, ...]
    why: str
    on: str = "ACCOUNT"
    grantable: bool = False

    def statement(self, role: str) -> str:
        option = " WITH GRANT OPTION" if self.grantable else ""
        return f"GRANT {', '.join(self.privileges)} ON {self.on} TO ROLE {quote(role)}{option}"


@dataclass(frozen=True, slots=True)
class Membership:
    """A database role of SNOWFLAKE that the hub's role is given: it reads some of ACCOUNT_USAGE's views.

    https://docs.snowflake.com/en/sql-reference/snowflake-db-roles
    """

    database_role: str
    why: str

    def statement(self, role: str) -> str:
        return f"GRANT DATABASE ROLE SNOWFLAKE.{self.database_role} TO ROLE {quote(role)}"


MEMBERSHIPS = (
    Membership("USAGE_VIEWER", "the hub reads what ran in the last year, and what it cost"),
    Membership("OBJECT_VIEWER", "the hub reads which task graphs ran"),
    Membership("GOVERNANCE_VIEWER", "the hub reads which statements ran"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of the administrator, and what it is for."""

    why: str
    sql: str


def rights(hub: Declaration, warehouse: str | None = None) -> tuple[Right, ...]:
    """What the hub's role needs. With ``warehouse`` it uses that one instead of making its own.

    No MANAGE GRANTS: the hub's schemas have managed access, whose owner grants on what others make in them.
    """
    found = [
        Right(("CREATE DATABASE",), _of_databases(hub)),
        Right(("CREATE ROLE",), "each spoke has an owner and a reader in each environment"),
        Right(
            ("EXECUTE TASK", "MONITOR EXECUTION"),
            "task graphs run as the role that owns them, and the hub follows their runs",
            grantable=True,
        ),
    ]
    if warehouse is None:
        found.insert(1, Right(("CREATE WAREHOUSE",), f"all work runs on {hub.warehouse.name}"))
    else:
        using = ("USAGE", "OPERATE", "MONITOR", "MODIFY")
        on = f"WAREHOUSE {quote(warehouse)}"
        found.append(Right(using, "all work runs on this warehouse", on, grantable=True))
    if hub.compute_pool is not None:
        found.append(Right(("CREATE COMPUTE POOL",), f"container jobs run on {hub.compute_pool.name}"))
    return tuple(found)


def _of_databases(hub: Declaration) -> str:
    *names, last = hub.databases
    return (
        f"the hub has databases of its own: {', '.join(names)} and {last}"
        if names
        else ("the hub has a database of its own")
    )


def bootstrap(hub: Declaration, user: str | None = None, warehouse: str | None = None) -> tuple[Step, ...]:
    """What ACCOUNTADMIN does once; ``user`` is whom Spokehub connects as."""
    role = quote(hub.role)
    steps = [
        Step("The rights below are an administrator's to give", f"USE ROLE {ADMINISTRATOR}"),
        Step(
            "The role that Spokehub works with",
            f"CREATE ROLE IF NOT EXISTS {role} COMMENT = {literal('Spokehub works with this role')}",
        ),
        Step(
            "System administrators keep what it makes in their sight",
            f"GRANT ROLE {role} TO ROLE {quote(hub.parent_role)}",
        ),
    ]
    if user is not None:
        steps.append(Step("The user whom Spokehub connects as", f"GRANT ROLE {role} TO USER {quote(user)}"))
    given: tuple[Right | Membership, ...] = (*rights(hub, warehouse), *MEMBERSHIPS)
    for right in given:
        why = right.why[0].upper() + right.why[1:]
        steps.append(Step(why, right.statement(hub.role)))
    return tuple(steps)


def as_sql(steps: Sequence[Step]) -> str:
    """The statements as a script that explains itself."""
    return "\n".join(f"-- {step.why}.\n{step.sql};" for step in steps) + "\n"
