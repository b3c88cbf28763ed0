"""INFORMATION_SCHEMA views of a database: https://docs.snowflake.com/en/sql-reference/info-schema"""

from __future__ import annotations

import importlib.metadata

from embedded_account.duck_types import column_of, sql_type
from embedded_account.functions import virtual_table
from embedded_account.names import duck, literal, real
from embedded_account.objects import constraints, key_listing
from embedded_account.objects.table_facts import Facts, all_facts
from embedded_account.result import Result, rows_result
from embedded_account.session import Session

_HIDDEN = "('main', '__catalog')"


def _objects(database: str) -> str:
    return duck(database, "__catalog", "objects")


_TABLES = [
    ("TABLE_CATALOG", "text"),
    ("TABLE_SCHEMA", "text"),
    ("TABLE_NAME", "text"),
    ("TABLE_OWNER", "text"),
    ("TABLE_TYPE", "text"),
    ("IS_TRANSIENT", "text"),
    ("CLUSTERING_KEY", "text"),
    ("ROW_COUNT", "fixed"),
    ("BYTES", "fixed"),
    ("RETENTION_TIME", "fixed"),
    ("IS_INSERTABLE_INTO", "text"),
    ("IS_TYPED", "text"),
    ("CREATED", "timestamp_ltz"),
    ("LAST_ALTERED", "timestamp_ltz"),
    ("LAST_DDL", "timestamp_ltz"),
    ("LAST_DDL_BY", "text"),
    ("AUTO_CLUSTERING_ON", "text"),
    ("COMMENT", "text"),
    ("IS_TEMPORARY", "text"),
    ("IS_ICEBERG", "text"),
    ("IS_DYNAMIC", "text"),
    ("IS_IMMUTABLE", "text"),
    ("IS_HYBRID", "text"),
]


@virtual_table("INFORMATION_SCHEMA.TABLES")
def tables(session: Session, database: str) -> Result:
    rows = [_table(facts) for facts in all_facts(session, database, lambda _: True, views=True)]
    return rows_result(_TABLES, rows, 0x1000)


def _table(facts: Facts) -> tuple[object, ...]:
    record, view = facts.record, facts.record.kind == "VIEW"
    kind = "VIEW" if view else "LOCAL TEMPORARY" if facts.temporary else "BASE TABLE"
    return (
        *facts.name,
        record.owner,
        kind,
        _yes(record.body.get("transient")),
        record.body.get("cluster_by") or None,
        facts.rows,
        None if view else 0,
        None if view else facts.retention,
        "YES",
        "YES",
        facts.created,
        facts.last_altered,
        facts.last_ddl,
        record.owner,
        _yes(record.body.get("cluster_by")),
        record.comment or None,
        _yes(facts.temporary),
        "NO",
        _yes(record.kind == "DYNAMIC TABLE"),
        "NO",
        "NO",
    )


def _yes(value: object) -> str:
    return "YES" if value else "NO"


@virtual_table("INFORMATION_SCHEMA.VIEWS")
def views(session: Session, database: str) -> str:
    return f"""
        SELECT {literal(database)} AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", name AS "TABLE_NAME",
            owner AS "TABLE_OWNER", CAST(body AS JSON) ->> '$.text' AS "VIEW_DEFINITION", 'NONE' AS "CHECK_OPTION",
            'NO' AS "IS_UPDATABLE", 'NO' AS "INSERTABLE_INTO",
            CASE WHEN CAST(body AS JSON) ->> '$.secure' = 'true' THEN 'YES' ELSE 'NO' END AS "IS_SECURE",
            created_on AS "CREATED",
            coalesce(CAST(CAST(body AS JSON) ->> '$.last_ddl' AS TIMESTAMPTZ), created_on) AS "LAST_ALTERED",
            coalesce(CAST(CAST(body AS JSON) ->> '$.last_ddl' AS TIMESTAMPTZ), created_on) AS "LAST_DDL",
            comment AS "COMMENT"
        FROM {_objects(database)} WHERE kind = 'VIEW'
    """


@virtual_table("INFORMATION_SCHEMA.SCHEMATA")
def schemata(session: Session, database: str) -> Result:
    records = {r.name: r for r in session.account.catalog_of(database).list(session.duck, "SCHEMA", "")}
    rows = [
        (
            database,
            name,
            record.owner if record else "",
            _yes(record and record.body.get("transient")),
            _yes(record and record.body.get("managed")),
            1,
            record.created_on if record else None,
            record.created_on if record else None,
            record.comment if record else None,
        )
        for name in session.account.schemas(database)
        for record in [records.get(name)]
    ]
    columns = [
        ("CATALOG_NAME", "text"),
        ("SCHEMA_NAME", "text"),
        ("SCHEMA_OWNER", "text"),
        ("IS_TRANSIENT", "text"),
        ("IS_MANAGED_ACCESS", "text"),
        ("RETENTION_TIME", "fixed"),
        ("CREATED", "timestamp_ltz"),
        ("LAST_ALTERED", "timestamp_ltz"),
        ("COMMENT", "text"),
    ]
    return rows_result(columns, rows, 0x1000)


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
    ("CHARACTER_OCTET_LENGTH", "fixed"),
    ("NUMERIC_PRECISION", "fixed"),
    ("NUMERIC_PRECISION_RADIX", "fixed"),
    ("NUMERIC_SCALE", "fixed"),
    ("DATETIME_PRECISION", "fixed"),
    ("IS_IDENTITY", "text"),
    ("IDENTITY_GENERATION", "text"),
    ("IDENTITY_START", "text"),
    ("IDENTITY_INCREMENT", "text"),
    ("IDENTITY_CYCLE", "text"),
    ("IDENTITY_ORDERED", "text"),
    ("DATA_TYPE_ALIAS", "text"),
    ("COMMENT", "text"),
]


@virtual_table("INFORMATION_SCHEMA.COLUMNS")
def columns(session: Session, database: str) -> Result:
    found = session.duck.execute(
        "SELECT schema_name, table_name, column_name, column_index, column_default, is_nullable, data_type, comment "
        f"FROM duckdb_columns() WHERE database_name = ? AND schema_name NOT IN {_HIDDEN} AND NOT internal",
        [database],
    ).fetchall()
    records = session.account.catalog_of(database).list(session.duck, "TABLE")
    kept = {
        (r.schema, r.name, column): more
        for r in records
        for column, more in r.body.get("columns", {}).items()
    }
    rows = []
    for held_schema, held_table, name, index, default, nullable, duck_type, comment in found:
        schema, table = real(held_schema), real(held_table)
        more = kept.get((schema, table, name), {})
        identity = more.get("identity")
        column = column_of(name, duck_type)
        number, kind = column.type == "fixed", sql_type(column).split("(")[0].replace("VARCHAR", "TEXT")
        rows.append(
            (
                database,
                schema,
                table,
                name,
                index,
                None if identity else more.get("default", default),
                "YES" if nullable else "NO",
                kind,
                column.length,
                column.length,
                column.precision if number else None,
                10 if number else None,
                column.scale if number else None,
                column.scale if column.type.startswith("time") else None,
                _yes(identity),
                "BY DEFAULT" if identity else None,
                str(identity["start"]) if identity else None,
                str(identity["step"]) if identity else None,
                "NO" if identity else None,
                _yes(identity.get("ordered")) if identity else None,
                kind,
                comment,
            )
        )
    return rows_result(_COLUMNS, rows, 0x1000)


@virtual_table("INFORMATION_SCHEMA.TABLE_CONSTRAINTS")
def table_constraints(session: Session, database: str) -> Result:
    rows = [
        (
            database,
            record.schema,
            constraint.name,
            database,
            record.schema,
            record.name,
            constraint.kind,
            "NO",
            "NO",
            "NO",
            record.created_on,
        )
        for record in session.account.catalog_of(database).list(session.duck, "TABLE")
        for constraint in constraints.of(record)
    ]
    names = "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME "
    names += "CONSTRAINT_TYPE IS_DEFERRABLE INITIALLY_DEFERRED ENFORCED"
    return rows_result(
        [*((name, "text") for name in names.split()), ("CREATED", "timestamp_ltz")], rows, 0x1000
    )


@virtual_table("INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS")
def referential_constraints(session: Session, database: str) -> Result:
    """https://docs.snowflake.com/en/sql-reference/info-schema/referential_constraints"""
    rows = []
    for found in key_listing.constraints(session, database):
        table, _, one = found
        if one.kind == constraints.FOREIGN_KEY:
            target = key_listing.other_table(found)
            primary = key_listing.primary_key(session, target)
            key = (target.database, target.schema, primary.name if primary else None)
            rows.append(
                (table.database, table.schema, one.name, *key, "FULL", "NO ACTION", "NO ACTION", None)
            )
    names = "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME UNIQUE_CONSTRAINT_CATALOG "
    names += "UNIQUE_CONSTRAINT_SCHEMA UNIQUE_CONSTRAINT_NAME MATCH_OPTION UPDATE_RULE DELETE_RULE COMMENT"
    return rows_result([(name, "text") for name in names.split()], rows, 0x1000)


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
