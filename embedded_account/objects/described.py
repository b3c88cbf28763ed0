"""DESCRIBE DATABASE, SCHEMA and WAREHOUSE: what is inside, in three columns.

https://docs.snowflake.com/en/sql-reference/sql/desc-database, …/desc-schema, …/desc-warehouse
"""

from __future__ import annotations

from embedded_account.errors import does_not_exist
from embedded_account.names import shown
from embedded_account.objects.warehouses import WAREHOUSE
from embedded_account.result import DESCRIBE, Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, execute, statement

_COLUMNS = [("created_on", "timestamp_ltz"), ("name", "text"), ("kind", "text")]


@statement("DESCRIBE", "DATABASE")
@statement("DESC", "DATABASE")
def describe_database(session: Session, current: Statement) -> Result:
    name = current.cursor.identifier()
    current.cursor.end()
    session.account.catalog_of(name)
    shown_ = execute(session, f"SHOW SCHEMAS IN DATABASE {shown(name)}").rows()
    return rows_result(_COLUMNS, [(row[0], row[1], "SCHEMA") for row in shown_], DESCRIBE)


@statement("DESCRIBE", "SCHEMA")
@statement("DESC", "SCHEMA")
def describe_schema(session: Session, current: Statement) -> Result:
    found = session.existing_schema(current.cursor.name())
    current.cursor.end()
    name = f"{shown(found.database)}.{shown(found.schema)}"
    rows = execute(session, f"SHOW TERSE OBJECTS IN SCHEMA {name}").rows()
    return rows_result(_COLUMNS, [(row[0], row[1], row[2]) for row in rows], DESCRIBE)


@statement("DESCRIBE", "WAREHOUSE")
@statement("DESC", "WAREHOUSE")
def describe_warehouse(session: Session, current: Statement) -> Result:
    name = current.cursor.identifier()
    current.cursor.end()
    record = session.account.get(WAREHOUSE, name)
    if record is None:
        raise does_not_exist("Warehouse", shown(name))
    return rows_result(_COLUMNS, [(record.created_on, name, "WAREHOUSE")], DESCRIBE)
