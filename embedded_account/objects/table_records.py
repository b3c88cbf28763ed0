"""The record of a table: in its database's catalog, or, of a temporary table, in its session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import duckdb

from embedded_account.catalog import Record
from embedded_account.errors import wrong_kind
from embedded_account.names import ObjectName
from embedded_account.session import Session, TemporaryObject


def is_temporary(session: Session, name: ObjectName) -> bool:
    # A temporary view is kept under the same key: they hide what they share a name with.
    found = session.temporary.get(("TABLE", name))
    return found is not None and found.kind == "TABLE"


def is_temporary_table(session: Session, name: ObjectName) -> bool:
    """The same for a statement about tables, which raises SnowflakeError for a temporary view."""
    found = session.temporary.get(("TABLE", name))
    if found is not None and found.kind != "TABLE":
        raise wrong_kind(found.kind, "TABLE")
    return found is not None


def load(session: Session, name: ObjectName) -> Record:
    if is_temporary(session, name):
        record: Record = session.temporary[("TABLE", name)].body["record"]
        return record
    catalog = session.account.catalog_of(name.database)
    found = catalog.get(session.duck, "TABLE", name.schema, name.name)
    return found or Record("TABLE", name.schema, name.name)


def save(session: Session, name: ObjectName, record: Record) -> None:
    """Write the record of a table that a statement changes now, inside the caller's transaction."""
    record = replace(record, schema=name.schema, name=name.name).with_body(
        last_ddl=datetime.now(UTC).isoformat()
    )
    if is_temporary(session, name):
        session.temporary[("TABLE", name)] = TemporaryObject("TABLE", {"record": record})
    else:
        session.account.catalog_of(name.database).put(session.duck, record)


def schema_of(session: Session, name: ObjectName) -> tuple[str, str]:
    """Where DuckDB holds the table."""
    return name.temporary_address[:2] if is_temporary(session, name) else name.parent.address


@contextlib.contextmanager
def changing(session: Session, name: ObjectName, temporary: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """One atomic change of a table; what the session remembers of its temporary tables is undone with it.

    Statements about temporary tables do not commit an open transaction, which Snowpark asks for by its parameter
    SNOWPARK_SKIP_TXN_COMMIT_IN_DDL.
    """
    remembered = dict(session.temporary)
    try:
        if temporary and session.in_transaction:
            yield session.duck
        else:
            with session.changing(name.database) as connection:
                yield connection
    except BaseException:
        session.temporary = remembered
        raise
