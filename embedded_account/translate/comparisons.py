"""Implicit casts where values of two types meet: https://docs.snowflake.com/en/sql-reference/data-type-conversion"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.translate.conversions import to_variant, variant_text
from embedded_account.translate.registry import Context, call, operator


@operator(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.EqualNull)
def comparison(context: Context, node: Any) -> Any:
    left, right = node.this, node.expression
    if isinstance(node.parent, exp.Update):
        return _assignment(context, node)
    new_left, new_right = _beside(context, left, [right]), _beside(context, right, [left])
    if new_left is left and new_right is right:
        return None
    node.set("this", new_left.copy())
    node.set("expression", new_right.copy())
    return node


def _assignment(context: Context, node: Any) -> Any:
    """`SET v = 'x'`: the value becomes a VARIANT where the column is one."""
    value = node.expression
    if context.kinds.surely(node.this, "variant") and not isinstance(value, exp.Null):
        node.set("expression", _variant(context, value))
    return node


@operator(exp.Between)
def between(context: Context, node: Any) -> Any:
    low, high = node.args["low"], node.args["high"]
    value = _beside(context, node.this, [low, high])
    for key, end in (("low", low), ("high", high)):
        changed = _beside(context, end, [node.this])
        if changed is not end:
            node.set(key, changed)
    if value is not node.this:
        node.set("this", value)
    return node


@operator(exp.In)
def in_list(context: Context, node: Any) -> Any:
    others = node.expressions or [node.args.get("query")]
    value = _beside(context, node.this, [other for other in others if other is not None])
    if value is not node.this:
        node.set("this", value)
    return node


def _beside(context: Context, value: Any, others: list[Any]) -> Any:
    """The value as what it is compared with."""
    kinds = context.kinds.of(value)
    for other in others:
        beside = context.kinds.of(other)
        if "variant" in kinds and "text" in beside:
            return variant_text(context, value)
        if "variant" in kinds and "number" in beside:
            return call("_variant_number", value)
        if "text" in kinds and "time" in beside and not isinstance(value, exp.Literal):
            return call("_beside", value.copy(), other.copy())
    return value


@operator(exp.Coalesce, exp.Greatest, exp.Least)
def alternatives(context: Context, node: Any) -> Any:
    values = [node.this, *node.expressions]
    if _mixed(context, values):
        node.set("this", _variant(context, node.this))
        node.set("expressions", [_variant(context, value) for value in node.expressions])
    return node


@operator(exp.Nullif)
def nullif(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/nullif: the value itself, or NULL."""
    value = node.this
    compared = _beside(context, value, [node.expression])
    if compared is value:
        return None
    equal = exp.EQ(this=compared.copy(), expression=node.expression)
    return exp.Case(ifs=[exp.If(this=equal, true=exp.Null())], default=value)


@operator(exp.DecodeCase)
def decode(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/decode"""
    value, *rest = node.expressions
    searched = rest[: len(rest) // 2 * 2 : 2]
    compared = _beside(context, value, searched)
    if compared is not value:
        node.set("expressions", [compared, *rest])
    return node


@operator(exp.Case)
def case(context: Context, node: Any) -> Any:
    if node.this is not None:
        compared = _beside(context, node.this, [branch.this for branch in node.args["ifs"]])
        if compared is not node.this:
            node.set("this", compared)
    branches = [*node.args["ifs"], node]
    keys = ["true"] * len(node.args["ifs"]) + ["default"]
    return _branches(context, node, list(zip(branches, keys, strict=True)))


@operator(exp.If, exp.Nvl2)
def if_(context: Context, node: Any) -> Any:
    if isinstance(node.parent, exp.Case):
        return None
    return _branches(context, node, [(node, "true"), (node, "false")])


def _branches(context: Context, node: Any, places: list[tuple[Any, str]]) -> Any:
    values = [holder.args.get(key) for holder, key in places]
    if _mixed(context, values):
        for holder, key in places:
            if holder.args.get(key) is not None:
                holder.set(key, _variant(context, holder.args[key]))
    return node


def _mixed(context: Context, values: list[Any]) -> bool:
    """Whether some alternatives are surely VARIANT and others surely not: all become VARIANT."""
    kinds = [
        context.kinds.of(value) for value in values if value is not None and not isinstance(value, exp.Null)
    ]
    return any(k == {"variant"} for k in kinds) and any(k and "variant" not in k for k in kinds)


def _variant(context: Context, value: Any) -> Any:
    if isinstance(value, exp.Null) or context.kinds.is_(value, "variant"):
        return value
    return to_variant(context, value)
