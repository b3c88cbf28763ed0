"""INFORMATION_SCHEMA views of a database: https://docs.snowflake.com/en/sql-reference/info-schema"""

from __future__ import annotations

import importlib.metadata

from embedded_account.duck_types import column_of, sql_type
from embedded_account.functions import virtual_table
from embedded_account.names import duck, literal
from embedded_account.result import Result, rows_result
from embedded_account.session import Session

_HIDDEN = "('main', '__catalog')"


def _objects(database: str) -> str:
    return duck(database, "__catalog", "objects")


@virtual_table("INFORMATION_SCHEMA.TABLES")
def tables(session: Session, database: str) -> str:
    return f"""
        WITH found AS (
            SELECT schema_name, table_name, 'BASE TABLE' AS kind, estimated_size AS size, 'TABLE' AS record
            FROM duckdb_tables() WHERE database_name = {literal(database)}
            UNION ALL
            SELECT schema_name, view_name, 'VIEW', NULL, 'VIEW'
            FROM duckdb_views() WHERE database_name = {literal(database)} AND NOT internal
        )
        SELECT {literal(database)} AS "TABLE_CATALOG", f.schema_name AS "TABLE_SCHEMA", f.table_name AS "TABLE_NAME",
            coalesce(o.owner, 'ACCOUNTADMIN') AS "TABLE_OWNER", f.kind AS "TABLE_TYPE", 'NO' AS "IS_TRANSIENT",
            f.size AS "ROW_COUNT", 0 AS "BYTES", 1 AS "RETENTION_TIME", o.created_on AS "CREATED",
            o.created_on AS "LAST_ALTERED", o.comment AS "COMMENT", 'NO' AS "IS_TEMPORARY",
            CASE WHEN o.kind = 'DYNAMIC TABLE' THEN 'YES' ELSE 'NO' END AS "IS_DYNAMIC"
        FROM found AS f LEFT JOIN {_objects(database)} AS o
            ON o.schema_name = f.schema_name AND o.name = f.table_name AND o.kind IN (f.record, 'DYNAMIC TABLE')
        WHERE f.schema_name NOT IN {_HIDDEN}
    """


@virtual_table("INFORMATION_SCHEMA.VIEWS")
def views(session: Session, database: str) -> str:
    return f"""
        SELECT {literal(database)} AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", name AS "TABLE_NAME",
            owner AS "TABLE_OWNER", CAST(body AS JSON) ->> '$.text' AS "VIEW_DEFINITION", 'NONE' AS "CHECK_OPTION",
            'NO' AS "IS_UPDATABLE", 'NO' AS "INSERTABLE_INTO", 'NO' AS "IS_SECURE", created_on AS "CREATED",
            created_on AS "LAST_ALTERED", comment AS "COMMENT"
        FROM {_objects(database)} WHERE kind = 'VIEW'
    """


@virtual_table("INFORMATION_SCHEMA.SCHEMATA")
def schemata(session: Session, database: str) -> str:
    return f"""
        SELECT {literal(database)} AS "CATALOG_NAME", s.schema_name AS "SCHEMA_NAME",
            coalesce(o.owner, '') AS "SCHEMA_OWNER", 'NO' AS "IS_TRANSIENT", 'NO' AS "IS_MANAGED_ACCESS",
            1 AS "RETENTION_TIME", o.created_on AS "CREATED", o.created_on AS "LAST_ALTERED", o.comment AS "COMMENT"
        FROM duckdb_schemas() AS s LEFT JOIN {_objects(database)} AS o ON o.kind = 'SCHEMA' AND o.name = s.schema_name
        WHERE s.database_name = {literal(database)} AND s.schema_name NOT IN {_HIDDEN}
    """


@virtual_table("INFORMATION_SCHEMA.DATABASES")
def databases(session: Session, database: str) -> Result:
    rows = []
    for name in session.account.databases():
        record = session.account.catalog_of(name).get(session.duck, "DATABASE", "", name)
        rows.append(
            (
                name,
                record.owner if record else "",
                record.comment if record else "",
                record.created_on if record else None,
            )
        )
    columns = [
        ("DATABASE_NAME", "text"),
        ("DATABASE_OWNER", "text"),
        ("COMMENT", "text"),
        ("CREATED", "timestamp_ltz"),
    ]
    return rows_result(columns, rows, 0x1000)


_COLUMNS = [
    ("TABLE_CATALOG", "text"),
    ("TABLE_SCHEMA", "text"),
    ("TABLE_NAME", "text"),
    ("COLUMN_NAME", "text"),
    ("ORDINAL_POSITION", "fixed"),
    ("COLUMN_DEFAULT", "text"),
    ("IS_NULLABLE", "text"),
    ("DATA_TYPE", "text"),
    ("CHARACTER_MAXIMUM_LENGTH", "fixed"),
    ("NUMERIC_PRECISION", "fixed"),
    ("NUMERIC_SCALE", "fixed"),
    ("COMMENT", "text"),
]


@virtual_table("INFORMATION_SCHEMA.COLUMNS")
def columns(session: Session, database: str) -> Result:
    found = session.duck.execute(
        "SELECT schema_name, table_name, column_name, column_index, column_default, is_nullable, data_type, comment "
        f"FROM duckdb_columns() WHERE database_name = ? AND schema_name NOT IN {_HIDDEN} AND NOT internal",
        [database],
    ).fetchall()
    rows = []
    for schema, table, name, index, default, nullable, duck_type, comment in found:
        column = column_of(name, duck_type)
        kind = sql_type(column).split("(")[0].replace("VARCHAR", "TEXT")
        rows.append(
            (
                database,
                schema,
                table,
                name,
                index,
                default,
                "YES" if nullable else "NO",
                kind,
                column.length,
                column.precision if column.type == "fixed" else None,
                column.scale if column.type == "fixed" else None,
                comment,
            )
        )
    return rows_result(_COLUMNS, rows, 0x1000)


@virtual_table("INFORMATION_SCHEMA.PACKAGES")
def packages(session: Session, database: str) -> Result:
    """The packages that procedures, functions and models can use: what is installed beside this account."""
    rows = []
    for distribution in importlib.metadata.distributions():
        name = str(distribution.metadata["Name"]).lower()
        rows.append((name, distribution.version, "python", None))
        if name == "xgboost-cpu":  # the same library, installed under its smaller distribution's name
            rows.append(("xgboost", distribution.version, "python", None))
    columns_ = [
        ("PACKAGE_NAME", "text"),
        ("VERSION", "text"),
        ("LANGUAGE", "text"),
        ("RUNTIME_VERSION", "text"),
    ]
    return rows_result(columns_, sorted(set(rows)), 0x1000)
