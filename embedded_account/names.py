"""Names of objects: Snowflake's rules for identifiers, and one type for a fully qualified name.

https://docs.snowflake.com/en/sql-reference/identifiers-syntax
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")


def duck(*parts: str) -> str:
    """A DuckDB name, each part quoted."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: str | None) -> str:
    """A DuckDB string literal."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def shown(part: str) -> str:
    """An identifier as Snowflake prints it: quoted only where it must be."""
    return part if _PLAIN.match(part) else '"' + part.replace('"', '""') + '"'


# DuckDB finds names whatever their ASCII case. One with lower-case letters is held there with this mark (of Unicode's
# private use) and the places of those letters behind it, so that no two names of Snowflake's are one there.
_CASE_MARK = "\ue000"


def stored(name: str) -> str:
    """The name under which DuckDB holds a table, view or schema of this name."""
    lower = sum(1 << i for i, letter in enumerate(name) if "a" <= letter <= "z")
    return f"{name}{_CASE_MARK}{lower:x}" if lower or _CASE_MARK in name else name


def real(name: str) -> str:
    """The name of what DuckDB holds under this name."""
    return name.rpartition(_CASE_MARK)[0] if _CASE_MARK in name else name


def without_marks(text: str) -> str:
    """A message of DuckDB's with the names as they are."""
    return re.sub(f"{_CASE_MARK}[0-9a-f]*", "", text)


_ENGINE_DATABASES = frozenset({"main", "memory", "system", "temp"})
_ENGINE_SCHEMAS = frozenset({"information_schema", "main", "pg_catalog"})
# The account's own objects: no statement of a user reaches or makes a name that begins so.
OWN_PREFIX = "__"


def is_hidden_database(name: str) -> bool:
    """Whether DuckDB, which ignores case, or the account itself has a database of this name."""
    return name.startswith(OWN_PREFIX) or name.casefold() in _ENGINE_DATABASES


def is_hidden_schema(name: str) -> bool:
    return name.startswith(OWN_PREFIX) or (
        name.casefold() in _ENGINE_SCHEMAS and name != "INFORMATION_SCHEMA"
    )


class SchemaName(NamedTuple):
    database: str
    schema: str

    def __str__(self) -> str:
        return f"{shown(self.database)}.{shown(self.schema)}"

    @property
    def duck(self) -> str:
        return duck(*self.address)

    @property
    def address(self) -> tuple[str, str]:
        """Where DuckDB holds the schema."""
        return self.database, stored(self.schema)

    def object(self, name: str) -> ObjectName:
        return ObjectName(self.database, self.schema, name)


class ObjectName(NamedTuple):
    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{shown(self.database)}.{shown(self.schema)}.{shown(self.name)}"

    @property
    def duck(self) -> str:
        return duck(*self.address)

    @property
    def address(self) -> tuple[str, str, str]:
        """Where DuckDB holds the object."""
        return self.database, stored(self.schema), stored(self.name)

    @property
    def temporary_address(self) -> tuple[str, str, str]:
        """Where DuckDB holds a session's temporary object of this name."""
        return "temp", "main", stored(str(self))

    @property
    def parent(self) -> SchemaName:
        return SchemaName(self.database, self.schema)


def like_to_regex(pattern: str) -> re.Pattern[str]:
    """A SHOW … LIKE pattern, which ignores case. A backslash escapes."""
    out = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\" and i + 1 < len(pattern):
            i += 1
            out.append(re.escape(pattern[i]))
        else:
            out.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
        i += 1
    return re.compile("".join(out) + r"\Z", re.IGNORECASE | re.DOTALL)
