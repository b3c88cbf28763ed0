"""Tasks in the catalogs: find, list, change. A change of several tasks of one database is one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from embedded_account.errors import does_not_exist
from embedded_account.names import ObjectName, SchemaName
from embedded_account.tasks.definition import KIND, TaskDefinition, from_record, now, to_record

if TYPE_CHECKING:
    from embedded_account.account import Account


def find(account: Account, connection: duckdb.DuckDBPyConnection, name: ObjectName) -> TaskDefinition | None:
    if name.database not in account.databases():
        return None
    record = account.catalog_of(name.database).get(connection, KIND, name.schema, name.name)
    return from_record(name.database, record) if record else None


def get(account: Account, connection: duckdb.DuckDBPyConnection, name: ObjectName) -> TaskDefinition:
    """Raises SnowflakeError 002003 if there is none."""
    task = find(account, connection, name)
    if task is None:
        raise does_not_exist("Task", str(name))
    return task


def in_schema(
    account: Account, connection: duckdb.DuckDBPyConnection, schema: SchemaName
) -> dict[str, TaskDefinition]:
    """The tasks of one schema by name."""
    records = account.catalog_of(schema.database).list(connection, KIND, schema.schema)
    return {record.name: from_record(schema.database, record) for record in records}


def in_database(
    account: Account, connection: duckdb.DuckDBPyConnection, database: str
) -> list[TaskDefinition]:
    """The tasks of a database by schema and name."""
    if database not in account.databases():
        return []
    return [from_record(database, record) for record in account.catalog_of(database).list(connection, KIND)]


def put(account: Account, connection: duckdb.DuckDBPyConnection, tasks: Iterable[TaskDefinition]) -> None:
    """Insert or replace, inside the caller's transaction."""
    for task in tasks:
        account.catalog_of(task.name.database).put(connection, to_record(task))


def delete(account: Account, connection: duckdb.DuckDBPyConnection, name: ObjectName) -> None:
    account.catalog_of(name.database).delete(connection, KIND, name.schema, name.name)


def read(account: Account, name: ObjectName) -> TaskDefinition | None:
    """The same as `find` outside any session."""
    with contextlib.closing(account.cursor()) as connection:
        return find(account, connection, name)


def read_schema(account: Account, schema: SchemaName) -> dict[str, TaskDefinition]:
    with contextlib.closing(account.cursor()) as connection:
        return in_schema(account, connection, schema)


def modify(
    account: Account, name: ObjectName, task_id: str, change: Callable[[TaskDefinition], TaskDefinition]
) -> None:
    """Change a task unless it was dropped or recreated since its id was read."""
    if name.database not in account.databases():
        return
    with contextlib.closing(account.cursor()) as connection, account.changing(name.database, connection):
        task = find(account, connection, name)
        if task is not None and task.id == task_id:
            put(account, connection, [change(task)])


def committed(account: Account, tasks: Iterable[TaskDefinition], root: TaskDefinition, version: int) -> None:
    """Note on the tasks of a graph that a version of it was cut."""
    moment = now()
    with contextlib.closing(account.cursor()) as connection, account.changing(root.name.database, connection):
        for task in tasks:
            current = find(account, connection, task.name)
            if current is None or current.id != task.id:
                continue
            changed = replace(current, last_committed_on=moment)
            put(account, connection, [replace(changed, version=version) if current.is_root else changed])
