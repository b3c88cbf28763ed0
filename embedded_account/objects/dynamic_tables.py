"""Dynamic tables: CREATE, ALTER, DROP, DESCRIBE, SHOW. How they are refreshed: dynamic_table_refresh.

https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table, …/alter-dynamic-table, …/show-dynamic-tables
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from embedded_account.catalog import Record
from embedded_account.errors import (
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from embedded_account.names import ObjectName, duck, shown, stored
from embedded_account.objects import change_tracking, relations
from embedded_account.objects.dynamic_table_refresh import (
    KIND,
    computed,
    data_timestamp,
    existing,
    refresh,
    shown_lag,
    write,
)
from embedded_account.objects.show import read_show
from embedded_account.objects.table_listing import describe_columns
from embedded_account.objects.tagging import Tags, read_tags, read_unset_tags, set_tags
from embedded_account.objects.views import read_columns
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_OPTIONS = {
    "TARGET_LAG",
    "WAREHOUSE",
    "INITIALIZATION_WAREHOUSE",
    "REFRESH_MODE",
    "INITIALIZE",
    "COMMENT",
    "DATA_RETENTION_TIME_IN_DAYS",
    "MAX_DATA_EXTENSION_TIME_IN_DAYS",
}
_WORDS = {"REFRESH_MODE": ("AUTO", "FULL", "INCREMENTAL"), "INITIALIZE": ("ON_CREATE", "ON_SCHEDULE")}
_DONE = "Statement executed successfully."


@statement("CREATE", "DYNAMIC", "TABLE")
def create_dynamic_table(session: Session, current: Statement) -> Result:
    if current.or_alter or current.temporary:
        raise unsupported(f"CREATE {'OR ALTER' if current.or_alter else 'TEMPORARY'} DYNAMIC TABLE")
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    columns = read_columns(session, cursor)
    options, tags, cluster_by = _clauses(session, cursor)
    query = cursor.rest()
    done = status(f"Dynamic table {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    _check(session, options, required=True)
    if relations.claim(session, current, name, KIND, exists_ok):
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    body = {
        "text": current.text.strip(),
        "query": query,
        "columns": columns.names,
        "column_comments": columns.comments,
        "options": options,
        "cluster_by": cluster_by,
        "state": "ACTIVE",
        "home": [session.database, session.schema],
        "transient": "TRANSIENT" in current.flags,
    }
    record = Record(KIND, name.schema, name.name, session.role, str(options.get("COMMENT", "")), body)
    later = str(options.get("INITIALIZE", "ON_CREATE")).upper() == "ON_SCHEDULE"
    session.commit_before_ddl()
    change_tracking.require(session, record)
    with computed(session, record, empty=later) as rows, session.changing(name.database) as connection:
        relations.drop(session, name)
        if later:
            connection.execute(f"CREATE TABLE {name.duck} AS SELECT * FROM {rows.address}")
            session.account.catalog_of(name.database).put(connection, record)
        else:
            write(session, name, record, rows, "CREATION", current.query_id)
        target = (name.schema, name.name)
        set_tags(session, name.database, "TABLE", target, tags)
        for column, column_tags in columns.tags.items():
            set_tags(session, name.database, "TABLE", target, column_tags, column)
    return done


def _clauses(session: Session, cursor: Cursor) -> tuple[dict[str, Any], Tags, str]:
    """Everything between the columns and AS."""
    options: dict[str, Any] = {}
    tags: Tags = {}
    cluster_by = ""
    while not cursor.accept("AS"):
        if cursor.looking_at("TAG") or cursor.looking_at("WITH", "TAG"):
            tags = read_tags(session, cursor)
        elif cursor.accept("CLUSTER", "BY"):
            cluster_by = f"LINEAR({cursor.parenthesized_text().strip()})"
        elif cursor.accept("COPY", "GRANTS"):
            continue
        elif cursor.peek(1).text == "=":
            options.update(cursor.options())
        elif cursor.peek().kind == "word":
            raise unsupported(f"CREATE DYNAMIC TABLE … {cursor.peek().word}")
        else:
            raise cursor.error()
    return options, tags, cluster_by


def _check(session: Session, options: dict[str, Any], required: bool) -> None:
    for option in options:
        if option not in _OPTIONS:
            raise unsupported(f"DYNAMIC TABLE … {option}")
    if missing := [o for o in ("TARGET_LAG", "WAREHOUSE") if required and o not in options]:
        raise compilation_error(f"Missing option(s): [{', '.join(missing)}]", 2029, "42601")
    if "TARGET_LAG" in options:
        options["TARGET_LAG"] = shown_lag(str(options["TARGET_LAG"]))
    for option in ("WAREHOUSE", "INITIALIZATION_WAREHOUSE"):
        if option in options and session.account.get("WAREHOUSE", str(options[option])) is None:
            raise does_not_exist("Warehouse", str(options[option]))
    for option, words in _WORDS.items():
        if option in options and str(options[option]).upper() not in words:
            raise invalid_value(f"invalid value '{options[option]}' for property '{option}'")


@statement("ALTER", "DYNAMIC", "TABLE")
def alter_dynamic_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    if not relations.require(session, name, KIND, if_exists):
        return status(_DONE)
    record = existing(session, name)
    if cursor.accept("REFRESH"):
        return _refresh(session, current, name)
    if cursor.accept("RENAME", "TO"):
        return _rename(session, current, name, session.resolve(cursor.name()))
    record, tags = _changed(session, cursor, record)
    cursor.end()
    if not current.describe_only:
        with session.changing(name.database) as connection:
            newest = existing(session, name)
            kept = ("data_timestamp", "rows", "failures", "attempted")
            state = {key: newest.body[key] for key in kept if key in newest.body}
            session.account.catalog_of(name.database).put(connection, record.with_body(**state))
            set_tags(session, name.database, "TABLE", (name.schema, name.name), tags)
    return status(_DONE)


def _changed(session: Session, cursor: Cursor, record: Record) -> tuple[Record, Tags]:
    """The record as SUSPEND, RESUME, SET, UNSET or CLUSTER BY make it, and the tags to set."""
    if cursor.accept("SUSPEND"):
        return record.with_body(state="SUSPENDED", suspended_on=datetime.now(UTC).isoformat()), {}
    if cursor.accept("RESUME"):
        return record.with_body(state="ACTIVE", suspended_because=None, failures=0), {}
    if cursor.accept("CLUSTER", "BY"):
        return record.with_body(cluster_by=f"LINEAR({cursor.parenthesized_text().strip()})"), {}
    if cursor.accept("DROP", "CLUSTERING", "KEY"):
        return record.with_body(cluster_by=""), {}
    if cursor.accept("SET"):
        tags = read_tags(session, cursor)
        options = cursor.options()
        if not tags and not options:
            raise cursor.error()
        _check(session, options, required=False)
        if "REFRESH_MODE" in options or "INITIALIZE" in options:
            raise unsupported("ALTER DYNAMIC TABLE … SET REFRESH_MODE or INITIALIZE")
        comment = str(options.get("COMMENT", record.comment))
        return replace(record, comment=comment).with_body(options={**record.body["options"], **options}), tags
    if cursor.accept("UNSET", "TAG"):
        return record, read_unset_tags(session, cursor)
    if cursor.accept("UNSET", "COMMENT"):
        return replace(record, comment=""), {}
    if cursor.accept("UNSET", "INITIALIZATION_WAREHOUSE"):
        options = {k: v for k, v in record.body["options"].items() if k != "INITIALIZATION_WAREHOUSE"}
        return record.with_body(options=options), {}
    raise unsupported(f"ALTER DYNAMIC TABLE … {cursor.peek().text} {cursor.peek(1).text}".rstrip())


def _refresh(session: Session, current: Statement, name: ObjectName) -> Result:
    if current.cursor.accept("COPY", "SESSION"):
        raise unsupported("ALTER DYNAMIC TABLE … REFRESH COPY SESSION")
    current.cursor.end()
    columns = [("statistics", "text"), ("data_timestamp", "text")]
    if current.describe_only:
        return rows_result(columns, [], 0x6000)
    record = refresh(session, name, current.query_id)
    statistics = json.dumps({"insertedRows": record.body["rows"]})
    return rows_result(columns, [(statistics, record.body["data_timestamp"])], 0x6000)


def _rename(session: Session, current: Statement, old: ObjectName, new: ObjectName) -> Result:
    current.cursor.end()
    if old.parent != new.parent:
        raise unsupported("ALTER DYNAMIC TABLE … RENAME TO another schema")
    relations.require_free(session, new)
    if not current.describe_only:
        with session.changing(old.database) as connection:
            connection.execute(f"ALTER TABLE {old.duck} RENAME TO {duck(stored(new.name))}")
            session.account.catalog_of(old.database).rename(connection, KIND, old[1:], new[1:])
    return status(_DONE)


@statement("DROP", "DYNAMIC", "TABLE")
def drop_dynamic_table(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if not relations.require(session, name, KIND, if_exists):
        return status("Drop statement executed successfully.")
    if not current.describe_only:
        with session.changing(name.database):
            relations.drop(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("DESCRIBE", "DYNAMIC", "TABLE")
@statement("DESC", "DYNAMIC", "TABLE")
def describe_dynamic_table(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    existing(session, name)
    return describe_columns(session, name)


_SHOWN = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("cluster_by", "text"),
    ("rows", "fixed"),
    ("bytes", "fixed"),
    ("owner", "text"),
    ("target_lag", "text"),
    ("refresh_mode", "text"),
    ("refresh_mode_reason", "text"),
    ("warehouse", "text"),
    ("comment", "text"),
    ("text", "text"),
    ("automatic_clustering", "text"),
    ("scheduling_state", "text"),
    ("last_suspended_on", "timestamp_ltz"),
    ("is_clone", "text"),
    ("is_replica", "text"),
    ("is_iceberg", "text"),
    ("data_timestamp", "timestamp_ltz"),
    ("owner_role_type", "text"),
    ("initialization_warehouse", "text"),
]


@statement("SHOW", "DYNAMIC", "TABLES")
def show_dynamic_tables(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = [
        _row(database, record)
        for database in show.databases(session)
        if database != "SNOWFLAKE"
        for record in session.account.catalog_of(database).list(session.duck, KIND)
        if show.has(record.schema)
    ]
    return rows_result(_SHOWN, show.cut(rows, 1))


def _row(database: str, record: Record) -> tuple[object, ...]:
    body = record.body
    options = body["options"]
    declared = str(options.get("REFRESH_MODE", "AUTO")).upper()
    reason = "the embedded account computes every refresh in full"
    suspended = body.get("suspended_on") if body["state"] == "SUSPENDED" else None
    return (
        record.created_on,
        record.name,
        database,
        record.schema,
        body["cluster_by"],
        body.get("rows", 0),
        0,
        record.owner,
        options["TARGET_LAG"],
        "FULL" if declared == "AUTO" else declared,
        None if declared == "FULL" else reason,
        options["WAREHOUSE"],
        record.comment,
        body["text"],
        "OFF",
        body["state"],
        datetime.fromisoformat(suspended) if suspended else None,
        "false",
        "false",
        "false",
        data_timestamp(record),
        "ROLE",
        options.get("INITIALIZATION_WAREHOUSE"),
    )
