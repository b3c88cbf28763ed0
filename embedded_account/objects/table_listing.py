"""DESCRIBE TABLE, SHOW TABLES, SHOW COLUMNS: https://docs.snowflake.com/en/sql-reference/sql/show-tables"""

from __future__ import annotations

from typing import Any

from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import does_not_exist, unsupported
from embedded_account.names import ObjectName
from embedded_account.objects import columns, constraints, relations, table_records
from embedded_account.objects.show import Show, read_show
from embedded_account.objects.table_facts import Facts, all_facts
from embedded_account.result import DESCRIBE, Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_DESCRIBED = [
    ("name", "text"),
    ("type", "text"),
    ("kind", "text"),
    ("null?", "text"),
    ("default", "text"),
    ("primary key", "text"),
    ("unique key", "text"),
    ("check", "text"),
    ("expression", "text"),
    ("comment", "text"),
    ("policy name", "text"),
    ("privacy domain", "text"),
]


def describe_columns(session: Session, name: ObjectName) -> Result:
    """The answer of DESCRIBE TABLE, VIEW and DYNAMIC TABLE."""
    if ("TABLE", name) not in session.temporary and not relations.kind_of(session, name):
        raise does_not_exist("Object", str(name))
    record = _record(session, name)
    keyed = {
        kind: {column for found in constraints.of(record) if found.kind == kind for column in found.columns}
        for kind in (constraints.PRIMARY_KEY, constraints.UNIQUE)
    }
    return rows_result(
        _DESCRIBED,
        [
            (
                column.name,
                sql_type(column_of(column.name, column.type)),
                "COLUMN",
                "N" if column.not_null else "Y",
                str(column.identity) if column.identity is not None else column.default_text,
                "Y" if column.name in keyed[constraints.PRIMARY_KEY] else "N",
                "Y" if column.name in keyed[constraints.UNIQUE] else "N",
                None,
                None,
                column.comment,
                None,
                None,
            )
            for column in columns.of_table(session, name, record)
        ],
        DESCRIBE,
    )


def _record(session: Session, name: ObjectName) -> Record:
    """The record of a table; a view's and a dynamic table's say nothing of columns and constraints."""
    if table_records.is_temporary(session, name) or relations.kind_of(session, name) == relations.TABLE:
        return table_records.load(session, name)
    return Record("TABLE", name.schema, name.name)


@statement("DESCRIBE", "TABLE")
@statement("DESC", "TABLE")
@statement("DESCRIBE", "VIEW")
@statement("DESC", "VIEW")
def describe_table(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.accept("TYPE", "=", "COLUMNS")
    current.cursor.end()
    return describe_columns(session, name)


TABLES = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("kind", "text"),
    ("comment", "text"),
    ("cluster_by", "text"),
    ("rows", "fixed"),
    ("bytes", "fixed"),
    ("owner", "text"),
    ("retention_time", "text"),
    ("automatic_clustering", "text"),
    ("change_tracking", "text"),
    ("is_external", "text"),
    ("enable_schema_evolution", "text"),
    ("owner_role_type", "text"),
    ("is_event", "text"),
    ("budget", "text"),
    ("is_hybrid", "text"),
    ("is_iceberg", "text"),
    ("is_dynamic", "text"),
    ("is_immutable", "text"),
]


@statement("SHOW", "TABLES")
@statement("SHOW", "TERSE", "TABLES")
def show_tables(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    return rows_result(TABLES, show.cut(table_rows(session, show), 1))


def table_rows(session: Session, show: Show) -> list[tuple[object, ...]]:
    """The rows of SHOW TABLES in a scope, by name."""
    return [
        _table_row(facts)
        for database in show.databases(session)
        if database != "SNOWFLAKE"
        for facts in all_facts(
            session, database, lambda name: show.has(name.schema) and show.matches(name.name)
        )
    ]


def _table_row(facts: Facts) -> tuple[object, ...]:
    record = facts.record
    transient = "TRANSIENT" if record.body.get("transient") else "TABLE"
    return (
        facts.created,
        facts.name.name,
        facts.name.database,
        facts.name.schema,
        "TEMPORARY" if facts.temporary else transient,
        record.comment,
        str(record.body.get("cluster_by", "")),
        facts.rows,
        0,
        record.owner,
        str(facts.retention),
        "ON" if record.body.get("cluster_by") else "OFF",
        "ON" if facts.change_tracking else "OFF",
        "N",
        "N",
        "ROLE",
        "N",
        None,
        "N",
        "N",
        "Y" if record.kind == relations.DYNAMIC_TABLE else "N",
        "N",
    )


_COLUMNS = [
    ("table_name", "text"),
    ("schema_name", "text"),
    ("column_name", "text"),
    ("data_type", "text"),
    ("null?", "text"),
    ("default", "text"),
    ("kind", "text"),
    ("expression", "text"),
    ("comment", "text"),
    ("database_name", "text"),
    ("autoincrement", "text"),
]


@statement("SHOW", "COLUMNS")
def show_columns(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if not (cursor.accept("IN", "TABLE") or cursor.accept("IN", "VIEW")):
        raise unsupported("SHOW COLUMNS without IN TABLE")
    name = session.resolve(cursor.name())
    cursor.end()
    identities = {c.name: c.identity for c in columns.of_table(session, name, _record(session, name))}
    rows = [
        (
            name.name,
            name.schema,
            column,
            kind,
            null,
            None if identities[column] else default,
            "COLUMN",
            None,
            comment,
            name.database,
            str(identities[column]) if identities[column] else None,
        )
        for column, kind, _, null, default, _, _, _, _, comment, *_ in _described(session, name)
    ]
    return rows_result(_COLUMNS, rows)


def _described(session: Session, name: ObjectName) -> list[tuple[Any, ...]]:
    return describe_columns(session, name).rows()
