"""Who may grant what.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege, …/user-guide/security-access-control-configure
(managed access schemas)
"""

from __future__ import annotations

from dataclasses import replace

from embedded_account.catalog import Record
from embedded_account.errors import does_not_exist, unsupported
from embedded_account.names import ObjectName, SchemaName
from embedded_account.parse.cursor import Cursor
from embedded_account.security import privileges, snowflake_database
from embedded_account.security.privileges import Securable
from embedded_account.session import Session

# What has a record in its schema.
_RECORDED = (
    "TABLE", "VIEW", "DYNAMIC TABLE", "STAGE", "FILE FORMAT", "TAG", "MODEL", "DATASET", "TASK",
)  # fmt: skip
_IN_ACCOUNT = ("ROLE", "USER", "WAREHOUSE", "COMPUTE POOL", "DATABASE ROLE")


def securable(session: Session, kind: str, name: str) -> Securable | None:
    """What a grant speaks of; None for kinds that this account keeps no record of.

    Raises:
        SnowflakeError: 002003 when there is none of this name.
    """
    if kind == "ACCOUNT":
        return privileges.ACCOUNT
    parts = Cursor(name).name()
    account = session.account
    record: Record | None
    if kind in _IN_ACCOUNT:
        record, database = account.get(kind, name if kind == "DATABASE ROLE" else parts[0]), ""
    elif (kind, name) == ("DATABASE", snowflake_database.DATABASE):
        return Securable(kind, name, name)
    elif kind == "DATABASE":
        database = parts[0]
        known = database in account.databases()
        record = account.catalog_of(database).get(session.duck, kind, "", database) if known else None
    elif kind == "SCHEMA":
        found = privileges.schema_of(session, session.resolve_schema(parts))
        if found is None:
            raise does_not_exist("Schema", name)
        return found
    elif kind in ("FUNCTION", "PROCEDURE"):
        return _routine(session, kind, name)
    elif kind in _RECORDED:
        name_of = session.resolve(parts)
        return _there(privileges.object_of(session, name_of, *_kinds(kind)), kind, str(name_of))
    else:
        return None
    if record is None:
        raise does_not_exist(kind.capitalize(), name)
    return privileges.of_record(record, database)


def _routine(session: Session, kind: str, name: str) -> Securable | None:
    """Routines are known by their signature."""
    cursor = Cursor(name)
    place = session.resolve(cursor.name())
    signature = f"{place.name}({cursor.parenthesized_text()})" if cursor.looking_at("(") else place.name
    return _there(privileges.object_of(session, place.parent.object(signature), kind), kind, str(place))


def _there(found: Securable | None, kind: str, name: str) -> Securable:
    if found is None:
        raise does_not_exist(kind.capitalize(), name)
    return found


def _kinds(kind: str) -> tuple[str, ...]:
    """Records that a kind may have: tables and views share a name space."""
    return ("TABLE", "DYNAMIC TABLE", "VIEW") if kind in ("TABLE", "VIEW") else (kind,)


def check(session: Session, privilege: str, kind: str, name: str) -> None:
    """Raises 003001 unless the active role may grant, or revoke, this privilege."""
    words = kind.split(" ")
    if words[0] in ("ALL", "FUTURE"):
        _check_many(session, words[0], " ".join(words[1:-2]), words[-1], name)
        return
    on = securable(session, kind, name)
    if on is None:
        return
    if kind == "ACCOUNT":
        allowed = privileges.holds(session, privilege, on, to_grant=True)
    elif _is_managed(session, on.schema):
        allowed = _owns_schema(session, on.schema) or privileges.manages_grants(session)
    else:
        allowed = (
            privileges.owns(session, on)
            or privileges.holds(session, privilege, on, to_grant=True)
            or privileges.manages_grants(session)
        )
    if not allowed:
        raise privileges.refused(on)


def _check_many(session: Session, which: str, kinds: str, scope: str, name: str) -> None:
    """Grants on what is, or will be, in a schema or database."""
    if kinds == "TAGS":
        raise unsupported(f"grants on {which} TAGS")
    on = securable(session, scope, name)
    assert on is not None
    if privileges.manages_grants(session):
        return
    schema = session.resolve_schema(Cursor(name).name()) if scope == "SCHEMA" else None
    if schema is not None and _is_managed(session, schema):
        if privileges.owns(session, on):
            return
    elif which == "ALL":
        found = objects_in(session, kinds, scope, name)
        if all(privileges.owns(session, one) for one in found):
            return
    raise privileges.refused(on)


def objects_in(session: Session, kinds: str, scope: str, name: str) -> list[Securable]:
    """The objects that ALL <kinds> IN SCHEMA or DATABASE means."""
    kind, parts = privileges.singular(kinds), Cursor(name).name()
    database = parts[0] if len(parts) == 2 or scope == "DATABASE" else session.current_database()
    catalog = session.account.catalog_of(database)
    if kind == "SCHEMA":
        records = catalog.list(session.duck, kind, "")
    else:
        records = catalog.list(session.duck, kind, parts[-1] if scope == "SCHEMA" else None)
    return [privileges.of_record(record, database) for record in records]


def _is_managed(session: Session, schema: SchemaName | None) -> bool:
    if schema is None:
        return False
    record = session.account.catalog_of(schema.database).get(session.duck, "SCHEMA", "", schema.schema)
    return record is not None and bool(record.body.get("managed"))


def _owns_schema(session: Session, schema: SchemaName | None) -> bool:
    found = privileges.schema_of(session, schema) if schema is not None else None
    return found is not None and privileges.owns(session, found)


def transfer(session: Session, on: Securable, role: str) -> None:
    """Make `role` the owner: https://docs.snowflake.com/en/sql-reference/sql/grant-ownership"""
    account = session.account
    if on.kind in _IN_ACCOUNT:
        record = account.get(on.kind, on.record)
        assert record is not None
        account.put(replace(record, owner=role))
        return
    database = on.schema.database if on.schema else Cursor(on.name).name()[0]
    schema = on.schema.schema if on.schema else ""
    with session.changing(database) as connection:
        catalog = account.catalog_of(database)
        found = catalog.get(connection, on.kind, schema, on.record)
        if found is None:
            raise does_not_exist(on.kind.capitalize(), on.name)
        catalog.put(connection, replace(found, owner=role))


def check_tag(session: Session, tag: ObjectName, on: Securable | None) -> None:
    """Setting a tag takes APPLY on the tag and ownership of the object, or APPLY TAG on the account.

    https://docs.snowflake.com/en/user-guide/object-tagging/work#access-control-privileges
    """
    if privileges.holds(session, "APPLY TAG", privileges.ACCOUNT):
        return
    found = privileges.object_of(session, tag, "TAG")
    if found is not None and not privileges.holds(session, "APPLY", found):
        raise privileges.refused(found)
    if on is not None and not privileges.owns(session, on):
        raise privileges.refused(on)
