"""The clauses that all SHOW commands share: LIKE, IN, STARTS WITH, LIMIT … FROM, HISTORY, TERSE.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from embedded_account.names import like_to_regex
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session

Row = TypeVar("Row", bound=Sequence[object])


@dataclass(frozen=True)
class Show:
    """What to show. An empty database means all of them, an empty schema all of the database."""

    like: str | None
    starts_with: str | None
    limit: int | None
    after: str | None
    database: str
    schema: str

    def matches(self, name: str) -> bool:
        if self.like is not None and not like_to_regex(self.like).match(name):
            return False
        return self.starts_with is None or name.startswith(self.starts_with)

    def cut(self, rows: Iterable[Row], name_at: int) -> list[Row]:
        """Rows whose name (at this position) fits, at most `limit` of them after the name in LIMIT … FROM."""
        kept = [row for row in rows if self.matches(str(row[name_at]))]
        if self.after is not None:
            kept = [row for row in kept if str(row[name_at]) > self.after]
        return kept if self.limit is None else kept[: self.limit]

    def databases(self, session: Session) -> list[str]:
        return [self.database] if self.database else session.account.databases()

    def has(self, schema: str) -> bool:
        return not self.schema or self.schema == schema


def read_show(session: Session, cursor: Cursor, *, scoped: bool = True) -> Show:
    """Read the clauses after SHOW <kinds>. Without IN the scope is the current schema, database or account."""
    like = starts = after = None
    limit = None
    database, schema = (session.database or "", session.schema or "") if scoped else ("", "")
    cursor.accept("HISTORY")
    if cursor.accept("LIKE"):
        like = cursor.string()
    if cursor.accept("IN"):
        database, schema = _scope(session, cursor)
    while not cursor.done:
        if cursor.accept("LIKE"):
            like = cursor.string()
        elif cursor.accept("STARTS", "WITH"):
            starts = cursor.string()
        elif cursor.accept("LIMIT"):
            limit = cursor.integer()
            if cursor.accept("FROM"):
                after = cursor.string()
        else:
            raise cursor.error()
    return Show(like, starts, limit, after, database, schema)


def _scope(session: Session, cursor: Cursor) -> tuple[str, str]:
    if cursor.accept("ACCOUNT"):
        return "", ""
    if cursor.accept("DATABASE"):
        name = cursor.identifier() if not cursor.done else session.current_database()
        session.account.catalog_of(name) if name != "SNOWFLAKE" else None
        return name, ""
    cursor.accept("SCHEMA")
    if cursor.done:
        return session.current_database(), session.current_schema()
    parts = cursor.name()
    is_schema = session.account.has_schema(session.database or "", parts[0])
    if len(parts) == 1 and not is_schema and session.account.has_database(parts[0]):
        return parts[0], ""
    found = session.existing_schema(parts)
    return found.database, found.schema
