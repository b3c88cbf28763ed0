"""Databases and schemas.

https://docs.snowflake.com/en/sql-reference/sql/create-database, …/create-schema
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from embedded_account import files
from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist, no_such_object, unsupported
from embedded_account.names import SchemaName, is_hidden_database, is_hidden_schema, shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tagging import read_tags, set_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.security import privileges
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_OPTIONS = (
    "DATA_RETENTION_TIME_IN_DAYS",
    "MAX_DATA_EXTENSION_TIME_IN_DAYS",
    "COMMENT",
    "DEFAULT_DDL_COLLATION",
    "LOG_LEVEL",
)


def _database(cursor: Cursor) -> str:
    parts = cursor.name()
    if len(parts) != 1:
        raise does_not_exist("Database", ".".join(map(shown, parts)))
    return parts[0]


@statement("CREATE", "DATABASE")
def create_database(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = _database(cursor)
    if is_hidden_database(name):
        raise unsupported(f"a database named {shown(name)}")
    if cursor.looking_at("CLONE") or cursor.looking_at("FROM"):
        raise unsupported(f"CREATE DATABASE … {cursor.peek().word}")
    options = cursor.options()
    tags = read_tags(session, cursor)
    cursor.end()
    account = session.account
    done = status(f"Database {shown(name)} successfully created.")
    if current.describe_only:
        return done
    session.commit_before_ddl()
    if account.has_database(name):
        if exists_ok:
            return status(f"{shown(name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(shown(name))
        account.drop_database(name)
    account.create_database(
        Record("DATABASE", "", name, session.role, str(options.get("COMMENT", "")), {"options": options})
    )
    if tags:
        with session.changing(name):
            set_tags(session, name, "DATABASE", ("", name), tags)
    session.use(name, "PUBLIC")
    return done


@statement("DROP", "DATABASE")
def drop_database(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = _database(current.cursor)
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    if not session.account.has_database(name) or name == "SNOWFLAKE":
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Database", shown(name))
    if not current.describe_only:
        session.commit_before_ddl()
        session.account.drop_database(name)
        if session.database == name:
            session.database = session.schema = None
    return status(f"{shown(name)} successfully dropped.")


@statement("CREATE", "SCHEMA")
def create_schema(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    parts = cursor.name()
    if is_hidden_schema(parts[-1]):
        raise unsupported(f"a schema named {shown(parts[-1])}")
    name = session.resolve_schema(parts)
    if cursor.looking_at("CLONE"):
        raise unsupported("CREATE SCHEMA … CLONE")
    managed = cursor.accept("WITH", "MANAGED", "ACCESS")
    options = cursor.options()
    tags = read_tags(session, cursor)
    options.update(cursor.options())
    cursor.end()
    done = status(f"Schema {shown(name.schema)} successfully created.")
    if current.describe_only:
        return done
    account = session.account
    catalog = account.catalog_of(name.database)
    with session.changing(name.database) as connection:
        if account.has_schema(name.database, name.schema):
            if exists_ok:
                return status(f"{shown(name.schema)} already exists, statement succeeded.")
            if not current.or_replace:
                raise already_exists(str(name))
            connection.execute(f"DROP SCHEMA {name.duck} CASCADE")
            catalog.delete_schema(connection, name.schema)
        connection.execute(f"CREATE SCHEMA {name.duck}")
        body = {"options": options, "managed": managed, "transient": "TRANSIENT" in current.flags}
        catalog.put(
            connection,
            Record("SCHEMA", "", name.schema, session.role, str(options.get("COMMENT", "")), body),
        )
        set_tags(session, name.database, "SCHEMA", ("", name.schema), tags)
    account.schema_created(name.database, name.schema)
    session.use(name.database, name.schema)
    return done


@statement("DROP", "SCHEMA")
def drop_schema(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve_schema(current.cursor.name())
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    account = session.account
    if name.schema == "INFORMATION_SCHEMA" or not account.has_schema(name.database, name.schema):
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Schema", str(name))
    if current.describe_only:
        return status(f"{shown(name.schema)} successfully dropped.")
    catalog = account.catalog_of(name.database)
    with session.changing(name.database) as connection:
        ids = [
            object_id
            for kind in (files.STAGE, "MODEL", "DATASET")
            for r in catalog.list(connection, kind, name.schema)
            for object_id in files.ids(r.body)
        ]
        connection.execute(f"DROP SCHEMA {name.duck} CASCADE")
        catalog.delete_schema(connection, name.schema)
    account.schema_dropped(name.database, name.schema)
    for object_id in ids:
        shutil.rmtree(files.folder(account, name.database, object_id), ignore_errors=True)
    if (session.database, session.schema) == name:
        session.schema = None
    return status(f"{shown(name.schema)} successfully dropped.")


@statement("ALTER", "DATABASE")
def alter_database(session: Session, current: Statement) -> Result:
    current.accept_if_exists()
    name = _database(current.cursor)
    return _alter(session, current, name, Record("DATABASE", "", name))


@statement("ALTER", "SCHEMA")
def alter_schema(session: Session, current: Statement) -> Result:
    current.accept_if_exists()
    name: SchemaName = session.existing_schema(current.cursor.name())
    return _alter(session, current, name.database, Record("SCHEMA", "", name.schema))


def _alter(session: Session, current: Statement, database: str, key: Record) -> Result:
    """SET options, tags and comment; RENAME and SWAP are refused."""
    cursor = current.cursor
    catalog = session.account.catalog_of(database)
    record = catalog.get(session.duck, key.kind, "", key.name) or key
    if cursor.accept("SET"):
        tags = read_tags(session, cursor, required=cursor.looking_at("TAG"))
        options = cursor.options()
        cursor.end()
        comment = str(options.pop("COMMENT", record.comment))
        changed = replace(record, comment=comment).with_body(
            options={**record.body.get("options", {}), **options}
        )
    elif cursor.accept("UNSET"):
        tags, removed = {}, []
        if cursor.accept("TAG"):
            tags = {session.resolve(cursor.name()): None}
            while cursor.accept(","):
                tags[session.resolve(cursor.name())] = None
        else:
            while not cursor.done:
                removed.append(cursor.identifier())
                cursor.accept(",")
        options = {k: v for k, v in record.body.get("options", {}).items() if k not in removed}
        changed = replace(record, comment="" if "COMMENT" in removed else record.comment).with_body(
            options=options
        )
    elif key.kind == "SCHEMA" and (word := cursor.accept_any("ENABLE", "DISABLE")):
        cursor.expect("MANAGED", "ACCESS")
        cursor.end()
        on = privileges.of_record(record, database)
        if not privileges.owns(session, on):
            raise privileges.refused(on)
        tags, changed = {}, record.with_body(managed=word == "ENABLE")
    else:
        raise unsupported(f"ALTER {key.kind} … {cursor.peek().word}")
    if not current.describe_only:
        with session.changing(database) as connection:
            catalog.put(connection, changed)
            set_tags(session, database, key.kind, ("", key.name), tags)
    return status("Statement executed successfully.")


_DATABASES = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("is_default", "text"),
    ("is_current", "text"),
    ("origin", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("options", "text"),
    ("retention_time", "text"),
    ("kind", "text"),
    ("owner_role_type", "text"),
]


@statement("SHOW", "DATABASES")
@statement("SHOW", "TERSE", "DATABASES")
def show_databases(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor, scoped=False)
    rows = []
    for name in session.account.databases():
        record = session.account.catalog_of(name).get(session.duck, "DATABASE", "", name) or Record(
            "DATABASE", "", name
        )
        retention = str(record.body.get("options", {}).get("DATA_RETENTION_TIME_IN_DAYS", 1))
        is_current = "Y" if name == session.database else "N"
        rows.append(
            (
                record.created_on,
                name,
                "N",
                is_current,
                "",
                record.owner,
                record.comment,
                "",
                retention,
                "STANDARD",
                "ROLE",
            )
        )
    return rows_result(_DATABASES, show.cut(rows, 1))


_SCHEMAS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("is_default", "text"),
    ("is_current", "text"),
    ("database_name", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("options", "text"),
    ("retention_time", "text"),
    ("owner_role_type", "text"),
]


@statement("SHOW", "SCHEMAS")
@statement("SHOW", "TERSE", "SCHEMAS")
def show_schemas(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = []
    for database in show.databases(session):
        if database == "SNOWFLAKE":
            continue
        records = {r.name: r for r in session.account.catalog_of(database).list(session.duck, "SCHEMA", "")}
        for schema in [*session.account.schemas(database), "INFORMATION_SCHEMA"]:
            record = records.get(schema) or Record("SCHEMA", "", schema, owner="")
            is_current = "Y" if (session.database, session.schema) == (database, schema) else "N"
            options = "MANAGED ACCESS" if record.body.get("managed") else ""
            rows.append(
                (
                    record.created_on,
                    schema,
                    "N",
                    is_current,
                    database,
                    record.owner,
                    record.comment,
                    options,
                    "1",
                    "ROLE",
                )
            )
    rows.sort(key=lambda row: (str(row[4]), str(row[1])))
    return rows_result(_SCHEMAS, show.cut(rows, 1))


@statement("USE", "DATABASE")
def use_database(session: Session, current: Statement) -> Result:
    name = _database(current.cursor)
    current.cursor.end()
    if not session.account.has_database(name):
        raise no_such_object()
    if not current.describe_only:
        session.use(name, "PUBLIC" if session.account.has_schema(name, "PUBLIC") else None)
    return status("Statement executed successfully.", 0x4300)


@statement("USE", "SCHEMA")
def use_schema(session: Session, current: Statement) -> Result:
    name = session.existing_schema(current.cursor.name())
    current.cursor.end()
    if not current.describe_only:
        session.use(*name)
    return status("Statement executed successfully.", 0x4300)


@statement("USE")
def use(session: Session, current: Statement) -> Result:
    """USE name: a database, or database.schema."""
    parts = current.cursor.name()
    current.cursor.end()
    if len(parts) == 2:
        name = session.existing_schema(parts)
        session.use(*name)
    elif session.account.has_database(parts[0]):
        session.use(parts[0], "PUBLIC")
    else:
        raise no_such_object()
    return status("Statement executed successfully.", 0x4300)
