"""The SQL types of handlers' arguments and results. Read by the account too, which is without pandas."""

from __future__ import annotations

import re
from dataclasses import dataclass


class UnsupportedTypeError(Exception):
    """A SQL type that handlers cannot take or give here."""


_FAMILIES = {
    "STRING": "STRING TEXT VARCHAR CHAR CHARACTER NCHAR NVARCHAR NVARCHAR2",
    "NUMBER": "NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT",
    "FLOAT": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL",
    "BOOLEAN": "BOOLEAN BOOL",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP TIMESTAMP_NTZ TIMESTAMPNTZ DATETIME",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ TIMESTAMPTZ",
    "BINARY": "BINARY VARBINARY",
    "VARIANT": "VARIANT",
    "OBJECT": "OBJECT MAP",
    "ARRAY": "ARRAY",
    "TABLE": "TABLE",
}
_CANONICAL = {word: family for family, words in _FAMILIES.items() for word in words.split()}
_SEMI_STRUCTURED = {"VARIANT", "OBJECT", "ARRAY"}


@dataclass(frozen=True)
class SqlType:
    family: str
    precision: int = 38
    scale: int = 0

    @property
    def semi_structured(self) -> bool:
        return self.family in _SEMI_STRUCTURED


def parse(text: str) -> SqlType:
    """Read a SQL type's name. Raises UnsupportedTypeError naming it."""
    match = re.match(r"\s*([A-Za-z_0-9]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text)
    family = _CANONICAL.get(match.group(1).upper()) if match else None
    if match is None or family is None:
        raise UnsupportedTypeError(f"Unsupported data type {text!r} for a Python handler.")
    if family == "NUMBER" and match.group(2):
        return SqlType(family, int(match.group(2)), int(match.group(3) or 0))
    return SqlType(family)
