"""Names of result columns: Snowflake names an unnamed expression by its text, upper-cased."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

_NAMED = (exp.Column, exp.Star, exp.Alias, exp.Dot, exp.Parameter)


def name_columns(expression: Any) -> None:
    """Alias the unnamed projections of every SELECT, in place."""
    for select in expression.find_all(exp.Select):
        for projection in select.expressions:
            if isinstance(projection, _NAMED) or projection.is_star:
                continue
            text = projection.sql(dialect="snowflake", normalize_functions="upper")
            if isinstance(projection, exp.Func) and "(" not in text:
                # An alias that is itself a function's name would hide the function from DuckDB.
                text += "()"
            if isinstance(projection, exp.Literal) and projection.is_string:
                text = f"'{projection.this}'"
            projection.replace(exp.alias_(projection.copy(), exp.to_identifier(text.upper(), quoted=True)))
