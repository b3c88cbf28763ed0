"""What CREATE PROCEDURE and CREATE FUNCTION share: reading the definition, finding imports, naming by signature.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure, …/create-function
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from embedded_account import files
from embedded_account.catalog import Record
from embedded_account.compute import ImportFile, runtimes
from embedded_account.errors import SnowflakeError, already_exists, does_not_exist, invalid_value, unsupported
from embedded_account.names import ObjectName, shown
from embedded_account.objects import artifact_repositories
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, status
from embedded_account.security import privileges
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement

_TYPE_SPELLINGS = {
    "STRING": "VARCHAR",
    "TEXT": "VARCHAR",
    "CHAR": "VARCHAR",
    "INT": "NUMBER",
    "INTEGER": "NUMBER",
    "BIGINT": "NUMBER",
    "SMALLINT": "NUMBER",
    "TINYINT": "NUMBER",
    "BYTEINT": "NUMBER",
    "DECIMAL": "NUMBER",
    "NUMERIC": "NUMBER",
    "DOUBLE": "FLOAT",
    "DOUBLE PRECISION": "FLOAT",
    "REAL": "FLOAT",
    "FLOAT4": "FLOAT",
    "FLOAT8": "FLOAT",
    "DATETIME": "TIMESTAMP_NTZ",
    "TIMESTAMP": "TIMESTAMP_NTZ",
}


@dataclass(frozen=True)
class Routine:
    """A procedure or function. `arguments` are (name, SQL type, default or None)."""

    name: str
    arguments: list[tuple[str, str, str | None]]
    returns: str
    language: str = "PYTHON"
    handler: str = ""
    runtime_version: str = "3.11"
    packages: list[str] = field(default_factory=list)
    artifact_repository: str | None = None
    imports: list[str] = field(default_factory=list)
    source: str | None = None
    execute_as: str = "OWNER"
    comment: str = ""

    @property
    def signature(self) -> str:
        """`NAME(TYPE, TYPE)`, under which the catalog keeps it."""
        return f"{self.name}({', '.join(canonical(kind) for _, kind, _ in self.arguments)})"

    def body(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(body: dict[str, Any]) -> Routine:
        return Routine(**{**body, "arguments": [tuple(a) for a in body["arguments"]]})


def canonical(kind: str) -> str:
    base = kind.split("(")[0].strip().upper()
    return _TYPE_SPELLINGS.get(base, base)


def read_type(cursor: Cursor) -> str:
    """A type, e.g. NUMBER(38, 0), DOUBLE PRECISION, TABLE (A INT, B STRING)."""
    word = cursor.identifier()
    if word == "DOUBLE" and cursor.accept("PRECISION"):
        word = "DOUBLE PRECISION"
    if cursor.looking_at("("):
        word += f"({cursor.parenthesized_text()})"
    return word


def read_arguments(cursor: Cursor) -> list[tuple[str, str, str | None]]:
    cursor.expect("(")
    found: list[tuple[str, str, str | None]] = []
    while not cursor.accept(")"):
        name = cursor.identifier()
        kind = read_type(cursor)
        default = None
        if cursor.accept("DEFAULT"):
            start = cursor.position
            while not (cursor.looking_at(",") or cursor.looking_at(")")):
                if cursor.looking_at("("):
                    cursor.parenthesized_text()
                else:
                    cursor.next()
            default = cursor.text[start : cursor.position].strip()
        found.append((name, kind, default))
        cursor.accept(",")
    return found


def read_routine(name: str, cursor: Cursor) -> Routine:
    """All that follows the name, to the end of the body."""
    arguments = read_arguments(cursor)
    cursor.accept("COPY", "GRANTS")
    cursor.expect("RETURNS")
    returns = read_type(cursor)
    cursor.accept("NOT", "NULL")
    language, execute_as, source = "SQL", "OWNER", None
    options: dict[str, Any] = {}
    while not cursor.done:
        if cursor.accept("LANGUAGE"):
            language = cursor.identifier()
        elif cursor.accept("EXECUTE", "AS"):
            cursor.accept("RESTRICTED")
            execute_as = cursor.identifier()
        elif cursor.accept("AS"):
            source = cursor.string()
            cursor.accept(";")
            break
        elif cursor.peek().word in ("VOLATILE", "IMMUTABLE", "STRICT", "MEMOIZABLE", "SECURE", "NOT", "NULL"):
            cursor.next()
        elif cursor.accept("CALLED", "ON", "NULL", "INPUT") or cursor.accept(
            "RETURNS", "NULL", "ON", "NULL", "INPUT"
        ):
            pass
        elif cursor.peek(1).text == "=":
            options.update(cursor.options(as_text=("RUNTIME_VERSION",)))
        else:
            raise cursor.error()
    if language != "PYTHON":
        raise unsupported(f"LANGUAGE {language}")
    for refused in ("EXTERNAL_ACCESS_INTEGRATIONS", "SECRETS", "TARGET_PATH"):
        if options.get(refused):
            raise unsupported(refused)
    if "HANDLER" not in options:
        raise SnowflakeError("SQL compilation error:\nMissing HANDLER in the definition.", 1003, "42000")
    packages = [str(p) for p in options.get("PACKAGES") or []]
    artifact_repositories.require(packages)
    repository = options.get("ARTIFACT_REPOSITORY")
    return Routine(
        name=name,
        arguments=arguments,
        returns=returns,
        language=language,
        handler=str(options["HANDLER"]),
        runtime_version=_runtime(str(options.get("RUNTIME_VERSION", runtimes.DECLARABLE[0]))),
        packages=packages,
        artifact_repository=artifact_repositories.named(str(repository)) if repository else None,
        imports=[str(i) for i in options.get("IMPORTS") or []],
        source=source,
        execute_as=execute_as,
        comment=str(options.get("COMMENT", "")),
    )


def _runtime(version: str) -> str:
    if not re.fullmatch(r"3\.\d+", version):
        raise invalid_value(f"invalid value [{version}] for parameter 'RUNTIME_VERSION'")
    if version not in runtimes.DECLARABLE:
        raise unsupported(
            f"RUNTIME_VERSION = {version} (this account runs {' and '.join(runtimes.DECLARABLE)})"
        )
    return version


def import_files(session: Session, routine: Routine) -> list[ImportFile]:
    found = []
    for reference in routine.imports:
        location = files.locate(session, reference)
        path = location.target
        if not path.exists():
            raise SnowflakeError(f"Remote file '{reference}' was not found.", 91016, "22000")
        found.append(ImportFile(path.name, path))
    return found


def find(session: Session, kind: str, name: ObjectName, count: int | None = None) -> list[Routine]:
    """Routines of this name (with `count` arguments, defaults allowed), temporary ones first."""
    found = [
        Routine.of(temporary.body)
        for (temporary_kind, key), temporary in session.temporary.items()
        if temporary_kind == kind and key.parent == name.parent and temporary.body["name"] == name.name
    ]
    if session.account.has_schema(name.database, name.schema) and name.schema != "INFORMATION_SCHEMA":
        records = session.account.catalog_of(name.database).list(session.duck, kind, name.schema)
        found += [Routine.of(r.body) for r in records if r.body["name"] == name.name]
    if count is None:
        return found
    return [r for r in found if _takes(r, count)]


def _takes(routine: Routine, count: int) -> bool:
    needed = sum(default is None for _, _, default in routine.arguments)
    return needed <= count <= len(routine.arguments)


def create(
    session: Session, current: Statement, kind: str, name: ObjectName, routine: Routine, exists_ok: bool
) -> Result:
    """CREATE of a procedure or function that has been read, permanent or for the session."""
    label = kind.capitalize()
    done = status(f"{label} {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    import_files(session, routine)
    key = name.parent.object(routine.signature)
    catalog = session.account.catalog_of(name.database)
    known = (kind, key) in session.temporary or catalog.get(
        session.duck, kind, name.schema, routine.signature
    )
    if known and exists_ok:
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    if known and not current.or_replace:
        raise already_exists(str(name))
    if isinstance(known, Record) and not current.temporary:
        on = privileges.of_record(known, name.database)
        if not privileges.owns(session, on):
            raise privileges.refused(on)
    if current.temporary:
        session.temporary[(kind, key)] = TemporaryObject(kind, routine.body())
        session.account.expect_python()
        return done
    with session.changing(name.database) as connection:
        record = Record(kind, name.schema, routine.signature, session.role, routine.comment, routine.body())
        catalog.put(connection, record)
    session.account.expect_python()
    return done


def unknown(kind: str, name: ObjectName, count: int) -> SnowflakeError:
    return does_not_exist(kind.capitalize(), f"{name} with {count} argument(s)")


def shown_signature(routine: Routine) -> str:
    arguments = ", ".join(canonical(kind) for _, kind, _ in routine.arguments)
    return f"{shown(routine.name)}({arguments}) RETURN {canonical(routine.returns)}"
