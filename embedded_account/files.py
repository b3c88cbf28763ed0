"""Staged files: where `@stage/path` and `snow://kind/name/versions/v/path` lie, their listing, their rows.

Files lie under files/<DATABASE>/<id>, the id being in the catalog record: a record without files is an empty stage,
files without a record are left over from a crash and are removed when the account opens.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from embedded_account import csv_reader
from embedded_account.errors import (
    SnowflakeError,
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from embedded_account.formats import FileFormat, read_format
from embedded_account.names import ObjectName, duck, literal
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session

if TYPE_CHECKING:
    from embedded_account.account import Account

STAGE = "STAGE"


@dataclass(frozen=True)
class Location:
    """A folder, and a path inside it that is a file, a folder, or the beginning of their names."""

    root: Path
    path: str
    # What LIST prints before the path.
    label: str
    # Committed versions of models and datasets never change.
    writable: bool = True
    # FILE_FORMAT of the stage.
    file_format: Any = None

    @property
    def target(self) -> Path:
        """The path itself, which must not leave the folder."""
        found = (self.root / self.path).resolve()
        if not found.is_relative_to(self.root.resolve()):
            raise compilation_error(f"invalid stage path '{self.path}'", 1023, "42601")
        return found

    def files(self, pattern: str | None = None) -> list[StagedFile]:
        """All files whose path begins with ours, sorted by name."""
        if not self.root.exists():
            return []
        prefix = self.path
        expression = re.compile(pattern) if pattern else None
        found = []
        for path in sorted(p for p in self.root.rglob("*") if p.is_file()):
            relative = path.relative_to(self.root).as_posix()
            if relative.startswith(prefix) and (
                expression is None
                or expression.fullmatch(f"{self.label}/{relative}")
                or expression.fullmatch(relative)
            ):
                found.append(StagedFile(path, relative, f"{self.label}/{relative}"))
        return found


@dataclass(frozen=True)
class StagedFile:
    path: Path
    relative: str
    name: str

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    def md5(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


# Finds the folder of a versioned object's files: (session, name, version) → (folder, LIST label, writable).
VersionFolder = Callable[[Session, ObjectName, str], tuple[Path, str, bool]]
_RESOLVERS: dict[str, VersionFolder] = {}


def resolver(kind: str) -> Callable[[VersionFolder], VersionFolder]:
    """Register who finds `snow://<kind>/DB.SCHEMA.NAME/versions/V`."""

    def register(function: VersionFolder) -> VersionFolder:
        _RESOLVERS[kind] = function
        return function

    return register


def database_folder(account: Account, database: str) -> Path:
    return account.data / "files" / quote(database, safe="")


def folder(account: Account, database: str, object_id: str) -> Path:
    """The folder of one object's files."""
    return database_folder(account, database) / object_id


def locate(session: Session, text: str) -> Location:
    """Where a stage or snow:// reference points to.

    Raises:
        SnowflakeError: 002003 for a stage that does not exist.
    """
    text = text.strip().strip("'")
    if text.startswith("snow://"):
        return _locate_version(session, text)
    if not text.startswith("@"):
        raise compilation_error(f"invalid stage reference '{text}'", 1011, "42601")
    if text.startswith("@~"):
        root = session.account.data / "files" / "~"
        return Location(root, text[2:].lstrip("/"), "~")
    if "%" in text.split("/")[0]:
        raise unsupported("table stage")
    cursor = Cursor(text[1:])
    parts = cursor.name()
    path = text[1:][cursor.position :].lstrip("/") if not cursor.done else ""
    name = session.resolve(parts)
    form = _stage_body(session, name).get("options", {}).get("FILE_FORMAT")
    return Location(stage_folder(session, name), path, name.name.lower(), file_format=form)


def stage_folder(session: Session, name: ObjectName) -> Path:
    body = _stage_body(session, name)
    if session.find_temporary(STAGE, name) is not None:
        return session.files / str(body["id"])
    return folder(session.account, name.database, str(body["id"]))


def _stage_body(session: Session, name: ObjectName) -> dict[str, Any]:
    temporary = session.find_temporary(STAGE, name)
    if temporary is not None:
        return temporary.body
    if not session.account.has_database(name.database):
        raise does_not_exist("Stage", str(name))
    record = session.account.catalog_of(name.database).get(session.duck, STAGE, name.schema, name.name)
    if record is None:
        raise does_not_exist("Stage", str(name))
    return record.body


def _locate_version(session: Session, text: str) -> Location:
    match = re.match(
        r"snow://(\w+)/((?:\"(?:[^\"]|\"\")*\"|[^/\"])+)(?:/versions/([^/]+)(?:/(.*))?)?/?\Z", text, re.DOTALL
    )
    if match is None:
        raise compilation_error(f"invalid URL '{text}'", 1011, "42601")
    kind, name, version, path = match.groups()
    found = _RESOLVERS.get(kind.lower())
    if found is None:
        raise unsupported(f"snow://{kind}/")
    if version is None:
        raise unsupported("snow:// without a version")
    root, label, writable = found(session, session.resolve_text(name), version)
    # The files of a dataset's version are Parquet.
    form = {"TYPE": "PARQUET"} if kind.lower() == "dataset" else None
    return Location(root, path or "", label, writable, form)


def remove_orphans(account: Account) -> list[Path]:
    """Delete folders that no catalog record names: what a crash left between files and record."""
    removed = []
    for database in account.databases():
        known = set()
        catalog = account.catalog_of(database)
        for (body,) in account.execute(f"SELECT body FROM {duck(database, '__catalog', 'objects')}"):
            known |= set(ids(json.loads(body)))
        root = database_folder(account, catalog.attached)
        for path in root.iterdir() if root.exists() else ():
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
    return removed


def ids(value: object) -> Iterable[str]:
    """Every string under a key "id", however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "id" and isinstance(inner, str):
                yield inner
            else:
                yield from ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ids(inner)


# ----- rows of staged files


@dataclass(frozen=True)
class StagedRows:
    """DuckDB SQL over staged files. Parquet's columns go by name, CSV's by position."""

    sql: str
    by_name: bool
    columns: list[str] = field(default_factory=list)

    def column(self, name: str) -> str | None:
        """The file's column of this name, letter by letter first, then in any case."""
        if name in self.columns:
            return name
        return next((c for c in self.columns if c.upper() == name.upper()), None)

    def position(self, number: int) -> str | None:
        """The column of `$n`; None beyond the last one, where Snowflake answers NULL."""
        if self.by_name:
            raise unsupported(f"${number} of these files")
        return self.columns[number - 1] if 0 < number <= len(self.columns) else None


def file_format(session: Session, value: object, stage: Location | None = None) -> FileFormat:
    """A format from a name or from FILE_FORMAT = (…) options; without both the stage's own, else CSV."""
    if isinstance(value, dict):
        options = {key.upper(): option for key, option in value.items()}
        if "FORMAT_NAME" not in options:
            return read_format(str(options.pop("TYPE", "CSV")), options)
        if len(options) > 1:
            raise invalid_value("FORMAT_NAME and other options of FILE_FORMAT exclude each other")
        value = options["FORMAT_NAME"]
    if isinstance(value, str) and value:
        name = session.resolve_text(value)
        temporary = session.find_temporary("FILE FORMAT", name)
        body = temporary.body if temporary else None
        if body is None:
            record = session.account.catalog_of(name.database).get(
                session.duck, "FILE FORMAT", name.schema, name.name
            )
            if record is None:
                raise does_not_exist("File format", str(name))
            body = record.body
        return read_format(str(body["type"]), dict(body["options"]))
    if stage is not None and stage.file_format:
        return file_format(session, stage.file_format)
    return read_format("CSV", {})


def staged_rows(
    session: Session, text: str, options: dict[str, object], on_exit: Callable[[Callable[[], object]], None]
) -> StagedRows:
    """Rows of the files under a stage reference; options FILE_FORMAT and PATTERN."""
    location = locate(session, text)
    pattern = options.get("PATTERN")
    found = location.files(str(pattern) if pattern else None)
    if not found:
        raise SnowflakeError(f"Remote file '{text}' was not found.", 91016, "22000")
    form = file_format(session, options.get("FILE_FORMAT"), location)
    return rows_of(session, [file.path for file in found], form, on_exit)


def rows_of(
    session: Session,
    paths: list[Path],
    form: FileFormat,
    on_exit: Callable[[Callable[[], object]], None],
) -> StagedRows:
    """Rows of files; `on_exit` takes what is to be done once their SQL has run."""
    if form.type == "PARQUET":
        sql = parquet(paths, form)
        return StagedRows(sql, True, list(session.duck.sql(sql).columns))
    if form.type != "CSV":
        raise unsupported(f"FILE_FORMAT TYPE = {form.type}")
    tables = [csv_reader.read_table(path, form) for path in paths]
    name = session.scratch_name("staged")
    session.duck.register(name, pa.concat_tables([t.columns for t in tables], promote_options="default"))
    on_exit(lambda: session.duck.unregister(name))
    columns = max((table.names for table in tables), key=len)
    listed = ", ".join(f'"f{i}" AS {duck(column)}' for i, column in enumerate(columns))
    return StagedRows(f"SELECT {listed or 'NULL'} FROM temp.main.{duck(name)}", False, columns)


def parquet(paths: list[Path], form: FileFormat) -> str:
    """DuckDB SQL that reads Parquet files."""
    listed = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    text = str(form["BINARY_AS_TEXT"]).lower()
    return f"SELECT * FROM read_parquet({listed}, union_by_name = true, binary_as_string = {text})"
