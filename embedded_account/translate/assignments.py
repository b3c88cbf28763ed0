"""Values on their way into columns of type BINARY, which Snowflake reads from hexadecimal text.

https://docs.snowflake.com/en/sql-reference/binary-input-output#binary-input
"""

from __future__ import annotations

from typing import Any

import duckdb
from sqlglot import exp

from embedded_account.names import duck
from embedded_account.session import Session


def cast_to_binary(session: Session, expression: Any) -> None:
    """Cast what INSERT, UPDATE and MERGE give such columns, in place; DuckDB would take the text's own bytes."""
    if not isinstance(expression, exp.Insert | exp.Update | exp.Merge):
        return
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    columns = _columns(session, target)
    if "BLOB" not in columns.values():
        return
    if isinstance(expression, exp.Insert):
        listed = expression.this.expressions if isinstance(expression.this, exp.Schema) else ()
        _inserted(expression, [columns.get(name.name, "") for name in listed] or list(columns.values()))
    for inner in expression.find_all(exp.Update, exp.Insert):
        if isinstance(inner, exp.Update):
            pairs = [(one.this.name, one.expression) for one in inner.expressions]
        elif isinstance(inner.expression, exp.Tuple):  # MERGE … THEN INSERT (…) VALUES (…)
            names = [column.name for column in inner.this.expressions] if inner.this else list(columns)
            pairs = list(zip(names, inner.expression.expressions, strict=False))
        else:
            continue
        for name, value in pairs:
            if columns.get(name) == "BLOB":
                _cast(value)


def _columns(session: Session, table: Any) -> dict[str, str]:
    """The columns of a table, with their DuckDB types."""
    if not isinstance(table, exp.Table):
        return {}
    try:
        relation = session.duck.sql(f"SELECT * FROM {duck(table.catalog, table.db, table.name)}")
    except duckdb.Error:  # the statement itself will say what is wrong
        return {}
    return dict(zip(relation.columns, map(str, relation.types), strict=True))


def _inserted(insert: Any, types: list[str]) -> None:
    source = insert.expression
    if isinstance(source, exp.Values):
        for row in source.expressions:
            for type_, cell in zip(types, row.expressions, strict=False):
                if type_ == "BLOB":
                    _cast(cell)
    elif isinstance(source, exp.Query):
        if not isinstance(source, exp.Select) or source.is_star:
            names = [exp.to_identifier(f"c{at}", quoted=True) for at in range(len(types))]
            rows = exp.Subquery(
                this=source.copy(), alias=exp.TableAlias(this=exp.to_identifier("q"), columns=names)
            )
            source = exp.select(*(exp.column(name.copy()) for name in names)).from_(rows)
            insert.set("expression", source)
        for type_, column in zip(types, source.expressions, strict=False):
            if type_ == "BLOB":
                _cast(column.unalias())


def _cast(value: Any) -> None:
    if not isinstance(value, exp.Null | exp.Var):  # DEFAULT is a word
        value.replace(exp.cast(value.copy(), "BINARY"))
