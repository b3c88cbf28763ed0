"""Dynamic tables: a query's rows, kept by refreshing on demand and by their lag; every refresh is FULL.

https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table. Rows, record and history row of a refresh are
written in one transaction of one file, so a crash leaves the table as it was before or after it.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.catalog import Record
from embedded_account.duck_errors import translated
from embedded_account.errors import SnowflakeError, already_exists, does_not_exist, invalid_value, unsupported
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tables import describe_columns, drop_object
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.objects.views import ColumnList, read_columns
from embedded_account.parse.cursor import Cursor
from embedded_account.query import table_exists, view_exists
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation

if TYPE_CHECKING:
    from embedded_account.account import Account

KIND = "DYNAMIC TABLE"
_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
_OPTIONS = {
    "TARGET_LAG",
    "WAREHOUSE",
    "INITIALIZATION_WAREHOUSE",
    "REFRESH_MODE",
    "INITIALIZE",
    "COMMENT",
    "DATA_RETENTION_TIME_IN_DAYS",
    "MAX_DATA_EXTENSION_TIME_IN_DAYS",
    "SCHEDULER",
}


def lag_seconds(text: str) -> int | None:
    """Seconds of a TARGET_LAG such as '1 day'; None for DOWNSTREAM."""
    if text.upper() == "DOWNSTREAM":
        return None
    match = re.fullmatch(r"\s*(\d+)\s+(SECOND|MINUTE|HOUR|DAY)S?\s*", text, re.IGNORECASE)
    seconds = int(match.group(1)) * _UNITS[match.group(2).upper()] if match else 0
    if seconds < 60:
        raise invalid_value(
            f"Invalid TARGET_LAG '{text}': at least 60 seconds, as '<number> seconds|minutes|hours|days'"
        )
    return seconds


@statement("CREATE", "DYNAMIC", "TABLE")
def create_dynamic_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    columns = read_columns(session, cursor)
    options, tags, cluster_by = _clauses(session, cursor)
    query = cursor.rest()
    done = status(f"Dynamic table {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    for needed in ("TARGET_LAG", "WAREHOUSE"):
        if needed not in options:
            raise SnowflakeError(f"SQL compilation error:\nMissing option(s): [{needed}]", 2002, "42601")
    lag_seconds(str(options["TARGET_LAG"]))
    if session.account.get("WAREHOUSE", str(options["WAREHOUSE"])) is None:
        raise does_not_exist("Warehouse", str(options["WAREHOUSE"]))
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    exists = table_exists(session, name) or view_exists(session, name)
    if exists and exists_ok:
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    if exists and not current.or_replace:
        raise already_exists(str(name))
    body = {
        "text": current.text.strip(),
        "query": query,
        "columns": columns.names,
        "column_comments": columns.comments,
        "options": options,
        "cluster_by": cluster_by,
        "state": "ACTIVE",
        "home": [session.database, session.schema],
    }
    record = Record(KIND, name.schema, name.name, session.role, str(options.get("COMMENT", "")), body)
    empty = str(options.get("INITIALIZE", "ON_CREATE")).upper() == "ON_SCHEDULE"
    with session.changing(name.database):
        drop_object(session, name)
        _fill(session, name, record, "CREATION", empty=empty)
        target = (name.schema, name.name)
        set_tags(session, name.database, "TABLE", target, tags)
        for column, column_tags in columns.tags.items():
            set_tags(session, name.database, "TABLE", target, column_tags, column)
    return done


def _clauses(session: Session, cursor: Cursor) -> tuple[dict[str, object], dict[ObjectName, str | None], str]:
    options: dict[str, object] = {}
    tags: dict[ObjectName, str | None] = {}
    cluster_by = ""
    while not cursor.accept("AS"):
        if cursor.looking_at("TAG") or cursor.looking_at("WITH", "TAG"):
            tags = read_tags(session, cursor)
        elif cursor.accept("CLUSTER", "BY"):
            cluster_by = f"LINEAR({cursor.parenthesized_text().strip()})"
        elif cursor.accept("COPY", "GRANTS") or cursor.accept("REQUIRE", "USER"):
            continue
        elif cursor.peek(1).text == "=":
            options.update(cursor.options())
        else:
            raise cursor.error()
    for option in options:
        if option not in _OPTIONS:
            raise unsupported(f"CREATE DYNAMIC TABLE … {option}")
    return options, tags, cluster_by


# ----- refreshing


@contextlib.contextmanager
def _at_home(session: Session, record: Record) -> Iterator[None]:
    """The query's names mean what they meant where the table was created."""
    before = session.database, session.schema
    session.database, session.schema = record.body["home"]
    try:
        yield
    finally:
        session.database, session.schema = before


def _fill(session: Session, name: ObjectName, record: Record, trigger: str, empty: bool = False) -> int:
    """Replace the rows and write record and history; inside the caller's transaction. The number of rows."""
    begun = datetime.now(UTC)
    connection = session.duck
    with _at_home(session, record), Translation(session) as translation:
        sql = translation.query(str(record.body["query"]))
        if '"temp"."main"' in sql:
            raise unsupported("dynamic table over a temporary table")
        listed = f"({', '.join(map(duck, record.body['columns']))})" if record.body["columns"] else ""
        source = f"SELECT * FROM ({sql}) AS q{listed}" + (" LIMIT 0" if empty else "")
        connection.execute(f"CREATE OR REPLACE TABLE {name.duck} AS {source}")
    for column, comment in record.body["column_comments"].items():
        connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(comment)}")
    rows = int(connection.execute(f"SELECT count(*) FROM {name.duck}").fetchall()[0][0])
    catalog = session.account.catalog_of(name.database)
    moment = None if empty else begun.isoformat()
    catalog.put(connection, record.with_body(data_timestamp=moment, rows=rows))
    if not empty:
        _remember(session, name, record, trigger, begun, "SUCCEEDED", "", rows)
    return rows


def history_table(connection: duckdb.DuckDBPyConnection, database: str) -> str:
    """The address of a database's refresh history, made when first needed."""
    address = duck(database, "__catalog", "dynamic_table_refreshes")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {address} (name VARCHAR, schema_name VARCHAR, state VARCHAR, state_message VARCHAR, "
        "query_id VARCHAR, data_timestamp TIMESTAMPTZ, refresh_start_time TIMESTAMPTZ, refresh_end_time TIMESTAMPTZ, "
        "refresh_trigger VARCHAR, target_lag_sec BIGINT, row_count BIGINT, warehouse VARCHAR)"
    )
    return address


def _remember(
    session: Session,
    name: ObjectName,
    record: Record,
    trigger: str,
    begun: datetime,
    state: str,
    message: str,
    rows: int,
) -> None:
    options = record.body["options"]
    session.duck.execute(
        f"INSERT INTO {history_table(session.duck, name.database)} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            name.name,
            name.schema,
            state,
            message,
            str(uuid.uuid4()),
            begun,
            begun,
            datetime.now(UTC),
            trigger,
            lag_seconds(str(options["TARGET_LAG"])),
            rows,
            str(options["WAREHOUSE"]),
        ],
    )


def refresh(session: Session, name: ObjectName, trigger: str) -> int:
    """Refresh what this table reads from first, then itself. The number of its rows.

    Raises:
        SnowflakeError: what its query raised; the failure is in the history.
    """
    record = _existing(session, name)
    for upstream in _upstream(session, record):
        refresh(session, upstream, trigger)
    begun = datetime.now(UTC)
    try:
        with session.changing(name.database):
            return _fill(session, name, record, trigger)
    except (duckdb.Error, SnowflakeError) as error:
        failure = error if isinstance(error, SnowflakeError) else translated(error, session)
        with session.changing(name.database):
            _remember(session, name, record, trigger, begun, "FAILED", failure.message, 0)
        raise failure from error


def _upstream(session: Session, record: Record) -> list[ObjectName]:
    """The dynamic tables that the query names."""
    from sqlglot import exp

    from embedded_account.translate import parse

    found = []
    with _at_home(session, record):
        for table in parse(str(record.body["query"])).find_all(exp.Table):
            parts = tuple(
                p.name if p.quoted else p.name.upper() for p in table.parts if isinstance(p, exp.Identifier)
            )
            if not parts or len(parts) > 3:
                continue
            name = session.resolve(parts)
            if session.account.has_database(name.database) and name.database != "SNOWFLAKE":
                catalog = session.account.catalog_of(name.database)
                if catalog.get(session.duck, KIND, name.schema, name.name):
                    found.append(name)
    return list(dict.fromkeys(found))


def refresh_due(account: Account, now: datetime) -> None:
    """Refresh each active dynamic table whose data is older than its lag. Called by the scheduler."""
    for database in account.databases():
        with contextlib.closing(account.cursor()) as connection:
            records = account.catalog_of(database).list(connection, KIND)
        for record in records:
            lag = lag_seconds(str(record.body["options"]["TARGET_LAG"]))
            moment = record.body.get("data_timestamp")
            if record.body["state"] != "ACTIVE" or lag is None:
                continue
            if moment is None or now - datetime.fromisoformat(moment) >= timedelta(seconds=lag):
                _refresh_alone(account, ObjectName(database, record.schema, record.name), record)


def _refresh_alone(account: Account, name: ObjectName, record: Record) -> None:
    session = Session(account, record.owner)
    try:
        session.warehouse = str(record.body["options"]["WAREHOUSE"])
        with contextlib.suppress(SnowflakeError):  # the failure is in the history, and it is tried again
            refresh(session, name, "SCHEDULED")
    finally:
        session.close()


# ----- the other statements


def _existing(session: Session, name: ObjectName) -> Record:
    if session.account.has_database(name.database) and name.database != "SNOWFLAKE":
        record = session.account.catalog_of(name.database).get(session.duck, KIND, name.schema, name.name)
        if record is not None:
            return record
    raise does_not_exist("Dynamic Table", str(name))


@statement("ALTER", "DYNAMIC", "TABLE")
def alter_dynamic_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    done = status("Statement executed successfully.")
    try:
        record = _existing(session, name)
    except SnowflakeError:
        if if_exists:
            return done
        raise
    if current.describe_only:
        return done
    if cursor.accept("REFRESH"):
        cursor.accept("COPY", "SESSION")
        cursor.end()
        rows = refresh(session, name, "MANUAL")
        moment = str(_existing(session, name).body["data_timestamp"])
        columns = [("statistics", "text"), ("data_timestamp", "text")]
        return rows_result(columns, [(f'{{"insertedRows":{rows}}}', moment)], 0x6000)
    tags: dict[ObjectName, str | None] = {}
    if cursor.accept("SUSPEND"):
        record = record.with_body(state="SUSPENDED", suspended_on=datetime.now(UTC).isoformat())
    elif cursor.accept("RESUME"):
        record = record.with_body(state="ACTIVE")
    elif cursor.accept("RENAME", "TO"):
        return _rename(session, name, session.resolve(cursor.name()), done)
    elif cursor.accept("SET"):
        tags = read_tags(session, cursor)
        record = _with_options(session, record, cursor.options())
    elif cursor.accept("UNSET"):
        if cursor.accept("TAG"):
            tags = read_unset_tags(session, cursor)
        else:
            cursor.expect("COMMENT")
            record = replace(record, comment="")
    else:
        raise unsupported(f"ALTER DYNAMIC TABLE … {cursor.peek().text}")
    cursor.end()
    with session.changing(name.database) as connection:
        session.account.catalog_of(name.database).put(connection, record) if not tags else None
        set_tags(session, name.database, "TABLE", (name.schema, name.name), tags)
    return done


def _with_options(session: Session, record: Record, options: dict[str, Any]) -> Record:
    for option in options:
        if option not in _OPTIONS:
            raise unsupported(f"ALTER DYNAMIC TABLE … SET {option}")
    if "TARGET_LAG" in options:
        lag_seconds(str(options["TARGET_LAG"]))
    if "WAREHOUSE" in options and session.account.get("WAREHOUSE", str(options["WAREHOUSE"])) is None:
        raise does_not_exist("Warehouse", str(options["WAREHOUSE"]))
    comment = str(options.get("COMMENT", record.comment))
    return replace(record, comment=comment).with_body(options={**record.body["options"], **options})


def _rename(session: Session, old: ObjectName, new: ObjectName, done: Result) -> Result:
    if old.parent != new.parent:
        raise unsupported("ALTER DYNAMIC TABLE … RENAME TO another schema")
    if table_exists(session, new) or view_exists(session, new):
        raise already_exists(str(new))
    with session.changing(old.database) as connection:
        connection.execute(f"ALTER TABLE {old.duck} RENAME TO {duck(new.name)}")
        session.account.catalog_of(old.database).rename(connection, KIND, old[1:], new[1:])
    return done


@statement("DROP", "DYNAMIC", "TABLE")
def drop_dynamic_table(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    try:
        _existing(session, name)
    except SnowflakeError:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise
    if not current.describe_only:
        with session.changing(name.database):
            drop_object(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("DESCRIBE", "DYNAMIC", "TABLE")
@statement("DESC", "DYNAMIC", "TABLE")
def describe_dynamic_table(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    _existing(session, name)
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
    rows = []
    for database in show.databases(session):
        if database == "SNOWFLAKE":
            continue
        for r in session.account.catalog_of(database).list(session.duck, KIND):
            if not show.has(r.schema):
                continue
            o = r.body["options"]
            suspended, moment = r.body.get("suspended_on"), r.body.get("data_timestamp")
            rows.append(
                (
                    r.created_on,
                    r.name,
                    database,
                    r.schema,
                    r.body["cluster_by"],
                    r.body.get("rows", 0),
                    0,
                    r.owner,
                    o["TARGET_LAG"],
                    "FULL",
                    "The embedded account refreshes in full.",
                    o["WAREHOUSE"],
                    r.comment,
                    r.body["text"],
                    "OFF",
                    r.body["state"],
                    datetime.fromisoformat(suspended)
                    if suspended and r.body["state"] == "SUSPENDED"
                    else None,
                    "false",
                    "false",
                    "false",
                    datetime.fromisoformat(moment) if moment else None,
                    "ROLE",
                    o.get("INITIALIZATION_WAREHOUSE"),
                )
            )
    return rows_result(_SHOWN, show.cut(rows, 1))


__all__ = ["ColumnList", "refresh", "refresh_due"]
