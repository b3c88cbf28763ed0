"""Rows about objects that DuckDB has no place for, kept in the same file as the objects themselves.

One table of records for each database file, and one in the account's own file for what spans databases. Keeping a
record beside its object lets one DuckDB transaction, which writes a single file, change both or neither.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from embedded_account.names import duck

SCHEMA = "__catalog"


@dataclass(frozen=True)
class Record:
    """One object. `schema` is empty for objects that live in no schema; `body` holds what its kind needs."""

    kind: str
    schema: str
    name: str
    owner: str = "ACCOUNTADMIN"
    comment: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    created_on: datetime = field(default_factory=lambda: datetime.now(UTC))

    def with_body(self, **changes: object) -> Record:
        return replace(self, body={**self.body, **changes})


_COLUMNS = "kind, schema_name, name, owner, comment, body, created_on"


def _record(row: tuple[Any, ...]) -> Record:
    kind, schema, name, owner, comment, body, created_on = row
    return Record(kind, schema, name, owner, comment, json.loads(body), created_on)


class Catalog:
    """The records of one attached database. Every method runs on the caller's connection and transaction."""

    def __init__(self, attached: str) -> None:
        self.attached = attached
        self._objects = duck(attached, SCHEMA, "objects")
        self._tags = duck(attached, SCHEMA, "tag_references")
        self._changes = duck(attached, SCHEMA, "table_changes")
        self.loads = duck(attached, SCHEMA, "loads")

    def create(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {duck(self.attached, SCHEMA)}")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._objects} (kind VARCHAR, schema_name VARCHAR, name VARCHAR, "
            "owner VARCHAR, comment VARCHAR, body VARCHAR, created_on TIMESTAMPTZ)"
        )
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._tags} (domain VARCHAR, schema_name VARCHAR, name VARCHAR, "
            "column_name VARCHAR, tag_database VARCHAR, tag_schema VARCHAR, tag_name VARCHAR, value VARCHAR)"
        )
        # Rows are only added, so that two writers of one table do not meet in its row here.
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._changes} (schema_name VARCHAR, name VARCHAR, moment TIMESTAMPTZ)"
        )
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.loads} (schema_name VARCHAR, name VARCHAR, file VARCHAR, "
            "etag VARCHAR, loaded_at TIMESTAMPTZ, outcome VARCHAR, PRIMARY KEY (schema_name, name, file))"
        )

    def compact(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the newest change of each table."""
        connection.execute(
            f"CREATE OR REPLACE TABLE {self._changes} AS "
            f"SELECT schema_name, name, max(moment) AS moment FROM {self._changes} GROUP BY ALL"
        )

    def get(self, connection: duckdb.DuckDBPyConnection, kind: str, schema: str, name: str) -> Record | None:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM {self._objects} WHERE kind = ? AND schema_name = ? AND name = ?",
            [kind, schema, name],
        ).fetchall()
        return _record(rows[0]) if rows else None

    def list(
        self, connection: duckdb.DuckDBPyConnection, kind: str, schema: str | None = None
    ) -> list[Record]:
        """Records of one kind, by schema and name."""
        where, values = "kind = ?", [kind]
        if schema is not None:
            where, values = where + " AND schema_name = ?", [kind, schema]
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM {self._objects} WHERE {where} ORDER BY schema_name, name", values
        ).fetchall()
        return [_record(row) for row in rows]

    def put(self, connection: duckdb.DuckDBPyConnection, record: Record) -> None:
        """Insert or replace."""
        self._delete_row(connection, record.kind, record.schema, record.name)
        connection.execute(
            f"INSERT INTO {self._objects} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                record.kind,
                record.schema,
                record.name,
                record.owner,
                record.comment,
                json.dumps(record.body),
                record.created_on,
            ],
        )

    def _delete_row(self, connection: duckdb.DuckDBPyConnection, kind: str, schema: str, name: str) -> None:
        connection.execute(
            f"DELETE FROM {self._objects} WHERE kind = ? AND schema_name = ? AND name = ?",
            [kind, schema, name],
        )

    def delete(self, connection: duckdb.DuckDBPyConnection, kind: str, schema: str, name: str) -> None:
        """Remove a record and the tags set on its object."""
        self._delete_row(connection, kind, schema, name)
        connection.execute(
            f"DELETE FROM {self._tags} WHERE domain = ? AND schema_name = ? AND name = ?",
            [tag_domain(kind), schema, name],
        )
        if tag_domain(kind) == "TABLE":
            for table in (self._changes, self.loads):
                connection.execute(f"DELETE FROM {table} WHERE schema_name = ? AND name = ?", [schema, name])

    def rename(
        self, connection: duckdb.DuckDBPyConnection, kind: str, old: tuple[str, str], new: tuple[str, str]
    ) -> None:
        """Move a record and its tags from one (schema, name) to another of the same database."""
        for table, column in ((self._objects, "kind"), (self._tags, "domain")):
            connection.execute(
                f"UPDATE {table} SET schema_name = ?, name = ? "
                f"WHERE {column} = ? AND schema_name = ? AND name = ?",
                [*new, kind if column == "kind" else tag_domain(kind), *old],
            )
        if tag_domain(kind) == "TABLE":
            for table in (self._changes, self.loads):
                connection.execute(
                    f"UPDATE {table} SET schema_name = ?, name = ? WHERE schema_name = ? AND name = ?",
                    [*new, *old],
                )

    def delete_schema(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        for table in (self._objects, self._tags, self._changes, self.loads):
            connection.execute(f"DELETE FROM {table} WHERE schema_name = ?", [schema])
        self.delete(connection, "SCHEMA", "", schema)

    # ----- rows of tables

    def changed(self, connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
        """Note, in the transaction that changes them, that a table's rows change now."""
        connection.execute(f"INSERT INTO {self._changes} VALUES (?, ?, ?)", [schema, name, datetime.now(UTC)])

    def changes(self, connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], datetime]:
        """When the rows of each (schema, table) changed last."""
        rows = connection.execute(
            f"SELECT schema_name, name, max(moment) FROM {self._changes} GROUP BY ALL"
        ).fetchall()
        return {(schema, name): moment for schema, name, moment in rows}

    def forget_loads(self, connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
        connection.execute(f"DELETE FROM {self.loads} WHERE schema_name = ? AND name = ?", [schema, name])

    # ----- tags set on objects of this database

    def set_tag(
        self,
        connection: duckdb.DuckDBPyConnection,
        domain: str,
        target: tuple[str, str],
        tag: tuple[str, ...],
        value: str | None,
        column: str = "",
    ) -> None:
        """Set, or with None unset, a tag on (schema, name) or one of its columns."""
        key = [domain, *target, column, *tag]
        connection.execute(
            f"DELETE FROM {self._tags} WHERE domain = ? AND schema_name = ? AND name = ? AND column_name = ? "
            "AND tag_database = ? AND tag_schema = ? AND tag_name = ?",
            key,
        )
        if value is not None:
            connection.execute(f"INSERT INTO {self._tags} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*key, value])

    def forget_column(
        self, connection: duckdb.DuckDBPyConnection, target: tuple[str, str], column: str
    ) -> None:
        """Remove the tags of a column that is no longer there."""
        connection.execute(
            f"DELETE FROM {self._tags} WHERE domain = 'TABLE' AND schema_name = ? AND name = ? AND column_name = ?",
            [*target, column],
        )

    def rename_column(
        self, connection: duckdb.DuckDBPyConnection, target: tuple[str, str], old: str, new: str
    ) -> None:
        connection.execute(
            f"UPDATE {self._tags} SET column_name = ? "
            "WHERE domain = 'TABLE' AND schema_name = ? AND name = ? AND column_name = ?",
            [new, *target, old],
        )

    def tags(self, connection: duckdb.DuckDBPyConnection, **where: str) -> Sequence[dict[str, str]]:
        """Tag references whose columns equal `where`, e.g. tags(c, domain="TABLE", schema_name="S", name="T")."""
        condition = " AND ".join(f"{duck(column)} = ?" for column in where) or "true"
        cursor = connection.execute(f"SELECT * FROM {self._tags} WHERE {condition}", list(where.values()))
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def tag_domain(kind: str) -> str:
    """The OBJECT_DOMAIN of TAG_REFERENCES for a kind: views and dynamic tables count as tables, models as modules."""
    return {"VIEW": "TABLE", "DYNAMIC TABLE": "TABLE", "MODEL": "MODULE"}.get(kind, kind)
