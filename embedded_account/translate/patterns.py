"""Functions of regular expressions: https://docs.snowflake.com/en/sql-reference/functions-regexp"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.translate.conversions import as_text
from embedded_account.translate.registry import Context, call, function, number, operator, text

# Of each function: its DuckDB function, and the values of the arguments after subject and pattern that are not given.
_DEFAULTS: dict[str, tuple[str, list[Any]]] = {
    "REGEXP_SUBSTR": ("_regexp_substr", [1, 1, "c", -1]),
    "REGEXP_SUBSTR_ALL": ("_regexp_substr_all", [1, 1, "c", -1]),
    "REGEXP_EXTRACT_ALL": ("_regexp_substr_all", [1, 1, "c", -1]),
    "REGEXP_REPLACE": ("_regexp_replace", ["", 1, 0, "c"]),
    "REGEXP_COUNT": ("_regexp_count", [1, "c"]),
    "REGEXP_INSTR": ("_regexp_instr", [1, 1, 0, "c", -1]),
}
_KINDS = {
    "REGEXP_COUNT": "number",
    "REGEXP_INSTR": "number",
    "REGEXP_SUBSTR": "text",
    "REGEXP_REPLACE": "text",
}


def _call(context: Context, name: str, arguments: list[Any]) -> Any:
    macro, defaults = _DEFAULTS[name]
    given = arguments[2:]
    rest = given + [_literal(default) for default in defaults[len(given) :]]
    rest = [
        as_text(context, value) if isinstance(default, str) else exp.cast(value, "BIGINT")
        for value, default in zip(rest, defaults, strict=True)
    ]
    made = call(macro, *(as_text(context, value) for value in arguments[:2]), *rest)
    return call("to_json", made) if macro == "_regexp_substr_all" else made


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    return number(value) if value >= 0 else exp.Neg(this=number(-value))


for _name, (_, _values) in _DEFAULTS.items():
    function(_name, least=2, most=2 + len(_values), kind=_KINDS.get(_name, "variant"))(
        lambda context, arguments, name=_name: _call(context, name, arguments)  # type: ignore[misc]
    )


@operator(exp.RegexpLike)
def regexp_like(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_like"""
    flags = node.args.get("flag") or text("c")
    return call("_regexp_like", as_text(context, node.this), as_text(context, node.expression), flags)
