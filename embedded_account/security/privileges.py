"""Privileges: what a role holds on an object, and who may give it away.

https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from embedded_account.account import Account
from embedded_account.catalog import Record
from embedded_account.errors import SnowflakeError
from embedded_account.names import ObjectName, SchemaName, shown
from embedded_account.security.roles import ADMINISTRATOR, of_session
from embedded_account.session import Session

# What the roles that every account has hold on it from the beginning.
# https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles
_BUILT_IN = {
    "SYSADMIN": frozenset({"CREATE DATABASE", "CREATE WAREHOUSE", "CREATE COMPUTE POOL"}),
    "USERADMIN": frozenset({"CREATE ROLE", "CREATE USER"}),
    "SECURITYADMIN": frozenset({"MANAGE GRANTS"}),
}


@dataclass(frozen=True)
class Securable:
    """What privileges are held on. `name` is spelled as in GRANT, `record` as in the catalog."""

    kind: str
    name: str
    record: str
    owner: str = ""
    created_on: datetime | None = None
    schema: SchemaName | None = None

    @property
    def place(self) -> str:
        """As an error tells of it."""
        if self.kind == "ACCOUNT":
            return "account 'EMBEDDED'"
        return f"{self.kind.lower()} '{self.record}'"


ACCOUNT = Securable("ACCOUNT", "EMBEDDED", "EMBEDDED")


def of_record(record: Record, database: str = "") -> Securable:
    """A record of the account's file, or of a database's."""
    kind, name = record.kind, record.name
    if not database or kind == "DATABASE":
        return Securable(kind, shown(name), name, record.owner, record.created_on)
    if kind == "SCHEMA":
        return Securable(kind, str(SchemaName(database, name)), name, record.owner, record.created_on)
    schema = SchemaName(database, record.schema)
    spelled = name if kind in ("FUNCTION", "PROCEDURE") else shown(name)
    return Securable(kind, f"{schema}.{spelled}", name, record.owner, record.created_on, schema)


def schema_of(session: Session, name: SchemaName) -> Securable | None:
    """The schema as a securable; None when there is none of the name."""
    if not session.account.has_schema(name.database, name.schema) or name.database == "SNOWFLAKE":
        return None
    record = session.account.catalog_of(name.database).get(session.duck, "SCHEMA", "", name.schema)
    return None if record is None else of_record(record, name.database)


def of_account(session: Session, kind: str, name: str) -> Securable | None:
    """A database, warehouse, compute pool, role or user; None when there is none of the name."""
    if kind == "DATABASE":
        if name not in session.account.databases():
            return None
        record = session.account.catalog_of(name).get(session.duck, "DATABASE", "", name)
    else:
        record = session.account.get(kind, name)
    return None if record is None else of_record(record)


def object_of(session: Session, name: ObjectName, *kinds: str) -> Securable | None:
    """The first of these kinds that has a record of this name."""
    if name.database not in session.account.databases():
        return None
    catalog = session.account.catalog_of(name.database)
    for kind in kinds:
        record = catalog.get(session.duck, kind, name.schema, name.name)
        if record is not None:
            return of_record(record, name.database)
    return None


def owns(session: Session, on: Securable) -> bool:
    """Whether the active role, or one that it inherits, is the owner. ACCOUNTADMIN stands above all."""
    roles = of_session(session)
    return ADMINISTRATOR in roles or on.owner in roles


def holds(session: Session, privilege: str, on: Securable, *, to_grant: bool = False) -> bool:
    """Whether the active role holds a privilege; with `to_grant`, may give it to others.

    A grant is of the object that existed then: one made again under the name begins without. Grants on future
    objects hold for what was made after them.
    """
    account, roles = session.account, of_session(session)
    if ADMINISTRATOR in roles or (on.owner in roles and on.kind != "ACCOUNT"):
        return True
    if on.kind == "ACCOUNT" and not to_grant and any(privilege in _BUILT_IN.get(r, ()) for r in roles):
        return True
    return any(_gives(account, role, privilege, on, to_grant) for role in roles)


def _gives(account: Account, role: str, privilege: str, on: Securable, to_grant: bool) -> bool:
    for grant in account.grants.of("ROLE", role):
        body = grant.body
        if to_grant and not body["option"]:
            continue
        if body["privilege"] not in (privilege, "ALL", "ALL PRIVILEGES"):
            continue
        if on.created_on is not None and grant.created_on < on.created_on and body["on"] == on.name:
            continue
        if (body["on_kind"], body["on"]) == (on.kind, on.name) or _is_future(grant, on):
            return True
    return False


def _is_future(grant: Record, on: Securable) -> bool:
    words = str(grant.body["on_kind"]).split(" ")
    if on.schema is None or words[0] != "FUTURE" or singular(" ".join(words[1:-2])) != on.kind:
        return False
    within = str(on.schema) if words[-1] == "SCHEMA" else shown(on.schema.database)
    return grant.body["on"] == within and on.created_on is not None and grant.created_on <= on.created_on


def singular(kinds: str) -> str:
    """TABLES → TABLE, as in GRANT … ON ALL TABLES."""
    return kinds.removesuffix("S")


def manages_grants(session: Session) -> bool:
    """Whether the active role may grant as if it owned everything."""
    return holds(session, "MANAGE GRANTS", ACCOUNT)


def refused(on: Securable, needed: str = "") -> SnowflakeError:
    """003001, as Snowflake words it."""
    return SnowflakeError(
        f"SQL access control error:\nInsufficient privileges to operate on {on.place}."
        + (f"\n{needed}" if needed else ""),
        3001,
        "42501",
    )


def demand(session: Session, privilege: str, on: Securable) -> None:
    """Raises 003001 unless the active role holds the privilege."""
    if not holds(session, privilege, on):
        where = "ACCOUNT" if on.kind == "ACCOUNT" else f"{on.kind} {on.name}"
        raise refused(on, f"Your primary role {session.role} must have {privilege} granted on {where}.")
