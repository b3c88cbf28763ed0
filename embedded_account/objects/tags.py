"""Tags: their definitions, SHOW TAGS, TAG_REFERENCES, SYSTEM$GET_TAG.

https://docs.snowflake.com/en/sql-reference/sql/create-tag, …/functions/tag_references
"""

from __future__ import annotations

import json
from dataclasses import replace

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.functions import TableCall, scalar_function, table_function
from embedded_account.names import ObjectName, shown
from embedded_account.objects.show import read_show
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement


def _values(cursor: object) -> list[str]:
    from embedded_account.parse.cursor import Cursor

    assert isinstance(cursor, Cursor)
    found = [cursor.string()]
    while cursor.accept(","):
        found.append(cursor.string())
    return found


@statement("CREATE", "TAG")
def create_tag(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    allowed: list[str] = []
    comment = ""
    while not cursor.done:
        if cursor.accept("ALLOWED_VALUES"):
            allowed = _values(cursor)
        elif cursor.accept("COMMENT", "="):
            comment = cursor.string()
        else:
            raise unsupported(f"CREATE TAG … {cursor.peek().text}")
    done = status(f"Tag {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    catalog = session.account.catalog_of(name.database)
    with session.changing(name.database) as connection:
        if catalog.get(connection, "TAG", name.schema, name.name):
            if exists_ok:
                return status(f"{shown(name.name)} already exists, statement succeeded.")
            if not current.or_replace:
                raise already_exists(str(name))
        body = {"allowed_values": allowed}
        catalog.put(connection, Record("TAG", name.schema, name.name, session.role, comment, body))
    return done


@statement("ALTER", "TAG")
def alter_tag(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    record = _find(session, name)
    if record is None:
        if if_exists:
            return status("Statement executed successfully.")
        raise does_not_exist("Tag", str(name))
    values = list(record.body.get("allowed_values", []))
    if cursor.accept("SET", "COMMENT", "="):
        record = replace(record, comment=cursor.string())
    elif cursor.accept("UNSET", "COMMENT"):
        record = replace(record, comment="")
    elif cursor.accept("ADD", "ALLOWED_VALUES"):
        record = record.with_body(allowed_values=values + [v for v in _values(cursor) if v not in values])
    elif cursor.accept("DROP", "ALLOWED_VALUES"):
        gone = _values(cursor)
        record = record.with_body(allowed_values=[v for v in values if v not in gone])
    elif cursor.accept("UNSET", "ALLOWED_VALUES"):
        record = record.with_body(allowed_values=[])
    else:
        raise unsupported(f"ALTER TAG … {cursor.peek().text}")
    cursor.end()
    if not current.describe_only:
        with session.changing(name.database) as connection:
            session.account.catalog_of(name.database).put(connection, record)
    return status("Statement executed successfully.")


@statement("DROP", "TAG")
def drop_tag(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if _find(session, name) is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Tag", str(name))
    if not current.describe_only:
        with session.changing(name.database) as connection:
            catalog = session.account.catalog_of(name.database)
            for found in catalog.tags(
                connection, tag_database=name.database, tag_schema=name.schema, tag_name=name.name
            ):
                target = (found["schema_name"], found["name"])
                catalog.set_tag(connection, found["domain"], target, tuple(name), None, found["column_name"])
            catalog.delete(connection, "TAG", name.schema, name.name)
    return status(f"{shown(name.name)} successfully dropped.")


def _find(session: Session, name: ObjectName) -> Record | None:
    if not session.account.has_database(name.database):
        return None
    return session.account.catalog_of(name.database).get(session.duck, "TAG", name.schema, name.name)


_TAGS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("allowed_values", "text"),
    ("owner_role_type", "text"),
    ("propagate", "text"),
    ("on_conflict", "text"),
]


@statement("SHOW", "TAGS")
def show_tags(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = [
        (
            r.created_on,
            r.name,
            database,
            r.schema,
            r.owner,
            r.comment,
            json.dumps(r.body["allowed_values"]) if r.body.get("allowed_values") else None,
            "ROLE",
            None,
            None,
        )
        for database in show.databases(session)
        for r in session.account.catalog_of(database).list(session.duck, "TAG")
        if show.has(r.schema)
    ]
    return rows_result(_TAGS, show.cut(rows, 1))


_REFERENCES = [
    ("TAG_DATABASE", "text"),
    ("TAG_SCHEMA", "text"),
    ("TAG_NAME", "text"),
    ("TAG_VALUE", "text"),
    ("LEVEL", "text"),
    ("OBJECT_DATABASE", "text"),
    ("OBJECT_SCHEMA", "text"),
    ("OBJECT_NAME", "text"),
    ("DOMAIN", "text"),
    ("COLUMN_NAME", "text"),
    ("APPLY_METHOD", "text"),
]


def references(session: Session, database: str, **where: str) -> list[tuple[object, ...]]:
    return [
        (
            t["tag_database"],
            t["tag_schema"],
            t["tag_name"],
            t["value"],
            t["domain"],
            database,
            t["schema_name"] or None,
            t["name"],
            t["domain"],
            t["column_name"] or None,
            "MANUAL",
        )
        for t in session.account.catalog_of(database).tags(session.duck, **where)
    ]


@table_function("INFORMATION_SCHEMA.TAG_REFERENCES")
def tag_references(session: Session, call: TableCall) -> Result:
    database, schema, name, column, domain = target_of(
        session, str(call.get("OBJECT_NAME", 0)), str(call.get("OBJECT_DOMAIN", 1))
    )
    where = {"domain": domain, "schema_name": schema, "name": name}
    if column:
        where["column_name"] = column
    return rows_result(_REFERENCES, references(session, database, **where), 0x1000)


def target_of(session: Session, text: str, domain: str) -> tuple[str, str, str, str, str]:
    """(database, schema, name, column, domain) of an object named by text."""
    from embedded_account.parse.cursor import Cursor

    domain = domain.upper()
    domain = {"VIEW": "TABLE", "DYNAMIC TABLE": "TABLE", "MODEL": "MODULE"}.get(domain, domain)
    parts = Cursor(text).name()
    if domain == "DATABASE":
        return parts[0], "", parts[0], "", domain
    if domain == "SCHEMA":
        schema = session.resolve_schema(parts)
        return schema.database, "", schema.schema, "", domain
    if domain == "COLUMN":
        name = session.resolve(parts[:-1])
        return name.database, name.schema, name.name, parts[-1], "TABLE"
    name = session.resolve(parts)
    return name.database, name.schema, name.name, "", domain


@scalar_function("SYSTEM$GET_TAG")
def get_tag(session: Session, arguments: list[object]) -> str | None:
    tag = session.resolve_text(str(arguments[0]))
    database, schema, name, column, domain = target_of(session, str(arguments[1]), str(arguments[2]))
    found = session.account.catalog_of(database).tags(
        session.duck,
        domain=domain,
        schema_name=schema,
        name=name,
        column_name=column,
        tag_database=tag.database,
        tag_schema=tag.schema,
        tag_name=tag.name,
    )
    return found[0]["value"] if found else None
