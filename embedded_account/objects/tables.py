"""Tables: CREATE (also AS, LIKE, CLONE) and DROP: https://docs.snowflake.com/en/sql-reference/sql/create-table

A table is made whole under a name of its own and takes its place in the same transaction: whatever fails before, the
one that it replaces is still there, and its own rows may be read on the way.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, unsupported
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects import columns, constraints, load_history, relations, table_records
from embedded_account.objects.columns import TableColumn
from embedded_account.objects.table_definition import (
    Definition,
    name_parts,
    read_definition,
    select_into,
)
from embedded_account.objects.tagging import set_tags
from embedded_account.objects.temporary_views import is_temporary_view
from embedded_account.query import expand_variables, lock_table
from embedded_account.result import Result, status
from embedded_account.security import warehouse
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse


@statement("CREATE", "TABLE")
def create_table(session: Session, current: Statement) -> Result:
    if current.or_alter:
        raise unsupported("CREATE OR ALTER TABLE")
    if "HYBRID" in current.flags:
        raise unsupported("hybrid table")
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
    if _claim(session, current, name, exists_ok):
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    with Translation(session) as translation:
        found = read_definition(session, translation, expression)
        with table_records.changing(session, name, current.temporary):
            _build(session, current, name, found)
    return done


def _claim(session: Session, current: Statement, name: ObjectName, exists_ok: bool) -> bool:
    if not current.temporary:
        return relations.claim(session, current, name, relations.TABLE, exists_ok)
    # A temporary table may have the name of anything and hides it.
    session.existing_schema((name.database, name.schema))
    if is_temporary_view(session, name):
        raise already_exists(str(name))
    taken = table_records.is_temporary_table(session, name)
    if taken and not exists_ok and not current.or_replace:
        raise already_exists(str(name))
    return taken and exists_ok


def _build(session: Session, current: Statement, name: ObjectName, found: Definition) -> None:
    """Make the new table, drop the one it replaces, give it its name."""
    connection = session.duck
    schema = name.temporary_address[:2] if current.temporary else name.parent.address
    scratch = f"__new_{uuid.uuid4().hex}"
    record = Record("TABLE", name.schema, name.name, session.role, found.comment)
    if found.source is not None:
        record = _like(session, found, record)
    made = [
        replace(c, identity=c.identity.in_schema(*schema)) if c.identity is not None else c
        for c in found.columns
    ]
    _make(session, (*schema, scratch), found, made)
    tags = {column.name: column.tags for column in made if column.tags}
    record = constraints.keep(
        record.with_body(
            columns=columns.body_of(made),
            options={**record.body.get("options", {}), **found.options},
            cluster_by=found.cluster_by or record.body.get("cluster_by", ""),
            transient="TRANSIENT" in current.flags,
        ),
        found.constraints,
    )
    if current.temporary:
        if table_records.is_temporary(session, name):
            drop_temporary(session, name)
        connection.execute(
            f"ALTER TABLE {duck(*schema, scratch)} RENAME TO {duck(name.temporary_address[-1])}"
        )
        session.temporary[("TABLE", name)] = TemporaryObject("TABLE", {})
        if found.tags or tags:
            raise unsupported("tags of a temporary table")
    else:
        relations.drop(session, name)
        connection.execute(f"ALTER TABLE {duck(*schema, scratch)} RENAME TO {duck(name.address[-1])}")
    table_records.save(session, name, record)
    target = (name.schema, name.name)
    set_tags(session, name.database, "TABLE", target, found.tags)
    for column, column_tags in tags.items():
        set_tags(session, name.database, "TABLE", target, column_tags, column)


def _like(session: Session, found: Definition, record: Record) -> Record:
    """Take the columns and constraints of the table named by LIKE or CLONE, and with CLONE its other properties."""
    assert found.source is not None
    source = table_records.load(session, found.source)
    found.columns = columns.of_table(session, found.source, source)
    found.constraints = [replace(c, name="") for c in constraints.of(source)]
    found.cluster_by = found.cluster_by or str(source.body.get("cluster_by", ""))
    if not found.copies_rows:
        return record
    found.comment = found.comment or source.comment
    return replace(record, comment=found.comment).with_body(options=source.body.get("options", {}))


def _make(session: Session, at: tuple[str, ...], found: Definition, made: list[TableColumn]) -> None:
    connection, address = session.duck, duck(*at)
    if not made or not all(column.type for column in made):
        query = str(found.query)
        connection.execute(
            f"CREATE {_temporary(at)}TABLE {_local(at)} AS {select_into(found, query) if made else query}"
        )
    else:
        for column, origin in zip(made, found.columns, strict=True):
            column.create_sequence(connection, next_value(session, origin) if found.copies_rows else None)
        listed = ", ".join(column.ddl for column in made)
        connection.execute(f"CREATE {_temporary(at)}TABLE {_local(at)} ({listed})")
        if found.query is not None:
            names = ", ".join(duck(column.name) for column in made)
            connection.execute(f"INSERT INTO {address} ({names}) {select_into(found, found.query)}")
        elif found.copies_rows and found.source is not None:
            connection.execute(f"INSERT INTO {address} SELECT * FROM {session.table_address(found.source)}")
    for column in made:
        if column.comment is not None:
            comment_on_column(session, address, column.name, column.comment)


def _temporary(at: tuple[str, ...]) -> str:
    return "TEMP " if at[0] == "temp" else ""


def _local(at: tuple[str, ...]) -> str:
    return duck(at[-1]) if at[0] == "temp" else duck(*at)


def next_value(session: Session, column: TableColumn) -> int | None:
    """Where a clone's AUTOINCREMENT goes on."""
    if column.identity is None:
        return None
    for database, schema, name, start, last in session.duck.execute(
        "SELECT database_name, schema_name, sequence_name, start_value, last_value FROM duckdb_sequences()"
    ).fetchall():
        if duck(database, schema, name) == column.identity.sequence:
            return int(start) if last is None else int(last) + column.identity.step
    return None


def comment_on_column(session: Session, address: str, column: str, comment: str | None) -> None:
    session.duck.execute(f"COMMENT ON COLUMN {address}.{duck(column)} IS {literal(comment)}")


def drop_temporary(session: Session, name: ObjectName) -> None:
    record = table_records.load(session, name)
    session.duck.execute(f"DROP TABLE {session.table_address(name)}")
    for sequence in relations.sequences(record):
        session.duck.execute(f"DROP SEQUENCE IF EXISTS {sequence}")
    load_history.forget(session, name)
    del session.temporary[("TABLE", name)]


@statement("DROP", "TABLE")
def drop_table(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    temporary = table_records.is_temporary_table(session, name)
    if not temporary and not relations.require(session, name, relations.TABLE, if_exists):
        return status("Drop statement executed successfully.")
    if not current.describe_only:
        with table_records.changing(session, name, temporary):
            if temporary:
                drop_temporary(session, name)
            else:
                relations.drop(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("TRUNCATE")
def truncate(session: Session, current: Statement) -> Result:
    """All rows go, and with them what COPY remembers of the files that it loaded."""
    cursor = current.cursor
    cursor.accept("TABLE")
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    cursor.end()
    done = status("Statement executed successfully.")
    temporary = table_records.is_temporary_table(session, name)
    if not temporary and not relations.require(session, name, relations.TABLE, if_exists):
        return done
    if not current.describe_only:
        lock_table(session, name)
        with session.writing():
            session.duck.execute(f"DELETE FROM {session.table_address(name)}")
            if not temporary:
                session.account.catalog_of(name.database).changed(session.duck, name.schema, name.name)
            load_history.forget(session, name)
    return done


@statement("UNDROP")
def undrop(session: Session, current: Statement) -> Result:
    raise unsupported(f"UNDROP {current.cursor.peek().word}")
