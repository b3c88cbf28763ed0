"""Runs a relation's statements, and says which column the manifest names in vain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.core.errors import Conflict, SnowflakeFailed
from services.predictions.relation import Column, Relation, escaped
from services.snowflake.answers import Answers
from services.snowflake.identifiers import QualifiedName, quote

Row = dict[str, Any]
# Schema or object does not exist: the spoke's tables are not deployed, or nothing is loaded.
_MISSING = frozenset({2003, 2043})
_UNKNOWN_COLUMN = 904


class Reader:
    """Rows of statements over a relation; none while its table does not exist."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def rows(self, relation: Relation, text: str, values: Iterable[Any] = ()) -> list[Row]:
        """Conflict 409 when the source lacks a column that the manifest names."""
        bound = tuple(values)
        try:
            # Without values the driver leaves the text as it is.
            return self._source.query(text if bound else text.replace("%%", "%"), bound)
        except SnowflakeFailed as error:
            errno = _errno(error)
            if errno in (_UNKNOWN_COLUMN, *_MISSING):
                self._explain(relation.source, relation.declared())
                self._explain(relation.history_source, relation.declared_history())
            if errno in _MISSING:
                return []
            raise

    def one(self, relation: Relation, text: str, values: Iterable[Any] = ()) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(relation, text, values)), None)

    def _explain(self, table: QualifiedName, declared: Iterable[Column]) -> None:
        """Conflict for the first declared column that the table, if it is there, does not have."""
        assert table.database is not None
        try:
            found = self._source.query(
                f"SELECT COLUMN_NAME FROM {escaped(quote(table.database))}.INFORMATION_SCHEMA.COLUMNS"
                " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
                (table.schema, table.name),
            )
        except SnowflakeFailed as error:
            if _errno(error) in _MISSING:
                return
            raise
        known = {row["COLUMN_NAME"] for row in found}
        for column in declared if known else ():
            if column.name not in known:
                raise Conflict(
                    f"{table} has no column {column.name!r}, which {column.where} names",
                    hint=f"Add it to {table}, or correct {column.where} in spoke.yaml and deploy again."
                    f" Its columns: {', '.join(sorted(known))}.",
                    code="column_missing",
                    detail={"table": str(table), "column": column.name, "where": column.where},
                )


def _errno(error: SnowflakeFailed) -> int | None:
    return error.detail.get("errno") if isinstance(error.detail, dict) else None
