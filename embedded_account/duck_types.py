"""DuckDB's column types as Snowflake's, on the wire and in DESCRIBE."""

from __future__ import annotations

import re

from embedded_account.result import Column

_INTEGERS = {
    "BIGINT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "HUGEINT",
    "UBIGINT",
    "UINTEGER",
    "USMALLINT",
    "UTINYINT",
    "UHUGEINT",
}
_SIMPLE = {
    "DOUBLE": "real",
    "FLOAT": "real",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIME_NS": "time",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_NS": "timestamp_ntz",
    "TIMESTAMP_MS": "timestamp_ntz",
    "TIMESTAMP_S": "timestamp_ntz",
    "TIMESTAMP WITH TIME ZONE": "timestamp_ltz",
    "TIMESTAMPTZ": "timestamp_ltz",
    "JSON": "variant",
    "BLOB": "binary",
    "UUID": "text",
    '"NULL"': "text",
}
_SQL = {
    "real": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME(9)",
    "timestamp_ntz": "TIMESTAMP_NTZ(9)",
    "timestamp_ltz": "TIMESTAMP_LTZ(9)",
    "timestamp_tz": "TIMESTAMP_TZ(9)",
    "variant": "VARIANT",
    "array": "ARRAY",
    "object": "OBJECT",
    "binary": "BINARY(8388608)",
    "text": "VARCHAR(16777216)",
}


def column_of(name: str, duck_type: str, nullable: bool = True) -> Column:
    """The wire description of a DuckDB column."""
    if duck_type in _INTEGERS:
        return Column(name, "fixed", 38, 0, nullable=nullable)
    if match := re.match(r"DECIMAL\((\d+),\s*(\d+)\)", duck_type):
        return Column(name, "fixed", int(match.group(1)), int(match.group(2)), nullable=nullable)
    if duck_type.endswith("[]"):
        return Column(name, "array", nullable=nullable)
    if duck_type.startswith(("STRUCT", "MAP")):
        return Column(name, "object", nullable=nullable)
    kind = _SIMPLE.get(duck_type, "text")
    if kind == "text":
        return Column(name, "text", length=16777216, nullable=nullable)
    if kind.startswith("time"):
        return Column(name, kind, 0, 9, nullable=nullable)
    if kind == "binary":
        return Column(name, kind, length=8388608, nullable=nullable)
    return Column(name, kind, nullable=nullable)


def sql_type(column: Column) -> str:
    """The type as DESCRIBE TABLE prints it."""
    if column.type == "fixed":
        return f"NUMBER({column.precision or 38},{column.scale or 0})"
    return _SQL[column.type]
