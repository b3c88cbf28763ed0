"""ASOF JOIN … MATCH_CONDITION: https://docs.snowflake.com/en/sql-reference/constructs/asof-join

Snowflake keeps left rows without a match, which DuckDB calls ASOF LEFT JOIN.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import unsupported


def match_conditions(expression: Any) -> Any:
    for join in list(expression.find_all(exp.Join)):
        condition = join.args.get("match_condition")
        if condition is None:
            continue
        if join.args.get("using"):
            raise unsupported("ASOF JOIN … USING")
        join.set("match_condition", None)
        join.set("side", "LEFT")
        on = join.args.get("on")
        join.set("on", exp.and_(on, condition) if on is not None else condition)
    return expression
