"""`SELECT $1 FROM VALUES (…)`: Snowflake numbers the columns of VALUES and names them COLUMN1, COLUMN2 …

https://docs.snowflake.com/en/sql-reference/constructs/values
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error


def number_columns(expression: Any) -> Any:
    if isinstance(expression, exp.Values):
        expression = exp.select("*").from_(expression)
    for rows in list(expression.find_all(exp.Values)):
        parent = rows.parent
        if isinstance(parent, exp.Insert) or not rows.expressions:
            continue
        first = rows.expressions[0]
        width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
        alias = rows.args.get("alias")
        name = alias.this if alias is not None and alias.this is not None else exp.to_identifier("VALUES")
        columns = list(alias.args.get("columns") or []) if alias is not None else []
        if not columns:
            columns = [exp.to_identifier(f"COLUMN{i + 1}", quoted=True) for i in range(width)]
        rows.set("alias", exp.TableAlias(this=name, columns=columns))
        select = rows.find_ancestor(exp.Select)
        if select is not None:
            for parameter in list(select.find_all(exp.Parameter)):
                position = parameter.this
                if isinstance(position, exp.Literal) and not position.is_string:
                    if not 1 <= int(position.this) <= len(columns):
                        raise compilation_error(f"invalid identifier '${position.this}'", 904, "42000")
                    parameter.replace(exp.column(columns[int(position.this) - 1].copy()))
    return expression
