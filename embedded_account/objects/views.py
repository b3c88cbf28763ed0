"""Views: https://docs.snowflake.com/en/sql-reference/sql/create-view"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tables import drop_object
from embedded_account.objects.tagging import Tags, read_tags, read_unset_tags, set_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.query import table_exists, view_exists
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation


@dataclass
class ColumnList:
    """`(a, b COMMENT '…' TAG (…), …)` of a view or dynamic table."""

    names: list[str] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Tags] = field(default_factory=dict)


def read_columns(session: Session, cursor: Cursor) -> ColumnList:
    found = ColumnList()
    if not cursor.accept("("):
        return found
    while True:
        name = cursor.identifier()
        found.names.append(name)
        while not (cursor.looking_at(",") or cursor.looking_at(")")):
            if cursor.accept("COMMENT"):
                found.comments[name] = cursor.string()
            elif cursor.looking_at("WITH", "TAG") or cursor.looking_at("TAG"):
                found.tags[name] = read_tags(session, cursor)
            else:
                # A dynamic table may name its columns' types, which its query decides anyway.
                token = cursor.next()
                if token.kind == "end":
                    raise cursor.error()
                if cursor.looking_at("("):
                    cursor.parenthesized_text()
        if cursor.accept(")"):
            return found
        cursor.expect(",")


@statement("CREATE", "VIEW")
def create_view(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    columns = read_columns(session, cursor)
    comment, tags = "", {}
    while not cursor.accept("AS"):
        if cursor.accept("COMMENT", "="):
            comment = cursor.string()
        elif cursor.looking_at("TAG") or cursor.looking_at("WITH", "TAG"):
            tags = read_tags(session, cursor)
        elif cursor.accept("COPY", "GRANTS") or cursor.accept("CHANGE_TRACKING", "=", "TRUE"):
            continue
        else:
            raise cursor.error()
    query = cursor.rest()
    done = status(f"View {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    if current.temporary:
        raise unsupported("CREATE TEMPORARY VIEW")
    exists = view_exists(session, name) or table_exists(session, name)
    if exists and exists_ok:
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    if exists and not current.or_replace:
        raise already_exists(str(name))
    with Translation(session) as translation:
        sql = translation.query(query)
        if translation.transient or '"temp"."main"' in sql:
            raise unsupported("view over a temporary table, a result, or a function of the account")
        listed = f"({', '.join(map(duck, columns.names))})" if columns.names else ""
        with session.changing(name.database) as connection:
            drop_object(session, name)
            connection.execute(f"CREATE VIEW {name.duck} {listed} AS {sql}")
            for column, text in columns.comments.items():
                connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(text)}")
            _put(session, current, name, comment, query)
            target = (name.schema, name.name)
            set_tags(session, name.database, "TABLE", target, tags)
            for column, column_tags in columns.tags.items():
                set_tags(session, name.database, "TABLE", target, column_tags, column)
    return done


def _put(session: Session, current: Statement, name: ObjectName, comment: str, query: str) -> None:
    body = {"text": current.text.strip(), "query": query, "secure": "SECURE" in current.flags}
    record = Record("VIEW", name.schema, name.name, session.role, comment, body)
    session.account.catalog_of(name.database).put(session.duck, record)


@statement("DROP", "VIEW")
def drop_view(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if not session.account.has_database(name.database) or not view_exists(session, name):
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("View", str(name))
    if not current.describe_only:
        with session.changing(name.database):
            drop_object(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("ALTER", "VIEW")
def alter_view(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    catalog = session.account.catalog_of(name.database)
    record = catalog.get(session.duck, "VIEW", name.schema, name.name)
    if record is None:
        if if_exists:
            return status("Statement executed successfully.")
        raise does_not_exist("View", str(name))
    tags: Tags = {}
    new = None
    if cursor.accept("SET", "COMMENT", "="):
        record = replace(record, comment=cursor.string())
    elif cursor.accept("UNSET", "COMMENT"):
        record = replace(record, comment="")
    elif cursor.accept("UNSET", "TAG"):
        tags = read_unset_tags(session, cursor)
    elif cursor.accept("SET") and cursor.looking_at("TAG"):
        tags = read_tags(session, cursor)
    elif cursor.accept("RENAME", "TO"):
        new = session.resolve(cursor.name())
    else:
        raise unsupported(f"ALTER VIEW … {cursor.peek().text}")
    cursor.end()
    if not current.describe_only:
        with session.changing(name.database) as connection:
            if new is not None:
                if new.parent != name.parent:
                    raise unsupported("ALTER VIEW … RENAME TO another schema")
                connection.execute(f"ALTER VIEW {name.duck} RENAME TO {duck(new.name)}")
                catalog.rename(connection, "VIEW", name[1:], new[1:])
            elif not tags:
                catalog.put(connection, record)
            set_tags(session, name.database, "TABLE", (name.schema, name.name), tags)
    return status("Statement executed successfully.")


_VIEWS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("reserved", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("text", "text"),
    ("is_secure", "text"),
    ("is_materialized", "text"),
    ("owner_role_type", "text"),
    ("change_tracking", "text"),
]


@statement("SHOW", "VIEWS")
@statement("SHOW", "TERSE", "VIEWS")
def show_views(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = [
        (
            r.created_on,
            r.name,
            "",
            database,
            r.schema,
            r.owner,
            r.comment,
            r.body["text"],
            str(bool(r.body.get("secure"))).lower(),
            "false",
            "ROLE",
            "OFF",
        )
        for database in show.databases(session)
        if database != "SNOWFLAKE"
        for r in session.account.catalog_of(database).list(session.duck, "VIEW")
        if show.has(r.schema)
    ]
    return rows_result(_VIEWS, show.cut(rows, 1))
