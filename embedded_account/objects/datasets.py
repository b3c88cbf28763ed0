"""Datasets: named sets of rows whose versions are Parquet files that never change.

Snowflake documents their Python interface; the statements are those that snowflake-ml sends, and the error numbers
those that it tests. https://docs.snowflake.com/en/developer-guide/snowflake-ml/dataset
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_account import files
from embedded_account.catalog import Record
from embedded_account.errors import (
    SnowflakeError,
    already_exists,
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from embedded_account.names import ObjectName, literal, shown
from embedded_account.objects import versions
from embedded_account.objects.show import read_show
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.result import SHOW, Result, rows_result, status
from embedded_account.security import warehouse
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation

KIND = "DATASET"
DATA_FILE = "data_0_0_0.snappy.parquet"
_DONE = "Statement executed successfully."
_NO_DATASET = 399019
_NO_VERSION = 399012
_VERSION_EXISTS = 399020
_NO_OBJECT = 2043


def _find(session: Session, name: ObjectName) -> Record | None:
    if name.database not in session.account.databases():
        return None
    return session.account.catalog_of(name.database).get(session.duck, KIND, name.schema, name.name)


def _get(session: Session, name: ObjectName, code: int = 2003) -> Record:
    record = _find(session, name)
    if record is None:
        error = does_not_exist("Dataset", str(name))
        raise SnowflakeError(error.message, code, error.sqlstate)
    return record


def _version(record: Record, version: str) -> dict[str, Any] | None:
    return next((dict(v) for v in record.body["versions"] if v["name"] == version), None)


@statement("CREATE", "DATASET")
def create_dataset(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    options = cursor.options()
    tags = read_tags(session, cursor)
    options.update(cursor.options())
    cursor.end()
    if unknown := set(options) - {"COMMENT"}:
        raise unsupported(f"CREATE DATASET … {sorted(unknown)[0]}")
    done = status(f"Dataset {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    with session.changing(name.database) as connection:
        existing = _find(session, name)
        if existing and exists_ok:
            return status(f"{shown(name.name)} already exists, statement succeeded.")
        if existing and not current.or_replace:
            raise already_exists(str(name))
        catalog = session.account.catalog_of(name.database)
        catalog.delete(connection, KIND, name.schema, name.name)
        comment = str(options.get("COMMENT", ""))
        catalog.put(connection, Record(KIND, name.schema, name.name, session.role, comment, {"versions": []}))
        set_tags(session, name.database, KIND, (name.schema, name.name), tags)
    if existing:
        _remove_folders(session, name.database, existing.body["versions"])
    return done


def _remove_folders(session: Session, database: str, gone: list[dict[str, Any]]) -> None:
    for version in gone:
        shutil.rmtree(files.folder(session.account, database, version["id"]), ignore_errors=True)


@statement("DROP", "DATASET")
def drop_dataset(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if _find(session, name) is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Dataset", str(name))
    if not current.describe_only:
        with session.changing(name.database) as connection:
            record = _get(session, name)
            session.account.catalog_of(name.database).delete(connection, KIND, name.schema, name.name)
        _remove_folders(session, name.database, record.body["versions"])
    return status(f"{shown(name.name)} successfully dropped.")


@statement("ALTER", "DATASET")
def alter_dataset(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    if if_exists and _find(session, name) is None:
        return status(_DONE)
    if cursor.accept("ADD", "VERSION"):
        return _add_version(session, current, name)
    if cursor.accept("DROP", "VERSION"):
        return _drop_version(session, current, name)
    record = _get(session, name)
    tags = {}
    if cursor.accept("SET", "COMMENT", "="):
        record = replace(record, comment=cursor.string())
    elif cursor.accept("UNSET", "COMMENT"):
        record = replace(record, comment="")
    elif cursor.accept("UNSET", "TAG"):
        tags = read_unset_tags(session, cursor)
    elif cursor.looking_at("SET", "TAG") and cursor.accept("SET"):
        tags = read_tags(session, cursor, required=True)
    else:
        raise unsupported(f"ALTER DATASET … {cursor.peek().text}")
    cursor.end()
    if not current.describe_only:
        with session.changing(name.database) as connection:
            newest = _get(session, name)
            session.account.catalog_of(name.database).put(connection, replace(newest, comment=record.comment))
            set_tags(session, name.database, KIND, (name.schema, name.name), tags)
    return status(_DONE)


def _add_version(session: Session, current: Statement, name: ObjectName) -> Result:
    """ADD VERSION 'v' FROM (query) [COMMENT = '…'] [METADATA = '…']"""
    cursor = current.cursor
    version = cursor.string()
    cursor.expect("FROM")
    if not cursor.looking_at("("):
        raise unsupported("ALTER DATASET … ADD VERSION … FROM a stage")
    query = cursor.parenthesized_text()
    if cursor.looking_at("PARTITION", "BY"):
        raise unsupported("ALTER DATASET … ADD VERSION … PARTITION BY")
    options = cursor.options()
    cursor.end()
    if unknown := set(options) - {"COMMENT", "METADATA"}:
        raise unsupported(f"ALTER DATASET … ADD VERSION … {sorted(unknown)[0]}")
    metadata = str(options.get("METADATA", "{}"))
    _check(version, metadata)
    _refuse_existing(_get(session, name, _NO_DATASET), name, version)
    if current.describe_only:
        return status(_DONE)
    object_id = uuid.uuid4().hex
    folder = files.folder(session.account, name.database, object_id)
    try:
        _write(session, query, folder)
        with session.changing(name.database) as connection:
            record = _get(session, name, _NO_DATASET)
            _refuse_existing(record, name, version)
            entry = {
                "name": version,
                "id": object_id,
                "created_on": datetime.now(UTC).isoformat(),
                "comment": str(options.get("COMMENT", "")),
                "metadata": metadata,
            }
            session.account.catalog_of(name.database).put(
                connection, record.with_body(versions=[*record.body["versions"], entry])
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return status(_DONE)


def _check(version: str, metadata: str) -> None:
    if not version or "/" in version:
        raise invalid_value(f"'{version}' is not a valid name of a dataset version.")
    try:
        json.loads(metadata)
    except ValueError as error:
        raise invalid_value(f"METADATA is not valid JSON: {error}") from None


def _refuse_existing(record: Record, name: ObjectName, version: str) -> None:
    if _version(record, version) is not None:
        raise compilation_error(
            f"Dataset version '{version}' of '{name}' already exists.", _VERSION_EXISTS, "42710"
        )


def _write(session: Session, query: str, folder: Path) -> None:
    """The query's rows as one Parquet file, named as Snowflake names the first of several."""
    folder.mkdir(parents=True)
    warehouse.require(session)
    with Translation(session) as translation:
        sql = translation.query(query)
        session.duck.execute(
            f"COPY ({sql}) TO {literal(str(folder / DATA_FILE))} (FORMAT PARQUET, COMPRESSION SNAPPY)"
        )


def _drop_version(session: Session, current: Statement, name: ObjectName) -> Result:
    version = current.cursor.string()
    current.cursor.end()
    if _version(_get(session, name, _NO_DATASET), version) is None:
        raise _no_version(name, version)
    if not current.describe_only:
        with session.changing(name.database) as connection:
            record = _get(session, name, _NO_DATASET)
            gone = [v for v in record.body["versions"] if v["name"] == version]
            kept = [v for v in record.body["versions"] if v["name"] != version]
            session.account.catalog_of(name.database).put(connection, record.with_body(versions=kept))
        _remove_folders(session, name.database, gone)
    return status(_DONE)


def _no_version(name: ObjectName, version: str) -> SnowflakeError:
    return compilation_error(
        f"Dataset version '{version}' of '{name}' does not exist or not authorized.", _NO_VERSION, "42S02"
    )


@files.resolver("dataset")
def resolve_version(session: Session, name: ObjectName, version: str) -> tuple[Path, str, bool]:
    found = _version(_get(session, name), version)
    if found is None:
        raise _no_version(name, version)
    return files.folder(session.account, name.database, found["id"]), f"versions/{version}", False


_DATASETS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("comment", "text"),
    ("owner", "text"),
    ("versions", "text"),
]


@statement("SHOW", "DATASETS")
def show_datasets(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = [
        (
            record.created_on,
            record.name,
            database,
            record.schema,
            record.comment,
            record.owner,
            json.dumps([v["name"] for v in record.body["versions"]]),
        )
        for database in show.databases(session)
        if database != "SNOWFLAKE"
        for record in session.account.catalog_of(database).list(session.duck, KIND)
        if show.has(record.schema)
    ]
    return rows_result(_DATASETS, show.cut(rows, 1))


_VERSIONS = [
    ("created_on", "timestamp_ltz"),
    ("version", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("dataset_name", "text"),
    ("comment", "text"),
    ("metadata", "text"),
]


@versions.shower(KIND)
def show_versions(session: Session, name: ObjectName, like: versions.Matches) -> Result:
    record = _get(session, name, _NO_OBJECT)
    rows = [
        (
            versions.moment(v["created_on"]),
            v["name"],
            name.database,
            name.schema,
            name.name,
            v["comment"],
            v["metadata"],
        )
        for v in record.body["versions"]
        if like(v["name"])
    ]
    return rows_result(_VERSIONS, rows, SHOW)
