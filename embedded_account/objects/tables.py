"""Tables: CREATE (also AS, LIKE, CLONE) and DROP: https://docs.snowflake.com/en/sql-reference/sql/create-table"""

from __future__ import annotations

from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects.table_definition import Definition, name_parts
from embedded_account.objects.tagging import set_tags
from embedded_account.query import expand_variables, table_exists, view_exists
from embedded_account.result import Result, status
from embedded_account.security import warehouse
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse


@statement("CREATE", "TABLE")
def create_table(session: Session, current: Statement) -> Result:
    # Snowpark's SCOPED and other modifiers, already taken, are unknown to sqlglot.
    expression = parse(expand_variables(session, "CREATE TABLE " + current.cursor.rest()))
    if not isinstance(expression, exp.Create):
        raise current.cursor.error()
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    name = session.resolve(name_parts(target))
    done = status(f"Table {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if expression.expression:
        warehouse.require(session)
    exists_ok = bool(expression.args.get("exists"))
    if (current.temporary and ("TABLE", name) in session.temporary) or (
        not current.temporary and _exists(session, name)
    ):
        if exists_ok:
            return status(f"{shown(name.name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(str(name))
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    with Translation(session) as translation:
        plan = Definition(session, translation, expression, name)
        if current.temporary:
            _create_temporary(session, name, plan)
        else:
            _create_permanent(session, current, name, plan)
    return done


def _exists(session: Session, name: ObjectName) -> bool:
    if ("TABLE", name) in session.temporary:
        address = session.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(name),
        ).fetchall()
        return bool(address)
    return table_exists(session, name) or view_exists(session, name)


def _create_temporary(session: Session, name: ObjectName, plan: Definition) -> None:
    address = duck("temp", "main", str(name))
    session.duck.execute(f"CREATE OR REPLACE TEMP TABLE {address} {plan.body}")
    session.temporary[("TABLE", name)] = TemporaryObject("TABLE", {"comment": plan.comment})


def _create_permanent(session: Session, current: Statement, name: ObjectName, plan: Definition) -> None:
    catalog = session.account.catalog_of(name.database)
    with session.changing(name.database) as connection:
        if current.or_replace:
            drop_object(session, name)
        for sequence, start, step in plan.sequences:
            connection.execute(f"CREATE OR REPLACE SEQUENCE {sequence} START {start} INCREMENT {step}")
        connection.execute(f"CREATE TABLE {name.duck} {plan.body}")
        for column, comment in plan.column_comments.items():
            connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(comment)}")
        catalog.put(
            connection,
            Record(
                "TABLE",
                name.schema,
                name.name,
                session.role,
                plan.comment,
                {"keys": plan.keys, "options": plan.options, "transient": "TRANSIENT" in current.flags},
            ),
        )
        set_tags(session, name.database, "TABLE", (name.schema, name.name), plan.tags)


def drop_object(session: Session, name: ObjectName) -> None:
    """Drop a table, view or dynamic table of this name if there is one; inside the caller's transaction."""
    catalog = session.account.catalog_of(name.database)
    connection = session.duck
    if view_exists(session, name):
        connection.execute(f"DROP VIEW {name.duck}")
        catalog.delete(connection, "VIEW", name.schema, name.name)
        return
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        list(name),
    ).fetchall()
    if found:
        connection.execute(f"DROP TABLE {name.duck}")
    for kind in ("TABLE", "DYNAMIC TABLE"):
        catalog.delete(connection, kind, name.schema, name.name)


@statement("DROP", "TABLE")
def drop_table(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    done = status(f"{shown(name.name)} successfully dropped.")
    if current.describe_only:
        return done
    if session.temporary.pop(("TABLE", name), None):
        session.duck.execute(f"DROP TABLE IF EXISTS {duck('temp', 'main', str(name))}")
        return done
    if not session.account.has_schema(name.database, name.schema) or not table_exists(session, name):
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Table", str(name))
    with session.changing(name.database):
        drop_object(session, name)
    return done
