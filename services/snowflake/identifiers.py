"""Names, literals and patterns: the only place where they become SQL text."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from services.core.errors import Invalid

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")
_MAX_LENGTH = 255

Thing = TypeVar("Thing")


def quote(name: str) -> str:
    """``name``, taken letter for letter, as an identifier; quoted only where it must be.

    https://docs.snowflake.com/en/sql-reference/identifiers-syntax
    """
    if not name or len(name) > _MAX_LENGTH or "\x00" in name:
        raise Invalid(f"{name!r} cannot be the name of an object", code="bad_name")
    return name if _PLAIN.match(name) and name not in _RESERVED else '"' + name.replace('"', '""') + '"'


def exactly(name: str) -> str:
    """``name`` for a function's argument that holds a name and minds case within double quotes only."""
    quote(name)
    return '"' + name.replace('"', '""') + '"'


# Words that are read as something else where a name is expected.
# https://docs.snowflake.com/en/sql-reference/reserved-keywords
_WORDS = """
ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE CROSS
CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP ELSE EXISTS
FALSE FOLLOWING FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER INSERT INTERSECT INTO
IS ISSUE JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR ORDER
ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SCHEMA SELECT SET SOME START TABLE
TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW WHEN WHENEVER WHERE WITH
"""
_RESERVED = frozenset(_WORDS.split())


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """The name of an object in the account; ``str()`` gives it as SQL.

    The parts are letter for letter as stored: upper case for names that were written unquoted.
    """

    name: str
    schema: str | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        if self.database is not None and self.schema is None:
            raise Invalid(f"{self.name!r} has a database but no schema", code="bad_name")
        for part in self.parts:
            quote(part)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in (self.database, self.schema, self.name) if part is not None)

    def __str__(self) -> str:
        return ".".join(quote(part) for part in self.parts)

    def sibling(self, name: str) -> "QualifiedName":
        """An object of another name in the same schema."""
        return QualifiedName(name, self.schema, self.database)

    @classmethod
    def parse(cls, text: str) -> "QualifiedName":
        """Read ``a.b.c`` as Snowflake does: unquoted parts in upper case, quoted ones as they are."""
        parts = _split(text)
        if not 1 <= len(parts) <= 3:
            raise Invalid(f"{text!r} is not the name of an object", code="bad_name")
        return cls(*reversed(parts))


def named(name: str, things: Iterable[Thing], name_of: Callable[[Thing], str]) -> list[Thing]:
    """Those of the things that a person means by ``name``: as it stands, else as if written unquoted."""
    known = list(things)
    for wanted in (name, name.upper()):
        found = [thing for thing in known if name_of(thing) == wanted]
        if found:
            return found
    return []


def _split(text: str) -> list[str]:
    token = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([A-Za-z_][\w$]*))\s*(\.|\Z)')
    parts, at = [], 0
    while at < len(text):
        found = token.match(text, at)
        if found is None:
            return []
        quoted, plain, end = found.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else plain.upper())
        at = found.end()
        if end != ".":
            return parts if at == len(text) else []
    return []


def literal(value: str | int | float | bool | Decimal | date | datetime | None) -> str:
    """``value`` as a constant, for the few places where a statement takes no bound value."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f"'{value}'::FLOAT"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'::{'TIMESTAMP_NTZ' if value.tzinfo is None else 'TIMESTAMP_TZ'}"
    if isinstance(value, date):
        return f"'{value.isoformat()}'::DATE"
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def like_pattern(text: str) -> str:
    """A constant pattern for LIKE in SHOW that matches ``text`` alone: wildcards are escaped.

    In a constant the backslash is itself escaped, so each wildcard gets two.
    """
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return literal(escaped)


def like_prefix(text: str) -> str:
    """A constant pattern for LIKE in SHOW that matches what begins with ``text``."""
    return like_pattern(text)[:-1] + "%'"
