"""Views: https://docs.snowflake.com/en/sql-reference/sql/create-view"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlglot
from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import unsupported
from embedded_account.names import ObjectName, duck, literal, shown, stored
from embedded_account.objects import relations, temporary_views
from embedded_account.objects.show import Show, read_show
from embedded_account.objects.tagging import Tags, read_tags, read_unset_tags, set_tags
from embedded_account.parse.cursor import Cursor
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
    comment, tags, change_tracking = "", {}, False
    while not cursor.accept("AS"):
        if cursor.accept("COMMENT", "="):
            comment = cursor.string()
        elif cursor.looking_at("TAG") or cursor.looking_at("WITH", "TAG"):
            tags = read_tags(session, cursor)
        elif cursor.accept("CHANGE_TRACKING", "="):
            change_tracking = cursor.boolean()
        elif cursor.accept("COPY", "GRANTS"):
            continue
        elif cursor.looking_at("WITH") or cursor.looking_at("ROW") or cursor.looking_at("AGGREGATION"):
            raise unsupported(f"CREATE VIEW … {cursor.element()[:40]}")
        else:
            raise cursor.error()
    query = cursor.rest()
    done = status(f"View {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if current.or_alter:
        raise unsupported("CREATE OR ALTER VIEW")
    if current.temporary:
        return temporary_views.create(session, current, name, columns.names, comment, query, exists_ok)
    if relations.claim(session, current, name, relations.VIEW, exists_ok):
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    with Translation(session) as translation:
        sql = translation.query(query)
        if translation.transient or '"temp"."main"' in sql:
            raise unsupported("view over a temporary table, a result, or a function of the account")
        listed = f"({', '.join(map(duck, columns.names))})" if columns.names else ""
        with session.changing(name.database) as connection:
            sql = _without_itself(session, name, sql)
            relations.drop(session, name)
            connection.execute(f"CREATE VIEW {name.duck} {listed} AS {sql}")
            for column, text in columns.comments.items():
                connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(text)}")
            _put(session, current, name, comment, query, change_tracking)
            target = (name.schema, name.name)
            set_tags(session, name.database, "TABLE", target, tags)
            for column, column_tags in columns.tags.items():
                set_tags(session, name.database, "TABLE", target, column_tags, column)
    return done


def _without_itself(session: Session, name: ObjectName, sql: str) -> str:
    """Where a new definition reads the view that it replaces, the definition until now stands for it."""
    rows = session.duck.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
        list(name.address),
    ).fetchall()
    expression: Any = sqlglot.parse_one(sql, read="duckdb")
    own = [
        table
        for table in expression.find_all(exp.Table)
        if (table.catalog, table.db, table.name) == name.address and rows
    ]
    for table in own:
        before: Any = sqlglot.parse_one(rows[0][0], read="duckdb")
        columns = before.this.expressions if isinstance(before.this, exp.Schema) else []
        alias = exp.TableAlias(this=exp.to_identifier("q", quoted=True), columns=columns)
        inner = exp.select("*").from_(exp.Subquery(this=_in_database(before.expression, name), alias=alias))
        label = exp.to_identifier(table.alias or name.name, quoted=True)
        table.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=label)))
    return str(expression.sql(dialect="duckdb")) if own else sql


def _in_database(query: Any, name: ObjectName) -> Any:
    """DuckDB leaves out of a view's text the database that the view itself is in."""
    for table in query.find_all(exp.Table):
        if table.db and not table.catalog:
            table.set("catalog", exp.to_identifier(name.database, quoted=True))
    return query


def _put(
    session: Session, current: Statement, name: ObjectName, comment: str, query: str, change_tracking: bool
) -> None:
    body = {
        "text": current.text.strip(),
        "query": query,
        "secure": "SECURE" in current.flags,
        "options": {"CHANGE_TRACKING": change_tracking},
        "last_ddl": datetime.now(UTC).isoformat(),
    }
    record = Record("VIEW", name.schema, name.name, session.role, comment, body)
    session.account.catalog_of(name.database).put(session.duck, record)


@statement("DROP", "VIEW")
def drop_view(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    if temporary_views.is_temporary_view(session, name) and not current.describe_only:
        return temporary_views.drop(session, name)
    if not relations.require(session, name, relations.VIEW, if_exists):
        return status("Drop statement executed successfully.")
    if not current.describe_only:
        with session.changing(name.database):
            relations.drop(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("ALTER", "VIEW")
def alter_view(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    if not relations.require(session, name, relations.VIEW, if_exists):
        return status("Statement executed successfully.")
    catalog = session.account.catalog_of(name.database)
    record = catalog.get(session.duck, "VIEW", name.schema, name.name) or Record(
        "VIEW", name.schema, name.name
    )
    record = record.with_body(last_ddl=datetime.now(UTC).isoformat())
    tags: Tags = {}
    new = None
    comments: dict[str, str] = {}
    if cursor.accept("SET", "COMMENT", "="):
        record = replace(record, comment=cursor.string())
    elif cursor.accept("SET", "CHANGE_TRACKING", "="):
        record = record.with_body(options={"CHANGE_TRACKING": cursor.boolean()})
    elif cursor.accept("SET", "SECURE") or cursor.looking_at("UNSET", "SECURE"):
        record = record.with_body(secure=not cursor.accept("UNSET", "SECURE"))
    elif cursor.accept_any("ALTER", "MODIFY"):
        comments = _column_comments(cursor)
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
                relations.require_free(session, new)
                connection.execute(f"ALTER VIEW {name.duck} RENAME TO {duck(stored(new.name))}")
                catalog.rename(connection, "VIEW", name[1:], new[1:])
            elif not tags:
                catalog.put(connection, record)
            for column, text in comments.items():
                connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(text)}")
            set_tags(session, name.database, "TABLE", (name.schema, name.name), tags)
    return status("Statement executed successfully.")


def _column_comments(cursor: Cursor) -> dict[str, str]:
    """`[COLUMN] a COMMENT '…', …`; other changes of a view's columns are about policies and tags."""
    found: dict[str, str] = {}
    while True:
        cursor.accept("COLUMN")
        column = cursor.identifier()
        if not cursor.accept("COMMENT"):
            raise unsupported(f"ALTER VIEW … ALTER COLUMN … {cursor.peek().word} {cursor.peek(1).word}")
        found[column] = cursor.string()
        if not cursor.accept(","):
            return found


VIEWS = [
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
    return rows_result(VIEWS, show.cut(view_rows(session, show), 1))


def view_rows(session: Session, show: Show) -> list[tuple[object, ...]]:
    """The rows of SHOW VIEWS in a scope, by name; those of the session first."""
    databases = [database for database in show.databases(session) if database != "SNOWFLAKE"]
    found = [
        (name.database, Record("VIEW", name.schema, name.name, session.role, body["comment"], body))
        for (_, name), temporary in session.temporary.items()
        if temporary.kind == "VIEW" and name.database in databases
        for body in [temporary.body]
    ]
    for database in databases:
        records = session.account.catalog_of(database).list(session.duck, "VIEW")
        found += [(database, record) for record in records]
    return [_row(database, record) for database, record in found if show.has(record.schema)]


def _row(database: str, r: Record) -> tuple[object, ...]:
    return (
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
        "ON" if r.body.get("options", {}).get("CHANGE_TRACKING") else "OFF",
    )
