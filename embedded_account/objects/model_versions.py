"""Versions of a model: how they are kept, named and found, and where their files lie.

A model is one catalog record whose body lists its versions, so that a change of several of them, of the default or
of an alias is one write. Each version's files have a folder of their own, which is complete before the record names it.
https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from embedded_account import files
from embedded_account.catalog import Record
from embedded_account.errors import SnowflakeError, compilation_error, does_not_exist
from embedded_account.names import ObjectName, shown
from embedded_account.objects import model_manifest
from embedded_account.objects.model_manifest import Method, method_of
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session

KIND = "MODEL"
# Names that follow the versions by themselves: https://docs.snowflake.com/en/sql-reference/sql/alter-model
SYSTEM_ALIASES = ("DEFAULT", "FIRST", "LAST")


@dataclass(frozen=True)
class Version:
    """One version. `live` is one whose files may still be written."""

    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_on: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    comment: str = ""
    metadata: str = "{}"
    aliases: list[str] = field(default_factory=list)
    live: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def methods(self) -> list[Method]:
        return [method_of(entry) for entry in self.details.get("methods", ())]

    def method(self, name: str) -> Method:
        for method in self.methods:
            if method.name == name:
                return method
        raise compilation_error(
            f"Unknown function {name} of model version {shown(self.name)}: "
            f"it has {', '.join(m.name for m in self.methods) or 'none'}.",
            2140,
            "42601",
        )


@dataclass(frozen=True)
class Model:
    """A model's record, taken apart."""

    name: ObjectName
    record: Record
    versions: tuple[Version, ...]
    default: str | None

    @property
    def committed(self) -> list[Version]:
        return [version for version in self.versions if not version.live]

    def aliases(self, version: Version) -> list[str]:
        """All aliases of a version, the system's first."""
        committed = self.committed
        found = ["DEFAULT"] if version.name == self.default else []
        found += ["FIRST"] if committed and version is committed[0] else []
        found += ["LAST"] if committed and version is committed[-1] else []
        return [*found, *version.aliases]

    def find(self, name: str) -> Version | None:
        """A version by its name or an alias."""
        named = next((v for v in self.versions if v.name == name), None)
        return named or next((v for v in self.versions if name in self.aliases(v)), None)

    def get(self, name: str) -> Version:
        version = self.find(name)
        if version is None:
            raise no_version(self.name, name)
        return version

    def with_version(self, changed: Version) -> Model:
        """Replace the version of the same id, or append."""
        if any(v.id == changed.id for v in self.versions):
            return replace(self, versions=tuple(changed if v.id == changed.id else v for v in self.versions))
        return replace(self, versions=(*self.versions, changed))

    def without(self, version: Version) -> Model:
        return replace(self, versions=tuple(v for v in self.versions if v.id != version.id))

    def to_record(self) -> Record:
        body = {"default": self.default, "versions": [vars(version) for version in self.versions]}
        return replace(self.record, schema=self.name.schema, name=self.name.name, body=body)


def no_version(model: ObjectName, version: str) -> SnowflakeError:
    return compilation_error(
        f"Version '{shown(version)}' of model '{model}' does not exist or not authorized.", 2003, "42S02"
    )


def version_exists(model: ObjectName, version: str) -> SnowflakeError:
    return compilation_error(f"Version '{shown(version)}' already exists in model '{model}'.", 92917, "42710")


def from_record(database: str, record: Record) -> Model:
    return Model(
        ObjectName(database, record.schema, record.name),
        record,
        tuple(Version(**entry) for entry in record.body["versions"]),
        record.body["default"],
    )


def find_model(session: Session, name: ObjectName) -> Model | None:
    if name.database not in session.account.databases():
        return None
    record = session.account.catalog_of(name.database).get(session.duck, KIND, name.schema, name.name)
    return from_record(name.database, record) if record else None


def get_model(session: Session, name: ObjectName) -> Model:
    """Raises SnowflakeError 002003 if there is none."""
    model = find_model(session, name)
    if model is None:
        raise does_not_exist("Model", str(name))
    return model


def put_model(session: Session, connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    session.account.catalog_of(model.name.database).put(connection, model.to_record())


def new_version(session: Session, cursor: Cursor) -> str:
    """A version's name being given; the system's aliases are taken."""
    name = cursor.identifier()
    if name in SYSTEM_ALIASES:
        raise compilation_error(f"'{name}' is a system alias and cannot name a version.", 1008, "22023")
    return name


# ----- files


def version_folder(session: Session, model: Model, version: Version) -> Path:
    return files.folder(session.account, model.name.database, version.id)


@files.resolver("model")
def resolve_version(session: Session, name: ObjectName, version: str) -> tuple[Path, str, bool]:
    """The folder of `snow://model/<name>/versions/<version>`; an unquoted alias may be in any case."""
    model = get_model(session, name)
    found = model.find(version) or model.get(version.upper())
    return version_folder(session, model, found), f"versions/{found.name}", found.live


@contextlib.contextmanager
def filled_folder(session: Session, database: str, source: Path, link: bool) -> Iterator[str]:
    """Copy files into a fresh folder and give its id; the folder goes again if the block fails.

    With `link` the files are those of another version, which nobody writes again, and share their bytes.
    """
    object_id = uuid.uuid4().hex
    target = files.folder(session.account, database, object_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=os.link if link else shutil.copy2)
        else:
            target.mkdir()
        yield object_id
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def describe_files(folder: Path) -> dict[str, Any]:
    """Read and check what a version's files say. Raises SnowflakeError for files that are no model."""
    return model_manifest.described(folder, model_manifest.read_manifest(folder))


def remove_folders(session: Session, database: str, versions: Iterator[Version] | list[Version]) -> None:
    """After the record no longer names them; what a crash leaves here goes when the account opens."""
    for version in versions:
        shutil.rmtree(files.folder(session.account, database, version.id), ignore_errors=True)
