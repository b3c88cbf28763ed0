"""Refreshing dynamic tables: on demand, by their lag, and what they read from first. Every refresh is FULL.

The query runs first, into a temporary table; then rows, record and history row are written in one transaction of one
file, so that a crash leaves the table as it was before or after.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.duck_errors import translated
from embedded_account.durations import Duration
from embedded_account.errors import SnowflakeError, does_not_exist, invalid_value
from embedded_account.names import ObjectName, duck, literal, real
from embedded_account.objects.dynamic_table_history import Refresh, remember
from embedded_account.security import warehouse
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.translate import Translation

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)
KIND = "DYNAMIC TABLE"
# https://docs.snowflake.com/en/user-guide/dynamic-tables-tasks-create#automatic-suspension
FAILURES_BEFORE_SUSPENSION = 5
SHORTEST_LAG = 60
_trigger: ContextVar[str] = ContextVar("refresh_trigger", default="MANUAL")


def lag_seconds(text: str) -> int | None:
    """Seconds of a TARGET_LAG such as '1 day'; None for DOWNSTREAM.

    Raises:
        SnowflakeError: for anything else, and for less than 60 seconds.
    """
    lag = _lag(text)
    return lag.seconds if lag is not None else None


def shown_lag(text: str) -> str:
    """A TARGET_LAG as SHOW prints it: `'1h'` is `1 hour`. Raises as `lag_seconds` does."""
    lag = _lag(text)
    return str(lag) if lag is not None else "DOWNSTREAM"


def _lag(text: str) -> Duration | None:
    if text.strip().upper() == "DOWNSTREAM":
        return None
    lag = Duration.of(text)
    if lag is None or lag.seconds < SHORTEST_LAG:
        raise invalid_value(
            f"Invalid TARGET_LAG '{text}': it is '<number> seconds|minutes|hours|days' of at least {SHORTEST_LAG} "
            "seconds, or DOWNSTREAM."
        )
    return lag


def data_timestamp(record: Record) -> datetime | None:
    moment = record.body.get("data_timestamp")
    return datetime.fromisoformat(moment) if moment else None


def existing(session: Session, name: ObjectName) -> Record:
    """Raises SnowflakeError 002003 if there is no such dynamic table."""
    if name.database in session.account.databases():
        record = session.account.catalog_of(name.database).get(session.duck, KIND, name.schema, name.name)
        if record is not None:
            return record
    raise does_not_exist("Dynamic Table", str(name))


@dataclass(frozen=True)
class Computed:
    """Rows of a dynamic table's query, in a temporary table."""

    address: str
    rows: int
    begun: datetime


@contextlib.contextmanager
def computed(session: Session, record: Record, empty: bool = False) -> Iterator[Computed]:
    """Run the query as where the table was created, on the table's own warehouse.

    Names of temporary objects mean nothing in it.
    """
    begun = datetime.now(UTC)
    connection = session.duck
    address = f"temp.main.{duck(session.scratch_name('dynamic'))}"
    with _at_home(session, record), Translation(session) as translation:
        sql = translation.query(str(record.body["query"]))
        columns = record.body["columns"]
        listed = f"({', '.join(map(duck, columns))})" if columns else ""
        limit = " LIMIT 0" if empty else ""
        if session.running and not empty:
            session.running[-1].refreshes_on = session.warehouse
        connection.execute(f"CREATE TEMP TABLE {address} AS SELECT * FROM ({sql}) AS q{listed}{limit}")
    try:
        (rows,) = connection.execute(f"SELECT count(*) FROM {address}").fetchall()[0]
        yield Computed(address, int(rows), begun)
    finally:
        with contextlib.suppress(duckdb.Error):
            connection.execute(f"DROP TABLE {address}")


@contextlib.contextmanager
def _at_home(session: Session, record: Record) -> Iterator[None]:
    before = session.database, session.schema, session.temporary, session.warehouse
    session.database, session.schema = record.body["home"]
    session.temporary = {}
    session.warehouse = str(record.body["options"]["WAREHOUSE"])
    try:
        warehouse.require(session)
        yield
    finally:
        session.database, session.schema, session.temporary, session.warehouse = before


def write(
    session: Session, name: ObjectName, record: Record, rows: Computed, trigger: str, query_id: str
) -> None:
    """Replace the table's rows, its record and the history's newest row, inside the caller's transaction."""
    connection = session.duck
    connection.execute(f"CREATE OR REPLACE TABLE {name.duck} AS SELECT * FROM {rows.address}")
    for column, comment in record.body["column_comments"].items():
        connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(comment)}")
    changed = record.with_body(data_timestamp=rows.begun.isoformat(), rows=rows.rows, failures=0)
    session.account.catalog_of(name.database).put(connection, changed)
    remember(session, replace(_row(name, record, rows.begun, trigger, query_id), rows=rows.rows))


def _row(name: ObjectName, record: Record, begun: datetime, trigger: str, query_id: str) -> Refresh:
    options = record.body["options"]
    return Refresh(
        name,
        begun,
        trigger,
        query_id,
        str(options["WAREHOUSE"]),
        lag_seconds(str(options["TARGET_LAG"])),
        data_timestamp(record),
        rows_before=int(record.body.get("rows", 0)),
    )


def refresh(session: Session, name: ObjectName, query_id: str) -> Record:
    """Refresh what this table reads from, then itself; the record after it.

    Raises:
        SnowflakeError: what a query raised; the failure is in the history.
    """
    session.commit_before_ddl()
    return _refresh(session, name, query_id, set())


def _refresh(session: Session, name: ObjectName, query_id: str, done: set[ObjectName]) -> Record:
    done.add(name)
    trigger = _trigger.get()
    # A table waits for its upstream tables' locks and never the reverse, so nobody waits in a circle.
    with session.account.lock(f"refresh of {name}"):
        record = existing(session, name)
        for upstream in upstream_tables(session, record):
            if upstream not in done:
                try:
                    _refresh(session, upstream, query_id, done)
                except SnowflakeError as error:
                    begun = datetime.now(UTC)
                    failed = replace(_row(name, record, begun, trigger, query_id), state="UPSTREAM_FAILED")
                    _note_failure(session, replace(failed, message=error.message))
                    raise
        begun = datetime.now(UTC)
        try:
            with computed(session, record) as rows, session.changing(name.database):
                newest = existing(session, name)
                if newest.created_on != record.created_on:
                    raise SnowflakeError(
                        f"Dynamic table '{name}' was replaced during its refresh.", 625, "57014"
                    )
                write(session, name, newest, rows, trigger, query_id)
        except (duckdb.Error, SnowflakeError) as error:
            failure = error if isinstance(error, SnowflakeError) else translated(error, session)
            failed = replace(_row(name, record, begun, trigger, query_id), state="FAILED")
            _note_failure(session, replace(failed, message=failure.message))
            raise failure from error
        return existing(session, name)


def _note_failure(session: Session, failed: Refresh) -> None:
    """Write the failure; after the fifth scheduled one in a row the table is suspended."""
    with session.changing(failed.name.database) as connection:
        catalog = session.account.catalog_of(failed.name.database)
        newest = catalog.get(connection, KIND, failed.name.schema, failed.name.name)
        if newest is None:
            return
        failures = int(newest.body.get("failures", 0)) + 1
        newest = newest.with_body(failures=failures)
        if failed.trigger == "SCHEDULED" and failures >= FAILURES_BEFORE_SUSPENSION:
            newest = newest.with_body(
                state="SUSPENDED",
                suspended_on=datetime.now(UTC).isoformat(),
                suspended_because=failed.message,
            )
        catalog.put(connection, newest)
        remember(session, failed)


def upstream_tables(session: Session, record: Record) -> list[ObjectName]:
    """The dynamic tables that the query reads, through views too."""
    return [name for name in tables_read(session, record) if _is_dynamic(session, name)]


def _is_dynamic(session: Session, name: ObjectName) -> bool:
    catalog = session.account.catalog_of(name.database)
    return catalog.get(session.duck, KIND, name.schema, name.name) is not None


def tables_read(session: Session, record: Record) -> list[ObjectName]:
    """The tables, dynamic ones too, that the query reads, through views too."""
    with _at_home(session, record), Translation(session, describe_only=True) as translation:
        pending = [("", translation.query(str(record.body["query"])))]
    found: dict[ObjectName, None] = {}
    seen: set[ObjectName] = set()
    while pending:
        home, sql = pending.pop()
        for table in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table):
            # DuckDB leaves out of a view's text the database that the view itself is in.
            name = ObjectName(table.catalog or home, real(table.db), real(table.name))
            if not all(name) or name in seen or name.database not in session.account.databases():
                continue
            seen.add(name)
            if texts := _view_text(session, name):
                pending += [(name.database, text) for text in texts]
            else:
                found[name] = None
    return list(found)


def _view_text(session: Session, name: ObjectName) -> list[str]:
    rows = session.duck.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
        list(name.address),
    ).fetchall()
    return [str(sql) for (sql,) in rows]


# ----- by the lag


def refresh_due(account: Account, now: datetime) -> None:
    """Refresh each active dynamic table whose data would otherwise grow older than its lag.

    Called by the scheduler every few seconds. A failure is in the history, and is tried again after a tenth of the lag.
    """
    for database in account.databases():
        with contextlib.closing(account.cursor()) as connection:
            try:
                records = account.catalog_of(database).list(connection, KIND)
            except (SnowflakeError, duckdb.Error):  # dropped meanwhile
                continue
        for record in records:
            if account.closing.is_set():
                return
            if is_due(record, now):
                _refresh_alone(account, ObjectName(database, record.schema, record.name), record)


def is_due(record: Record, now: datetime) -> bool:
    """Whether a table's next refresh must begin now; one without data has never been refreshed."""
    lag = lag_seconds(str(record.body["options"]["TARGET_LAG"]))
    if record.body["state"] != "ACTIVE" or lag is None:
        return False
    attempted = record.body.get("attempted")
    if attempted and now - datetime.fromisoformat(attempted) < timedelta(seconds=lag / 10):
        return False
    moment = data_timestamp(record)
    return moment is None or now - moment >= timedelta(seconds=lag)


def _refresh_alone(account: Account, name: ObjectName, record: Record) -> None:
    """As the owner, in a session of its own, so that it is found in the query history."""
    session = Session(account, record.owner)
    token = _trigger.set("SCHEDULED")
    try:
        session.warehouse = str(record.body["options"]["WAREHOUSE"])
        with session.changing(name.database) as connection:
            newest = existing(session, name).with_body(attempted=datetime.now(UTC).isoformat())
            account.catalog_of(name.database).put(connection, newest)
        execute(session, f"ALTER DYNAMIC TABLE {name} REFRESH")
    except SnowflakeError as error:
        log.info("Refresh of %s failed: %s", name, error.message)
    finally:
        _trigger.reset(token)
        session.close()
