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
        return duck(self.database, self.schema)

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
        return duck(self.database, self.schema, self.name)

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
