"""Arithmetic and numeric functions: https://docs.snowflake.com/en/sql-reference/functions-numeric

DuckDB refuses division by zero and arguments outside a function's domain, as the account sets it
(`ieee_floating_point_ops`); what it answers with infinity is refused here.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from embedded_account.names import literal
from embedded_account.translate.dates import UNITS, part_of
from embedded_account.translate.formats.failure import form
from embedded_account.translate.registry import Context, Macro, call, function, number, operator

_OVERFLOWING = {"exp": "x", "sinh": "x", "cosh": "x", "power": "x, y"}


def _finite(name: str, parameters: str) -> Macro:
    finite = " AND ".join(f"isfinite(CAST({p} AS DOUBLE))" for p in parameters.split(", "))
    made = f"{name}({parameters})"
    shown = " || ',' || ".join(f"CAST({p} AS VARCHAR)" for p in parameters.split(", "))
    message = literal(
        form(f"Invalid floating point operation: {name.replace('power', 'pow')}(", 100047, "22023")
    )
    return Macro(
        f"_{name}",
        f"({parameters}) AS CASE WHEN {finite} AND NOT isfinite({made}) "
        f"THEN error({message} || {shown} || ')') ELSE {made} END",
    )


MACROS: tuple[Macro, ...] = (
    *(_finite(name, parameters) for name, parameters in _OVERFLOWING.items()),
    # Text in arithmetic is NUMBER(18, 5); in numeric functions and aggregates it is FLOAT.
    Macro("_operand", "(x VARCHAR) AS CAST(trim(x, '\"') AS DECIMAL(18, 5))", "(x) AS x"),
    Macro("_number", "(x VARCHAR) AS CAST(trim(x, '\"') AS DOUBLE)", "(x) AS x"),
    # JSON comes as text: a string in its quotes, a null as its word.
    Macro("_variant_number", "(x VARCHAR) AS CAST(nullif(trim(x, '\"'), 'null') AS DOUBLE)", "(x) AS x"),
    Macro(
        "_variant_digits",
        "(x VARCHAR) AS CASE x WHEN 'true' THEN '1' WHEN 'false' THEN '0' WHEN 'null' THEN NULL "
        "ELSE trim(x, '\"') END",
        "(x) AS x",
    ),
    Macro("_div0", "(a, b) AS CASE WHEN b = 0 AND a IS NOT NULL THEN 0 ELSE a / nullif(b, 0) END"),
    Macro("_trunc", "(x, n) AS trunc(x * power(10, n)) / power(10, n)"),
    Macro("_factorial", "(n) AS factorial(CAST(n AS INTEGER))"),
    Macro(
        "_uniform_integer",
        "(a, b, r) AS CAST(a + (r % (b - a + 1) + (b - a + 1)) % (b - a + 1) AS BIGINT)",
    ),
    Macro("_random", "() AS _signed(hash(gen_random_uuid()))"),
    Macro(
        "_width_bucket",
        "(x, a, b, n) AS CASE WHEN x < a THEN 0 WHEN x >= b THEN n + 1 "
        "ELSE CAST(floor((x - a) * n / (b - a)) AS BIGINT) + 1 END",
    ),
    Macro(
        "_system_typeof",
        "(x) AS CASE WHEN typeof(x) LIKE 'DECIMAL%' THEN replace(typeof(x), 'DECIMAL', 'NUMBER') || '[SB16]' "
        "ELSE CASE typeof(x) WHEN 'DOUBLE' THEN 'FLOAT[DOUBLE]' WHEN 'VARCHAR' THEN 'VARCHAR(16777216)[LOB]' "
        "WHEN 'BOOLEAN' THEN 'BOOLEAN[SB1]' WHEN 'DATE' THEN 'DATE[SB4]' WHEN 'TIME' THEN 'TIME(9)[SB8]' "
        "WHEN 'TIMESTAMP' THEN 'TIMESTAMP_NTZ(9)[SB16]' WHEN 'JSON' THEN 'VARIANT[LOB]' "
        "WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_LTZ(9)[SB16]' WHEN 'BLOB' THEN 'BINARY(8388608)[LOB]' "
        "ELSE 'NUMBER(38,0)[SB8]' END END",
    ),
    Macro("square", "(x) AS (x * x)"),
    # 64 bits without a sign, as a number with one.
    Macro(
        "_signed", "(h) AS CAST(CAST(xor(h, 9223372036854775808) AS HUGEINT) - 9223372036854775808 AS BIGINT)"
    ),
)


def as_number(context: Context, node: Any, macro: str = "_number") -> Any:
    """The node where Snowflake wants a number and casts implicitly."""
    kinds = context.kinds.of(node)
    if "variant" in kinds:
        return call("_variant_number", node)
    return call(macro, node) if "text" in kinds else node


@operator(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
def arithmetic(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/operators-arithmetic"""
    if isinstance(node.expression, exp.Interval):
        return _add_interval(node)
    for key in ("this", "expression"):
        operand = node.args[key]
        changed = as_number(context, operand, "_operand")
        if changed is not operand:
            node.set(key, changed)
    return node


def _add_interval(node: Any) -> Any:
    """A DATE and whole days are a DATE; `'1 day, 2 hours'` are added one after another.

    https://docs.snowflake.com/en/sql-reference/data-types-datetime#interval-constants
    """
    interval, made = node.expression, node.this
    if not isinstance(interval.this, exp.Literal):
        return None
    unit = interval.args.get("unit")
    words = f"{interval.this.this} {unit.name if unit is not None else ''}"
    for sign, count, part in re.findall(r"([+-]?)\s*(\d+)\s*([A-Za-z]*)", words):
        amount = int(count) * (-1 if (sign == "-") != isinstance(node, exp.Sub) else 1)
        name = part_of(exp.var(part or "second"), "INTERVAL", UNITS)
        made = call(f"_add_{name}", made, number(amount))
    return made


@operator(
    exp.Neg, exp.Abs, exp.Sum, exp.Avg, exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Sqrt, exp.Cbrt, exp.Ln, exp.Log,
    exp.Median, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Trunc, exp.Acos,
    exp.Asin, exp.Atan, exp.Sin, exp.Cos, exp.Tan, exp.Degrees, exp.Radians,
)  # fmt: skip
def numeric_argument(context: Context, node: Any) -> Any:
    operand = node.this
    if isinstance(operand, exp.Distinct):
        return None
    changed = as_number(context, operand)
    if changed is not operand:
        node.set("this", changed)
    if isinstance(node, exp.Trunc) and not isinstance(node.args.get("decimals"), exp.Literal | None):
        return call("_trunc", node.this, node.args["decimals"])
    return node


@function("EXP", kind="number")
def exp_(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/exp"""
    return call("_exp", as_number(context, arguments[0]))


@operator(exp.Pow)
def power(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/pow"""
    return call("_power", as_number(context, node.this), as_number(context, node.expression))


@function("SINH", kind="number")
def sinh(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/sinh"""
    return call("_sinh", as_number(context, arguments[0]))


@function("COSH", kind="number")
def cosh(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/cosh"""
    return call("_cosh", as_number(context, arguments[0]))


@function("DIV0", least=2, kind="number")
def div0(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/div0"""
    return call("_div0", *(as_number(context, argument) for argument in arguments))


@function("DIV0NULL", least=2, kind="number")
def div0null(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/div0null"""
    dividend, divisor = (as_number(context, argument) for argument in arguments)
    return call("_div0", dividend, call("coalesce", divisor, number(0)))


@function("FACTORIAL", kind="number")
def factorial(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/factorial"""
    return call("_factorial", as_number(context, arguments[0]))


@function("WIDTH_BUCKET", least=4, kind="number")
def width_bucket(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/width_bucket"""
    return call("_width_bucket", *arguments)


@function("RANDOM", least=0, most=1, kind="number")
def random(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/random; 64 bits, signed. A seed does not repeat them."""
    return call("_random")


@function("UNIFORM", least=3, kind="number")
def uniform(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/uniform: integers if both limits are."""
    low, high, generator = arguments
    if all(_whole(limit) for limit in (low, high)):
        return call("_uniform_integer", low, high, exp.cast(generator, "HUGEINT"))
    share = exp.Div(
        this=exp.Paren(
            this=exp.Mod(this=call("abs", exp.cast(generator, "HUGEINT")), expression=number(1 << 53))
        ),
        expression=exp.cast(number(1 << 53), "DOUBLE"),
    )
    span = exp.Paren(this=exp.Sub(this=high, expression=low.copy()))
    return exp.Paren(this=exp.Add(this=low, expression=exp.Mul(this=span, expression=share)))


def _whole(node: Any) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal) and not inner.is_string and str(inner.this).isdigit()


@function("SYSTEM$TYPEOF", kind="text")
def system_typeof(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/system_typeof"""
    return call("_system_typeof", arguments[0])


@function("HASH", most=1000, kind="number")
def hash_(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/hash: 64 bits, signed."""
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        arguments = _whole_rows(arguments[0].find_ancestor(exp.Select))
    return call("_signed", call("hash", *arguments))


def _whole_rows(select: Any) -> list[Any]:
    """Each source of the query as one value, its row."""
    sources = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or [])]
    return [exp.column(exp.to_identifier(source.alias_or_name, quoted=True)) for source in sources]


@operator(exp.Window)
def ratio_to_report(_: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/ratio_to_report"""
    inner = node.this
    if not isinstance(inner, exp.Anonymous) or str(inner.this).upper() != "RATIO_TO_REPORT":
        return None
    value = inner.expressions[0]
    total = node.copy()
    total.set("this", exp.Sum(this=value.copy()))
    return exp.Div(this=exp.cast(value.copy(), "DOUBLE"), expression=call("nullif", total, number(0)))
