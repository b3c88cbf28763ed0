"""The name space that tables, views and dynamic tables of a schema share.

Whoever creates, renames or drops one of them asks here first, so that no statement about one kind touches another:
https://docs.snowflake.com/en/sql-reference/identifiers, …/sql/create-view (usage notes)
"""

from __future__ import annotations

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, already_exists_as, does_not_exist, wrong_kind
from embedded_account.names import ObjectName, shown
from embedded_account.session import Session
from embedded_account.statements import Statement

TABLE, VIEW, DYNAMIC_TABLE = "TABLE", "VIEW", "DYNAMIC TABLE"


def kind_of(session: Session, name: ObjectName) -> str:
    """TABLE, VIEW or DYNAMIC TABLE of that name; empty if the name is free. Temporary tables hide, not hold, it."""
    if name.database not in session.account.databases():
        return ""
    if view_exists(session, name):
        return VIEW
    if not table_exists(session, name):
        return ""
    catalog = session.account.catalog_of(name.database)
    return DYNAMIC_TABLE if catalog.get(session.duck, DYNAMIC_TABLE, name.schema, name.name) else TABLE


def claim(session: Session, current: Statement, name: ObjectName, kind: str, exists_ok: bool) -> bool:
    """Whether CREATE has nothing left to do, because the object is there and IF NOT EXISTS was said.

    Raises:
        SnowflakeError: 002003 without the schema, 002002 if the object is there and is not to be replaced, 002203 if
            another kind holds the name, whatever the statement says.
    """
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    found = kind_of(session, name)
    if found and found != kind:
        raise already_exists_as(shown(name.name), found)
    if found and not exists_ok and not current.or_replace:
        raise already_exists(str(name))
    return bool(found) and exists_ok


def require(session: Session, name: ObjectName, kind: str, if_exists: bool = False) -> bool:
    """Whether there is an object of this kind; with `if_exists` its absence is no error.

    Raises:
        SnowflakeError: 002003 if there is none, 002203 if the name belongs to another kind.
    """
    found = kind_of(session, name)
    if found and found != kind:
        raise wrong_kind(found, kind)
    if not found and not if_exists:
        raise does_not_exist(kind.capitalize() if kind != DYNAMIC_TABLE else "Dynamic Table", str(name))
    return bool(found)


def require_free(session: Session, name: ObjectName) -> None:
    """For RENAME TO: raises SnowflakeError unless the schema exists and the name is nobody's."""
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    if kind_of(session, name):
        raise already_exists(str(name))


def drop(session: Session, name: ObjectName) -> None:
    """Drop what holds the name, its record and what only it used; inside the caller's transaction."""
    kind = kind_of(session, name)
    if not kind:
        return
    catalog = session.account.catalog_of(name.database)
    record = catalog.get(session.duck, kind, name.schema, name.name)
    session.duck.execute(f"DROP {'VIEW' if kind == VIEW else 'TABLE'} {name.duck}")
    for sequence in sequences(record):
        session.duck.execute(f"DROP SEQUENCE IF EXISTS {sequence}")
    catalog.delete(session.duck, kind, name.schema, name.name)


def sequences(record: Record | None) -> list[str]:
    """Addresses of the sequences that the AUTOINCREMENT columns of a table draw from."""
    columns = record.body.get("columns", {}) if record is not None and record.kind == TABLE else {}
    return [str(column["identity"]["sequence"]) for column in columns.values() if "identity" in column]


def table_exists(session: Session, name: ObjectName) -> bool:
    """Whether there is a permanent table, or rows of a dynamic one, of this name."""
    return bool(
        session.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(name.address),
        ).fetchall()
    )


def view_exists(session: Session, name: ObjectName) -> bool:
    return bool(
        session.duck.execute(
            "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
            list(name.address),
        ).fetchall()
    )
