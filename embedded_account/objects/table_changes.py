"""ALTER TABLE as a whole: RENAME, SWAP, SET, UNSET, clustering. Its columns and constraints: table_columns.

https://docs.snowflake.com/en/sql-reference/sql/alter-table
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from embedded_account.catalog import Record
from embedded_account.errors import SnowflakeError, already_exists, unsupported
from embedded_account.names import ObjectName, duck, stored
from embedded_account.objects import columns, relations, table_columns, table_records
from embedded_account.objects.table_definition import check_option, cluster_key
from embedded_account.objects.tables import comment_on_column, next_value
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.result import Result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_DONE = status("Statement executed successfully.")
_UNSETTABLE = ("CHANGE_TRACKING", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS")


@statement("ALTER", "TABLE")
def alter_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    temporary = table_records.is_temporary_table(session, name)
    if not temporary and not relations.require(session, name, relations.TABLE, if_exists):
        return _DONE
    if cursor.accept("RENAME", "TO"):
        new = session.resolve(cursor.name())
        cursor.end()
        if not current.describe_only:
            _rename(session, name, new, temporary)
    elif cursor.accept("SWAP", "WITH"):
        other = session.resolve(cursor.name())
        cursor.end()
        if not current.describe_only:
            _swap(session, name, other)
    elif cursor.looking_at("SET") or cursor.looking_at("UNSET"):
        _set(session, current, name, temporary)
    elif cursor.accept("CLUSTER", "BY"):
        key = cluster_key(cursor.parenthesized_text())
        cursor.end()
        _cluster(session, current, name, key)
    elif cursor.accept("DROP", "CLUSTERING", "KEY"):
        cursor.end()
        _cluster(session, current, name, "")
    else:
        table_columns.alter(session, current, name)
    return _DONE


def _rename(session: Session, old: ObjectName, new: ObjectName, temporary: bool) -> None:
    if temporary:
        with table_records.changing(session, old, True) as connection:
            if table_records.is_temporary(session, new):
                raise already_exists(str(new))
            connection.execute(
                f"ALTER TABLE {session.table_address(old)} RENAME TO {duck(new.temporary_address[-1])}"
            )
            session.temporary[("TABLE", new)] = session.temporary.pop(("TABLE", old))
            table_records.save(session, new, table_records.load(session, new))
        return
    if old.database != new.database:
        raise unsupported("ALTER TABLE … RENAME TO another database")
    with table_records.changing(session, old, False):
        relations.require_free(session, new)
        move(session, old, new)


def move(session: Session, old: ObjectName, new: ObjectName) -> None:
    """Give a table another name, in its schema or another of its database, with all that belongs to it."""
    connection, catalog = session.duck, session.account.catalog_of(old.database)
    record = table_records.load(session, old)
    if old.schema == new.schema:
        connection.execute(f"ALTER TABLE {old.duck} RENAME TO {duck(stored(new.name))}")
    else:
        record = _move_rows(session, old, new, record)
    catalog.rename(connection, "TABLE", old[1:], new[1:])
    table_records.save(session, new, record)


def _move_rows(session: Session, old: ObjectName, new: ObjectName, record: Record) -> Record:
    """DuckDB moves no table between schemas: make it there, sequences too, and fill it."""
    connection = session.duck
    found = columns.of_table(session, old, record)
    made = [
        replace(c, identity=c.identity.in_schema(*new.parent.address)) if c.identity is not None else c
        for c in found
    ]
    for column, origin in zip(made, found, strict=True):
        column.create_sequence(connection, next_value(session, origin))
    connection.execute(f"CREATE TABLE {new.duck} ({', '.join(column.ddl for column in made)})")
    connection.execute(f"INSERT INTO {new.duck} SELECT * FROM {old.duck}")
    for column in made:
        if column.comment is not None:
            comment_on_column(session, new.duck, column.name, column.comment)
    connection.execute(f"DROP TABLE {old.duck}")
    for sequence in relations.sequences(record):
        connection.execute(f"DROP SEQUENCE {sequence}")
    return record.with_body(columns=columns.body_of(made))


def _swap(session: Session, one: ObjectName, two: ObjectName) -> None:
    if table_records.is_temporary(session, one) or table_records.is_temporary(session, two):
        raise SnowflakeError(
            "SQL compilation error:\nSwapping a temporary table is not supported.", 2, "0A000"
        )
    relations.require(session, two, relations.TABLE)
    if one.database != two.database:
        raise unsupported("ALTER TABLE … SWAP WITH a table of another database")
    if one == two:
        raise already_exists(str(two))
    middle = one.parent.object(f"__swap_{uuid.uuid4().hex}")
    with table_records.changing(session, one, False):
        move(session, one, middle)
        move(session, two, one)
        move(session, middle, two)


def _set(session: Session, current: Statement, name: ObjectName, temporary: bool) -> None:
    cursor = current.cursor
    record = table_records.load(session, name)
    kept = dict(record.body.get("options", {}))
    tags: dict[ObjectName, str | None] = {}
    if cursor.accept("UNSET"):
        if cursor.accept("TAG"):
            tags = read_unset_tags(session, cursor)
        else:
            while True:
                option = cursor.identifier()
                if option == "COMMENT":
                    record = replace(record, comment="")
                elif option in _UNSETTABLE:
                    kept.pop(option, None)
                else:
                    raise unsupported(f"ALTER TABLE … UNSET {option}")
                if not cursor.accept(","):
                    break
    else:
        cursor.expect("SET")
        if cursor.looking_at("TAG"):
            tags = read_tags(session, cursor)
        else:
            given = cursor.options()
            if not given:
                raise unsupported(f"ALTER TABLE … SET {cursor.peek().text}")
            kept.update({option: check_option(option, value) for option, value in given.items()})
            record = replace(record, comment=str(kept.pop("COMMENT", record.comment)))
    cursor.end()
    if tags and temporary:
        raise unsupported("tags of a temporary table")
    if current.describe_only:
        return
    with table_records.changing(session, name, temporary):
        table_records.save(session, name, record.with_body(options=kept))
        set_tags(session, name.database, "TABLE", (name.schema, name.name), tags)


def _cluster(session: Session, current: Statement, name: ObjectName, key: str) -> None:
    """Record the clustering key, which has no effect on rows."""
    if current.describe_only:
        return
    with table_records.changing(session, name, table_records.is_temporary(session, name)):
        table_records.save(session, name, table_records.load(session, name).with_body(cluster_by=key))
