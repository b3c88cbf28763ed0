"""DESCRIBE TABLE, SHOW TABLES, SHOW COLUMNS: https://docs.snowflake.com/en/sql-reference/sql/show-tables"""

from __future__ import annotations

from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import does_not_exist, unsupported
from embedded_account.names import ObjectName
from embedded_account.objects.show import read_show
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
    temporary = ("TABLE", name) in session.temporary
    where = ["temp", "main", str(name)] if temporary else list(name)
    rows = session.duck.execute(
        "SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        where,
    ).fetchall()
    if not rows:
        raise does_not_exist("Object", str(name))
    keys: list[str] = []
    if not temporary:
        record = session.account.catalog_of(name.database).get(session.duck, "TABLE", name.schema, name.name)
        keys = record.body.get("keys", {}).get("PRIMARY KEY", []) if record else []
    return rows_result(
        _DESCRIBED,
        [
            (
                n,
                sql_type(column_of(n, t)),
                "COLUMN",
                "Y" if null else "N",
                default,
                "Y" if n in keys else "N",
                "N",
                None,
                None,
                comment,
                None,
                None,
            )
            for n, t, null, default, comment in rows
        ],
        DESCRIBE,
    )


@statement("DESCRIBE", "TABLE")
@statement("DESC", "TABLE")
@statement("DESCRIBE", "VIEW")
@statement("DESC", "VIEW")
def describe_table(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.accept("TYPE", "=", "COLUMNS")
    current.cursor.end()
    return describe_columns(session, name)


_TABLES = [
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
    rows: list[tuple[object, ...]] = []
    for database in show.databases(session):
        if database == "SNOWFLAKE":
            continue
        catalog = session.account.catalog_of(database)
        records = {
            (r.schema, r.name): r for k in ("TABLE", "DYNAMIC TABLE") for r in catalog.list(session.duck, k)
        }
        found = session.duck.execute(
            "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE database_name = ? "
            "AND schema_name NOT IN ('main', '__catalog')",
            [database],
        ).fetchall()
        for schema, name, size in found:
            if show.has(schema):
                record = records.get((schema, name)) or Record("TABLE", schema, name)
                kind = "TRANSIENT" if record.body.get("transient") else "TABLE"
                rows.append(_table_row(database, record, kind, size))
    for (kind, name), temporary in session.temporary.items():
        if kind == "TABLE" and show.has(name.schema) and name.database in show.databases(session):
            record = Record(
                "TABLE", name.schema, name.name, session.role, str(temporary.body.get("comment", ""))
            )
            rows.append(_table_row(name.database, record, "TEMPORARY", 0))
    rows.sort(key=lambda row: (str(row[2]), str(row[3]), str(row[1])))
    return rows_result(_TABLES, show.cut(rows, 1))


def _table_row(database: str, record: Record, kind: str, size: int) -> tuple[object, ...]:
    dynamic = "Y" if record.kind == "DYNAMIC TABLE" else "N"
    return (
        record.created_on,
        record.name,
        database,
        record.schema,
        kind,
        record.comment,
        str(record.body.get("cluster_by", "")),
        size,
        0,
        record.owner,
        "1",
        "OFF",
        str(record.body.get("options", {}).get("CHANGE_TRACKING", "OFF")).upper().replace("TRUE", "ON"),
        "N",
        "N",
        "ROLE",
        "N",
        None,
        "N",
        "N",
        dynamic,
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
    if cursor.accept("IN", "TABLE") or cursor.accept("IN", "VIEW"):
        name = session.resolve(cursor.name())
        cursor.end()
        described = describe_columns(session, name).rows()
        rows = [
            (name.name, name.schema, r[0], r[1], r[3], r[4], "COLUMN", None, r[9], name.database, None)
            for r in described
        ]
        return rows_result(_COLUMNS, rows)
    raise unsupported("SHOW COLUMNS without IN TABLE")
