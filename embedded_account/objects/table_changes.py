"""ALTER TABLE: https://docs.snowflake.com/en/sql-reference/sql/alter-table"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName, duck
from embedded_account.objects.table_definition import type_sql, upper
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.query import table_exists, view_exists
from embedded_account.result import Result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import parse


@statement("ALTER", "TABLE")
def alter_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    done = status("Statement executed successfully.")
    if current.describe_only:
        return done
    temporary = ("TABLE", name) in session.temporary
    if not temporary and not (
        session.account.has_schema(name.database, name.schema) and table_exists(session, name)
    ):
        if if_exists:
            return done
        raise does_not_exist("Table", str(name))
    if cursor.accept("RENAME", "TO"):
        _rename(session, name, session.resolve(cursor.name()), temporary)
    elif cursor.accept("SWAP", "WITH"):
        _swap(session, name, session.resolve(cursor.name()))
    elif cursor.looking_at("SET") or cursor.looking_at("UNSET"):
        _set(session, current, name)
    elif cursor.accept("CLUSTER", "BY"):
        _cluster(session, name, f"LINEAR({cursor.parenthesized_text().strip()})")
    elif cursor.accept("DROP", "CLUSTERING", "KEY"):
        _cluster(session, name, "")
    else:
        _alter_columns(session, current, name)
    return done


def _rename(session: Session, old: ObjectName, new: ObjectName, temporary: bool) -> None:
    if temporary:
        session.duck.execute(f"ALTER TABLE {session.table_address(old)} RENAME TO {duck(str(new))}")
        session.temporary[("TABLE", new)] = session.temporary.pop(("TABLE", old))
        return
    if table_exists(session, new) or view_exists(session, new):
        raise already_exists(str(new))
    if old.database != new.database:
        raise unsupported("ALTER TABLE … RENAME TO another database")
    with session.changing(old.database) as connection:
        if old.schema == new.schema:
            connection.execute(f"ALTER TABLE {old.duck} RENAME TO {duck(new.name)}")
        else:
            connection.execute(f"CREATE TABLE {new.duck} AS SELECT * FROM {old.duck}")
            connection.execute(f"DROP TABLE {old.duck}")
        session.account.catalog_of(old.database).rename(connection, "TABLE", old[1:], new[1:])


def _swap(session: Session, one: ObjectName, two: ObjectName) -> None:
    if one.parent != two.parent:
        raise unsupported("ALTER TABLE … SWAP WITH a table of another schema")
    middle = f"__swap_{one.name}"
    with session.changing(one.database) as connection:
        connection.execute(f"ALTER TABLE {one.duck} RENAME TO {duck(middle)}")
        connection.execute(f"ALTER TABLE {two.duck} RENAME TO {duck(one.name)}")
        connection.execute(f"ALTER TABLE {duck(one.database, one.schema, middle)} RENAME TO {duck(two.name)}")


def _set(session: Session, current: Statement, name: ObjectName) -> None:
    cursor = current.cursor
    catalog = session.account.catalog_of(name.database)
    target = (name.schema, name.name)
    record = catalog.get(session.duck, "TABLE", *target) or Record("TABLE", *target)
    tags: dict[ObjectName, str | None] = {}
    if cursor.accept("UNSET"):
        if cursor.accept("TAG"):
            tags = read_unset_tags(session, cursor)
        elif cursor.accept("COMMENT"):
            record = replace(record, comment="")
        else:
            cursor.identifier()
    else:
        cursor.expect("SET")
        if cursor.looking_at("TAG"):
            tags = read_tags(session, cursor)
        else:
            options = cursor.options()
            comment = str(options.pop("COMMENT", record.comment))
            merged = {**record.body.get("options", {}), **options}
            record = replace(record, comment=comment).with_body(options=merged)
    cursor.end()
    with session.changing(name.database) as connection:
        catalog.put(connection, record) if not tags else None
        set_tags(session, name.database, "TABLE", target, tags)


def _cluster(session: Session, name: ObjectName, key: str) -> None:
    """Record the clustering key, which has no effect on rows."""
    catalog = session.account.catalog_of(name.database)
    target = (name.schema, name.name)
    record = catalog.get(session.duck, "TABLE", *target) or Record("TABLE", *target)
    with session.changing(name.database) as connection:
        catalog.put(connection, record.with_body(cluster_by=key))


def _alter_columns(session: Session, current: Statement, name: ObjectName) -> None:
    expression = parse(current.text)
    if not isinstance(expression, exp.Alter):
        raise current.cursor.error()
    address = session.table_address(name)
    commands = [command for action in expression.args["actions"] for command in _column_command(action)]
    if ("TABLE", name) in session.temporary:
        for command in commands:
            session.duck.execute(f"ALTER TABLE {address} {command}")
        return
    with session.changing(name.database) as connection:
        for command in commands:
            connection.execute(f"ALTER TABLE {address} {command}")


def _column_command(action: Any) -> list[str]:
    if isinstance(action, exp.ColumnDef):
        exists = "IF NOT EXISTS " if action.args.get("exists") else ""
        return [f"ADD COLUMN {exists}{duck(upper(action.this))} {type_sql(action)}"]
    if isinstance(action, exp.Drop) and str(action.args.get("kind")).upper() == "COLUMN":
        targets = [action.this, *(action.args.get("expressions") or [])]
        exists = "IF EXISTS " if action.args.get("exists") else ""
        return [
            f"DROP COLUMN {exists}{duck(upper(t.this if isinstance(t, exp.Table) else t))}"
            for t in targets
            if t
        ]
    if isinstance(action, exp.RenameColumn):
        return [f"RENAME COLUMN {duck(upper(action.this))} TO {duck(upper(action.args['to']))}"]
    if isinstance(action, exp.AlterColumn):
        column = duck(upper(action.this))
        if action.args.get("dtype"):
            kind = type_sql(exp.ColumnDef(this=action.this.copy(), kind=action.args["dtype"]))
            return [f"ALTER COLUMN {column} SET DATA TYPE {kind}"]
        if action.args.get("drop"):
            return [
                f"ALTER COLUMN {column} DROP {'NOT NULL' if action.args.get('allow_null') else 'DEFAULT'}"
            ]
        if action.args.get("allow_null") is not None:
            return [f"ALTER COLUMN {column} {'DROP' if action.args['allow_null'] else 'SET'} NOT NULL"]
    raise unsupported(f"ALTER TABLE … {action.sql('snowflake')[:60]}")
