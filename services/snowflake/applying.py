"""Brings the account to what is wanted, one statement at a time, and tells of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from services.snowflake.inventory import Finding, Query

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


class Context(Protocol):
    """What is asked of the step of an operation that applies."""

    def log(self, message: str, level: str = "info") -> None: ...
    def progress(self, fraction: float | None, message: str | None = None) -> None: ...


def reader(connection: SnowflakeConnection) -> Query:
    """``query(text)``: the rows of a statement on this connection, each as a dict by column name."""

    def query(text: str) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(text)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return query


def apply(context: Context, findings: Sequence[Finding], connection: SnowflakeConnection) -> dict[str, int]:
    """Execute what is missing or changed; how many were created, changed and present.

    Every statement may be repeated, so that what a crash interrupted is simply done again.
    """
    query = reader(connection)
    counts = {"created": 0, "changed": 0, "present": 0}
    for place, finding in enumerate(findings):
        for statement in finding.statements:
            query(statement)
        word = {"missing": "created", "changed": "changed", "present": "present"}[finding.state]
        counts[word] += 1
        if finding.state != "present":
            context.log(f"{word.capitalize()} {finding.wanted.kind} {finding.wanted.name}")
            context.progress((place + 1) / len(findings), finding.wanted.name)
    return counts
