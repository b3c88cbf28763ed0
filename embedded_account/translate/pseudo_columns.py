"""Columns that DuckDB adds and Snowflake does not have: ROWID, and a table's alias for its whole row."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.names import shown
from embedded_account.translate.kinds import Kinds


def refuse(kinds: Kinds, expression: Any) -> None:
    """Raises 000904 for them, unless a column or an alias has the name."""
    rows = {
        table.alias_or_name
        for table in expression.find_all(exp.Table)
        if table.args.get("catalog") is not None
    }
    named = {
        column.name
        for alias in expression.find_all(exp.TableAlias)
        for column in alias.args.get("columns") or ()
    }
    for column in expression.find_all(exp.Column):
        name = column.name
        if name.upper() != "ROWID" and (column.table or name not in rows):
            continue
        if name not in named and not kinds.knows_column(name):
            raise compilation_error(f"invalid identifier '{shown(name)}'", 904, "42000")
