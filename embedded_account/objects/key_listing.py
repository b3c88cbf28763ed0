"""SHOW PRIMARY KEYS, UNIQUE KEYS, IMPORTED KEYS, EXPORTED KEYS.

https://docs.snowflake.com/en/sql-reference/sql/show-primary-keys, …/show-imported-keys
"""

from __future__ import annotations

from collections.abc import Iterator

from embedded_account.catalog import Record
from embedded_account.errors import does_not_exist
from embedded_account.names import ObjectName
from embedded_account.objects.constraints import FOREIGN_KEY, PRIMARY_KEY, UNIQUE, Constraint, of
from embedded_account.objects.relations import table_exists
from embedded_account.objects.show import read_show
from embedded_account.result import Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_KEYS = [
    ("created_on", "timestamp_ltz"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("table_name", "text"),
    ("column_name", "text"),
    ("key_sequence", "fixed"),
    ("constraint_name", "text"),
    ("rely", "text"),
    ("comment", "text"),
]
_REFERENCES = [
    ("created_on", "timestamp_ltz"),
    ("pk_database_name", "text"),
    ("pk_schema_name", "text"),
    ("pk_table_name", "text"),
    ("pk_column_name", "text"),
    ("fk_database_name", "text"),
    ("fk_schema_name", "text"),
    ("fk_table_name", "text"),
    ("fk_column_name", "text"),
    ("key_sequence", "fixed"),
    ("update_rule", "text"),
    ("delete_rule", "text"),
    ("fk_name", "text"),
    ("pk_name", "text"),
    ("deferrability", "text"),
    ("rely", "text"),
    ("comment", "text"),
]
Found = tuple[ObjectName, Record, Constraint]


@statement("SHOW", "PRIMARY", "KEYS")
@statement("SHOW", "TERSE", "PRIMARY", "KEYS")
def show_primary_keys(session: Session, current: Statement) -> Result:
    return _keys(session, current, PRIMARY_KEY)


@statement("SHOW", "UNIQUE", "KEYS")
@statement("SHOW", "TERSE", "UNIQUE", "KEYS")
def show_unique_keys(session: Session, current: Statement) -> Result:
    return _keys(session, current, UNIQUE)


@statement("SHOW", "IMPORTED", "KEYS")
def show_imported_keys(session: Session, current: Statement) -> Result:
    """The foreign keys that the tables of the scope have."""
    return _references(session, _scoped(session, current, FOREIGN_KEY))


@statement("SHOW", "EXPORTED", "KEYS")
def show_exported_keys(session: Session, current: Statement) -> Result:
    """The foreign keys that refer to the tables of the scope."""
    inside = {name for name, _, _ in _scoped(session, current, None)}
    every = [
        found
        for database in session.account.databases()
        if database != "SNOWFLAKE"
        for found in constraints(session, database)
    ]
    return _references(
        session, [one for one in every if one[2].kind == FOREIGN_KEY and other_table(one) in inside]
    )


def constraints(session: Session, database: str) -> Iterator[Found]:
    """Every constraint of a database, by table."""
    for record in session.account.catalog_of(database).list(session.duck, "TABLE"):
        for one in of(record):
            yield ObjectName(database, record.schema, record.name), record, one


def _scoped(session: Session, current: Statement, kind: str | None) -> list[Found]:
    cursor = current.cursor
    if cursor.looking_at("IN", "TABLE") or (
        cursor.looking_at("IN") and cursor.peek(1).word not in ("ACCOUNT", "DATABASE", "SCHEMA")
    ):
        cursor.accept("IN")
        cursor.accept("TABLE")
        table = session.resolve(cursor.name())
        cursor.end()
        if not session.account.has_database(table.database) or not table_exists(session, table):
            raise does_not_exist("Table", str(table))
        found = [one for one in constraints(session, table.database) if one[0] == table]
    else:
        show = read_show(session, cursor)
        databases = [name for name in show.databases(session) if name != "SNOWFLAKE"]
        found = [
            one for database in databases for one in constraints(session, database) if show.has(one[0].schema)
        ]
    return [one for one in found if kind in (None, one[2].kind)]


def _keys(session: Session, current: Statement, kind: str) -> Result:
    rows = [
        (record.created_on, *table, column, at, one.name, "false", None)
        for table, record, one in _scoped(session, current, kind)
        for at, column in enumerate(one.columns, 1)
    ]
    return rows_result(_KEYS, rows)


def _references(session: Session, found: list[Found]) -> Result:
    rows = []
    for table, record, one in found:
        target = other_table((table, record, one))
        primary = primary_key(session, target)
        referred = one.references or (primary.columns if primary else ())
        for at, (column, other) in enumerate(zip(one.columns, referred, strict=False), 1):
            name = primary.name if primary else ""
            rules = ("NO ACTION", "NO ACTION", one.name, name, "NOT DEFERRABLE", "false", None)
            rows.append((record.created_on, *target, other, *table, column, at, *rules))
    return rows_result(_REFERENCES, rows)


def other_table(found: Found) -> ObjectName:
    """The table that a foreign key refers to: in its own schema unless it says another."""
    table, _, one = found
    return ObjectName(*(*table[: 3 - len(one.table)], *one.table))


def primary_key(session: Session, table: ObjectName) -> Constraint | None:
    """The primary key of a table, where it has one."""
    if not session.account.has_database(table.database):
        return None
    record = session.account.catalog_of(table.database).get(session.duck, "TABLE", table.schema, table.name)
    return next((one for one in of(record) if one.kind == PRIMARY_KEY), None) if record else None
