"""DuckDB's errors in Snowflake's words: the one place where they are translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from embedded_account.errors import SnowflakeError, compilation_error

if TYPE_CHECKING:
    from embedded_account.session import Session

_MISSING = re.compile(
    r"(Table|View|Schema|Catalog|Macro|Table Function|Scalar Function|Type|Function) with name "
    r"\"?([^\s\"!]+)\"? does not exist",
    re.IGNORECASE,
)
_COLUMN = re.compile(
    r'(?:Referenced column|column|Column with name:?)\s+"?([\w$ ]+?)"?\s+(?:was )?(?:not found|does not)',
    re.IGNORECASE,
)
_EXISTS = re.compile(
    r'(?:Table|View|Schema|Entry|Index) with name "?([^"\s]+)"? already exists', re.IGNORECASE
)


def is_conflict(error: duckdb.Error) -> bool:
    """A write-write conflict, which trying again may resolve."""
    text = str(error)
    return isinstance(error, duckdb.TransactionException) and "onflict" in text


def translated(error: duckdb.Error, session: Session | None = None) -> SnowflakeError:
    text = str(error).split("\n\nLINE")[0].strip()
    first = text.split("\n")[0]
    if "CSV Error" in first:  # which line, what stands there, what is wrong with it
        first = " ".join(text.split("\n")[:3])
    if found := _EXISTS.search(first):
        return compilation_error(f"Object '{found.group(1)}' already exists.", 2002, "42710")
    if isinstance(error, duckdb.CatalogException) and (found := _MISSING.search(first)):
        kind, name = found.group(1).lower(), found.group(2)
        if "function" in kind or kind == "macro":
            return compilation_error(f"Unknown function {name.upper()}.", 2140, "42601")
        if kind == "type":
            return compilation_error(f"Unsupported data type '{name}'.", 2040, "0A000")
        shown = "Schema" if kind == "schema" else "Object"
        return compilation_error(
            f"{shown} '{_full(error, name, session)}' does not exist or not authorized.", 2003, "42S02"
        )
    if isinstance(error, duckdb.BinderException):
        if found := _COLUMN.search(text):
            return compilation_error(f"invalid identifier '{found.group(1)}'", 904, "42000")
        return compilation_error(first.removeprefix("Binder Error: "), 2043, "42000")
    if isinstance(error, duckdb.ParserException):
        return compilation_error(first.removeprefix("Parser Error: "), 1003, "42000")
    if isinstance(error, duckdb.ConversionException):
        return SnowflakeError(first.removeprefix("Conversion Error: "), 100038, "22018")
    if isinstance(error, duckdb.OutOfRangeException):
        return SnowflakeError(first, 100046, "22003")
    if isinstance(error, duckdb.ConstraintException):
        return SnowflakeError(
            f"DML operation failed: {first.removeprefix('Constraint Error: ')}", 100072, "22000"
        )
    if isinstance(error, duckdb.InterruptException):
        return SnowflakeError("SQL execution canceled", 604, "57014")
    if isinstance(error, duckdb.TransactionException):
        return SnowflakeError(first, 625, "57014")
    return SnowflakeError(f"SQL execution error: {first}", 100132, "P0000")


def _full(error: duckdb.Error, name: str, session: Session | None) -> str:
    """The object's whole name, which DuckDB leaves out, read from the statement it quotes."""
    quoted = re.search(r'"([^"]+)"\."([^"]+)"\."' + re.escape(name) + '"', str(error))
    if quoted:
        return f"{quoted.group(1)}.{quoted.group(2)}.{name}"
    return name
