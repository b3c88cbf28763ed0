"""Table functions over the values of a row: FLATTEN, SPLIT_TO_TABLE, STRTOK_SPLIT_TO_TABLE.

https://docs.snowflake.com/en/sql-reference/functions/flatten,
https://docs.snowflake.com/en/sql-reference/functions/split_to_table,
https://docs.snowflake.com/en/sql-reference/functions/strtok_split_to_table
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.session import Session
from embedded_account.translate.kinds import Kinds
from embedded_account.translate.registry import Macro, call, text

# DuckDB keeps the order of rows where one column of the input is all that is correlated, so the records are numbered
# as they come by.
MACROS: tuple[Macro, ...] = (
    Macro(
        "_flatten_rows",
        "(input, path, mode, recursive, outer_, counter) AS TABLE "
        'SELECT CAST(r ->> 0 AS BIGINT) AS "SEQ", r ->> 1 AS "KEY", r ->> 2 AS "PATH", '
        'CAST(r ->> 3 AS BIGINT) AS "INDEX", CAST(r ->> 4 AS JSON) AS "VALUE", CAST(r ->> 5 AS JSON) AS "THIS" '
        "FROM (SELECT unnest(CAST(_flatten(CAST(to_json(input) AS VARCHAR), path, mode, recursive, outer_, counter) "
        "AS JSON[])) AS r)",
    ),
    Macro(
        "_split_rows",
        '(parts, counter) AS TABLE SELECT CAST(r ->> 0 AS BIGINT) AS "SEQ", CAST(r ->> 1 AS BIGINT) AS "INDEX", '
        'r ->> 2 AS "VALUE" FROM '
        "(SELECT unnest(CAST(_split(CAST(to_json(parts) AS VARCHAR), counter) AS JSON[])) AS r)",
    ),
)
_DEFAULTS = {"INPUT": None, "PATH": "", "OUTER": False, "RECURSIVE": False, "MODE": "BOTH"}
_MODES = ("OBJECT", "ARRAY", "BOTH")


def table_functions(session: Session, kinds: Kinds, expression: Any) -> None:
    """Replace each of them by a lateral subquery over a table macro, in place."""
    for node in list(expression.find_all(exp.Lateral, exp.TableFromRows)):
        rows = _rows(session, kinds, node)
        if rows is None:
            continue
        query = exp.select("*").from_(exp.Table(this=rows))
        subquery = exp.Subquery(this=query)
        alias = node.args.get("alias")
        join = node.parent if isinstance(node.parent, exp.Join) else None
        if join is not None:
            if join.args.get("on") is None and (join.args.get("side") or join.args.get("kind") == "INNER"):
                join.set("on", exp.true())
            node.replace(exp.Lateral(this=subquery, alias=alias))
        else:
            subquery.set("alias", alias)
            for key in ("joins", "pivots", "sample"):
                if node.args.get(key):
                    subquery.set(key, node.args[key])
            node.replace(subquery)


def _rows(session: Session, kinds: Kinds, node: Any) -> Any:
    inner = node.this
    if isinstance(inner, exp.Explode):
        return _flatten(session, kinds, [inner.this, *inner.expressions])
    if isinstance(inner, exp.SplitToTable):
        value, separator = inner.this, inner.expression
        parts = call("string_split", exp.cast(value.copy(), "TEXT"), separator.copy())
    elif isinstance(inner, exp.Anonymous) and str(inner.this).upper() == "STRTOK_SPLIT_TO_TABLE":
        value, *rest = inner.expressions
        parts = exp.StrtokToArray(this=value.copy(), expression=rest[0].copy() if rest else text(" "))
        parts.meta["list"] = True
    else:
        return None
    return call("_split_rows", parts, _counter(session, value))


def _flatten(session: Session, kinds: Kinds, arguments: list[Any]) -> Any:
    given: dict[str, Any] = {}
    for at, argument in enumerate(arguments):
        if isinstance(argument, exp.Kwarg):
            name = argument.this.name.upper()
            if name not in _DEFAULTS:
                raise compilation_error(
                    f"invalid argument '{name}' for table function FLATTEN.", 1015, "22023"
                )
            given[name] = argument.expression
        else:
            given[list(_DEFAULTS)[at]] = argument
    if "INPUT" not in given:
        raise compilation_error(
            "Missing required argument 'INPUT' for table function FLATTEN.", 1015, "22023"
        )
    mode = given.get("MODE")
    if mode is not None and mode.name.upper() not in _MODES:
        raise compilation_error(
            f"invalid value [{mode.sql('snowflake')}] for parameter 'MODE'", 1008, "22023"
        )
    if kinds.surely(given["INPUT"], "text"):
        raise compilation_error(
            "Invalid argument types for function 'FLATTEN': (VARCHAR(16777216))", 1044, "42P13"
        )
    values = {
        name: given.get(name) or (text(default) if isinstance(default, str) else exp.false())
        for name, default in _DEFAULTS.items()
    }
    return call(
        "_flatten_rows",
        values["INPUT"],
        *(values[name] for name in ("PATH", "MODE", "RECURSIVE", "OUTER")),
        _counter(session, values["INPUT"]),
    )


def _counter(session: Session, value: Any) -> Any:
    """What counts the statement's input records; a constant is one."""
    return text(session.scratch_name("records") if value.find(exp.Column) else "")
