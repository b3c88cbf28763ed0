"""Roles and users: their statements. What they allow is held by `security/`, what they are granted by `grants`.

https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from embedded_account.account import DATABASE_ROLES, SYSTEM_ROLES
from embedded_account.catalog import Record
from embedded_account.errors import (
    already_exists,
    does_not_exist,
    no_such_object,
)
from embedded_account.names import shown
from embedded_account.objects.show import read_show
from embedded_account.result import USE, Result, rows_result, status
from embedded_account.security.logins import administrator
from embedded_account.security.privileges import of_record, owns, refused
from embedded_account.security.roles import SYSTEM, activate
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def _create(session: Session, current: Statement, kind: str, label: str) -> Result:
    exists_ok = current.accept_if_not_exists()
    name = (
        ".".join(map(shown, current.cursor.name()))
        if kind == "DATABASE ROLE"
        else current.cursor.identifier()
    )
    options = current.cursor.options()
    current.cursor.end()
    done = status(f"{label} {shown(name)} successfully created.")
    if current.describe_only:
        return done
    before = session.account.get(kind, name)
    built_in = name in DATABASE_ROLES or (kind == "USER" and name in (SYSTEM, session.account.user))
    if (before is not None or built_in) and exists_ok:
        return status(f"{shown(name)} already exists, statement succeeded.")
    if built_in or (before is not None and not current.or_replace):
        raise already_exists(shown(name))
    gone = [] if before is None else _replaced(session, before)
    options.pop("PASSWORD", None)
    comment = str(options.pop("COMMENT", ""))
    session.account.write([Record(kind, "", name, session.role, comment, {"options": options})], gone)
    return done


@statement("CREATE", "ROLE")
def create_role(session: Session, current: Statement) -> Result:
    return _create(session, current, "ROLE", "Role")


@statement("CREATE", "USER")
def create_user(session: Session, current: Statement) -> Result:
    return _create(session, current, "USER", "User")


@statement("CREATE", "DATABASE", "ROLE")
def create_database_role(session: Session, current: Statement) -> Result:
    return _create(session, current, "DATABASE ROLE", "Database role")


def _replaced(session: Session, before: Record) -> list[tuple[str, str]]:
    """Who may drop a role or user may put another in its place, which begins without the grants given here."""
    if before.name in SYSTEM_ROLES or not owns(session, of_record(before)):
        raise refused(of_record(before))
    return _grants_about(session, before.kind, before.name)


def _grants_about(session: Session, kind: str, name: str) -> list[tuple[str, str]]:
    """The records of all grants to and of a role or user."""
    return [
        (record.kind, record.name)
        for record in session.account.list("GRANT")
        if (kind, name)
        in (
            (record.body["grantee_kind"], record.body["grantee"]),
            (record.body["on_kind"], record.body["on"]),
        )
    ]


def _drop(session: Session, current: Statement, kind: str) -> Result:
    if_exists = current.accept_if_exists()
    name = current.cursor.identifier()
    current.cursor.end()
    if session.account.get(kind, name) is None or name in SYSTEM_ROLES:
        if if_exists and name not in SYSTEM_ROLES:
            return status("Drop statement executed successfully.")
        raise does_not_exist(kind.title(), shown(name))
    if not current.describe_only:
        session.account.write(gone=[*_grants_about(session, kind, name), (kind, name)])
    return status(f"{shown(name)} successfully dropped.")


@statement("DROP", "ROLE")
def drop_role(session: Session, current: Statement) -> Result:
    return _drop(session, current, "ROLE")


@statement("DROP", "USER")
def drop_user(session: Session, current: Statement) -> Result:
    return _drop(session, current, "USER")


@statement("USE", "ROLE")
def use_role(session: Session, current: Statement) -> Result:
    name = current.cursor.identifier()
    current.cursor.end()
    if session.account.get("ROLE", name) is None:
        raise no_such_object()
    if not current.describe_only:
        activate(session, name)
    return status("Statement executed successfully.", USE)


@statement("USE", "SECONDARY", "ROLES")
def use_secondary_roles(session: Session, current: Statement) -> Result:
    if not (current.cursor.accept("ALL") or current.cursor.accept("NONE")):
        current.cursor.identifier()
    return status("Statement executed successfully.", USE)


@statement("SHOW", "ROLES")
def show_roles(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor, scoped=False)
    columns = [
        ("created_on", "timestamp_ltz"),
        ("name", "text"),
        ("is_default", "text"),
        ("is_current", "text"),
        ("is_inherited", "text"),
        ("assigned_to_users", "fixed"),
        ("granted_to_roles", "fixed"),
        ("granted_roles", "fixed"),
        ("owner", "text"),
        ("comment", "text"),
    ]
    grants = [r.body for r in session.account.list("GRANT") if r.body["on_kind"] == "ROLE"]
    rows = [
        (
            r.created_on,
            r.name,
            "Y" if r.name == "ACCOUNTADMIN" else "N",
            "Y" if r.name == session.role else "N",
            "N",
            sum(g["on"] == r.name and g["grantee_kind"] == "USER" for g in grants),
            sum(g["on"] == r.name and g["grantee_kind"] == "ROLE" for g in grants),
            sum(g["grantee"] == r.name for g in grants),
            r.owner,
            r.comment,
        )
        for r in session.account.list("ROLE")
    ]
    return rows_result(columns, show.cut(rows, 1))


@statement("SHOW", "USERS")
def show_users(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor, scoped=False)
    columns = [
        ("name", "text"),
        ("created_on", "timestamp_ltz"),
        ("login_name", "text"),
        ("display_name", "text"),
        ("default_warehouse", "text"),
        ("default_role", "text"),
        ("owner", "text"),
        ("comment", "text"),
    ]
    first = replace(administrator(session.account), created_on=_EPOCH)
    rows: list[tuple[object, ...]] = [
        (
            r.name,
            r.created_on,
            r.name,
            r.name,
            r.body["options"].get("DEFAULT_WAREHOUSE", ""),
            r.body["options"].get("DEFAULT_ROLE", ""),
            r.owner,
            r.comment,
        )
        for r in (first, *session.account.list("USER"))
    ]
    return rows_result(columns, show.cut(rows, 0))
