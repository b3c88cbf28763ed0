"""Casts, TO_… and TRY_TO_…: https://docs.snowflake.com/en/sql-reference/functions-conversion"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.translate.dates import face
from embedded_account.translate.kinds import cast_kind
from embedded_account.translate.registry import Context, Macro, call, function, number, operator, text

# Integers in text are seconds, milli-, micro- or nanoseconds by their size:
# https://docs.snowflake.com/en/sql-reference/date-time-input-output (auto-detection of integer-stored values)
_EPOCH = """CASE
    WHEN abs(TRY_CAST(t AS BIGINT)) < 31536000000 THEN make_timestamp(TRY_CAST(t AS BIGINT) * 1000000)
    WHEN abs(TRY_CAST(t AS BIGINT)) < 31536000000000 THEN make_timestamp(TRY_CAST(t AS BIGINT) * 1000)
    WHEN abs(TRY_CAST(t AS BIGINT)) < 31536000000000000 THEN make_timestamp(TRY_CAST(t AS BIGINT))
    ELSE make_timestamp(TRY_CAST(t AS BIGINT) // 1000) END"""
_INTEGER = "regexp_full_match(t, '-?[0-9]{1,18}')"
# A TIMESTAMP_NTZ keeps the clock's face and forgets the zone.
_FACE = r"regexp_replace(t, '(:\d\d(?:\.\d+)?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)$', '\1')"
# DuckDB takes no blank before the zone.
_TIGHT = r"regexp_replace(t, '(:\d\d(?:\.\d+)?)\s+(Z|[+-]\d\d)', '\1\2')"
_STAMP = "strftime({0}, '%Y-%m-%d %H:%M:%S.%g')"
_OFFSET = "printf('%+03d%02d', CAST(timezone_hour(x) AS INTEGER), CAST(abs(timezone_minute(x)) AS INTEGER))"


MACROS: tuple[Macro, ...] = (
    Macro(
        "_text",
        "(x VARCHAR) AS x",
        "(x DATE) AS CAST(x AS VARCHAR)",
        f"(x TIMESTAMP) AS {_STAMP.format('x')}",
        f"(x TIMESTAMPTZ) AS {_STAMP.format('CAST(x AS TIMESTAMP)')} || ' ' || {_OFFSET}",
        "(x TIME) AS left(CAST(x AS VARCHAR), 8)",
        "(x BLOB) AS hex(x)",
        "(x) AS CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN regexp_replace(CAST(x AS VARCHAR), '\\.0$', '') "
        "WHEN typeof(x) LIKE '%]' OR typeof(x) LIKE 'STRUCT%' OR typeof(x) LIKE 'MAP%' "
        "THEN CAST(to_json(x) AS VARCHAR) ELSE CAST(x AS VARCHAR) END",
    ),
    Macro(
        "_json_text",
        "(j) AS CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN _sorted_json(CAST(j AS VARCHAR)) "
        "ELSE json_extract_string(j, '$') END",
    ),
    Macro(
        "_variant_text", "(x) AS CASE WHEN typeof(x) = 'JSON' THEN _json_text(to_json(x)) ELSE _text(x) END"
    ),
    Macro(
        "_format",
        "(x VARCHAR, f) AS x",
        "(x DATE, f) AS _format_time(CAST(x AS TIMESTAMP), f, '+0000')",
        "(x TIMESTAMP, f) AS _format_time(x, f, '+0000')",
        f"(x TIMESTAMPTZ, f) AS _format_time(CAST(x AS TIMESTAMP), f, {_OFFSET})",
        "(x TIME, f) AS _format_time(DATE '1970-01-01' + x, f, '+0000')",
        "(x BLOB, f) AS _binary_text(x, f)",
        "(x, f) AS _format_number(CAST(x AS VARCHAR), f, typeof(x) IN ('DOUBLE', 'FLOAT'))",
    ),
    Macro(
        "_text_to_timestamp",
        f"(t, safe := false) AS CASE WHEN {_INTEGER} THEN {_EPOCH} "
        f"ELSE coalesce(TRY_CAST({_FACE} AS TIMESTAMP), _parse_time(t, '', 'ntz', safe)) END",
    ),
    Macro(
        "_text_to_moment",
        f"(t, safe := false) AS CASE WHEN {_INTEGER} THEN _text_to_timestamp(t) AT TIME ZONE 'UTC' "
        f"ELSE coalesce(TRY_CAST({_TIGHT} AS TIMESTAMPTZ), CAST(_parse_moment(t, '', safe) AS TIMESTAMPTZ)) END",
    ),
    Macro(
        "_text_to_date",
        f"(t, safe := false) AS CASE WHEN {_INTEGER} THEN CAST({_EPOCH} AS DATE) "
        f"ELSE coalesce(TRY_CAST({_FACE} AS TIMESTAMP)::DATE, _parse_time(t, '', 'date', safe)::DATE) END",
    ),
    Macro(
        "_text_to_time",
        "(t, safe := false) AS coalesce(TRY_CAST(t AS TIME), CAST(_parse_time(t, '', 'time', safe) AS TIME))",
    ),
    # A JSON string comes as text, in its quotes.
    Macro("_to_date", "(x VARCHAR) AS _text_to_date(trim(x, '\"'))", "(x) AS CAST(x AS DATE)"),
    Macro(
        "_to_time",
        "(x VARCHAR) AS _text_to_time(trim(x, '\"'))",
        "(x) AS CAST(x AS TIME)",
    ),
    Macro(
        "_to_timestamp_ntz",
        "(x VARCHAR) AS _text_to_timestamp(trim(x, '\"'))",
        "(x DATE) AS CAST(x AS TIMESTAMP)",
        "(x TIMESTAMP) AS x",
        "(x TIMESTAMPTZ) AS CAST(x AS TIMESTAMP)",
        "(x) AS _epoch(x, 0)",
    ),
    Macro(
        "_to_timestamp_ltz",
        "(x VARCHAR) AS _text_to_moment(trim(x, '\"'))",
        "(x DATE) AS CAST(x AS TIMESTAMPTZ)",
        "(x TIMESTAMP) AS CAST(x AS TIMESTAMPTZ)",
        "(x TIMESTAMPTZ) AS x",
        "(x) AS _moment(x, 0)",
    ),
    Macro("_epoch", "(x, s) AS make_timestamp(CAST(CAST(x AS DECIMAL(28, 9)) * power(10, 6 - s) AS BIGINT))"),
    Macro("_moment", "(x, s) AS _epoch(x, s)::TIMESTAMP AT TIME ZONE 'UTC'"),
    # The second argument is a format where the first is text, a scale where it is a number.
    Macro(
        "_to_timestamp_ntz_by",
        "(x VARCHAR, f VARCHAR) AS _parse_time(trim(x, '\"'), f, 'ntz', false)",
        "(x TIMESTAMP, f VARCHAR) AS x",
        "(x TIMESTAMPTZ, f VARCHAR) AS CAST(x AS TIMESTAMP)",
        "(x, f INTEGER) AS _epoch(x, f)",
    ),
    Macro(
        "_to_timestamp_ltz_by",
        "(x VARCHAR, f VARCHAR) AS CAST(_parse_moment(trim(x, '\"'), f, false) AS TIMESTAMPTZ)",
        "(x TIMESTAMP, f VARCHAR) AS CAST(x AS TIMESTAMPTZ)",
        "(x TIMESTAMPTZ, f VARCHAR) AS x",
        "(x, f INTEGER) AS _moment(x, f)",
    ),
    Macro("_to_binary", "(x VARCHAR) AS unhex(trim(x, '\"'))", "(x) AS CAST(x AS BLOB)"),
)


def as_text(context: Context, node: Any) -> Any:
    """The node where Snowflake wants a VARCHAR and casts implicitly."""
    kinds = context.kinds.of(node)
    if kinds == {"text"} or isinstance(node, exp.Null):
        return node
    if "variant" in kinds:
        return variant_text(context, node)
    return call("_text", node) if kinds else node


def variant_text(context: Context, node: Any) -> Any:
    """The text of what is, or may be, a VARIANT."""
    if context.kinds.surely(node, "variant"):
        return call("_json_text", call("to_json", node))
    return call("_variant_text", node)


@operator(exp.Cast, exp.TryCast)
def cast(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/cast"""
    to, safe, operand = node.to, isinstance(node, exp.TryCast), node.this
    kind, type_ = cast_kind(to), to.this
    if isinstance(operand, exp.Null):
        return None
    if _TIMES.get(type_) != "timestamp_ltz":
        operand = face(operand)
    if kind == "text":
        return _cast_to_text(context, operand, to)
    if kind == "time":
        return _cast_to_time(operand, type_, safe)
    if kind == "binary":
        return call("_try_to_binary" if safe else "_to_binary", operand)
    if kind == "variant" and type_ != exp.DataType.Type.JSON:
        return to_variant(context, operand, {exp.DataType.Type.ARRAY: "_to_array"}.get(type_, ""))
    if kind == "number" and context.kinds.is_(operand, "variant"):
        node.set("this", call("_variant_digits", operand))
        return node
    return None


def _cast_to_text(context: Context, operand: Any, to: Any) -> Any:
    kinds = context.kinds.of(operand)
    if "variant" in kinds:
        made = variant_text(context, operand)
    else:
        made = operand if kinds == {"text"} else call("_text", operand)
    length = to.expressions[0].this if to.expressions else None
    if length is not None:
        return call("left", made, length)
    return exp.cast(made, "TEXT") if made is operand else made


_TIMES = {
    exp.DataType.Type.DATE: "date",
    exp.DataType.Type.TIME: "time",
    exp.DataType.Type.TIMESTAMPTZ: "timestamp_ltz",
    exp.DataType.Type.TIMESTAMPLTZ: "timestamp_ltz",
}


def _cast_to_time(operand: Any, type_: Any, safe: bool) -> Any:
    return convert_time(_TIMES.get(type_, "timestamp_ntz"), [operand], safe)


def to_variant(context: Context, operand: Any, name: str = "") -> Any:
    if context.kinds.is_(operand, "binary"):
        operand = call("hex", operand)
    return call(name or "to_json", operand)


# ----- to text


@function("TO_CHAR", "TO_VARCHAR", most=2, kind="text")
def to_char(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/to_char"""
    value = face(arguments[0])
    if len(arguments) == 1:
        return variant_text(context, value) if context.kinds.is_(value, "variant") else call("_text", value)
    if context.kinds.is_(value, "variant"):
        value = call("_variant_number", value)
    elif context.kinds.surely(value, "text"):
        value = call("_to_timestamp_ntz", value)
    return call("_format", value, arguments[1])


# ----- to dates and times


def convert_time(kind: str, arguments: list[Any], safe: bool) -> Any:
    """`kind` is date, time, timestamp_ntz or timestamp_ltz."""
    value = arguments[0] if kind == "timestamp_ltz" else face(arguments[0])
    short = {"timestamp_ntz": "ntz", "timestamp_ltz": "ltz"}.get(kind, kind)
    to = {"date": "DATE", "time": "TIME", "ntz": "TIMESTAMP", "ltz": "TIMESTAMPTZ"}[short]
    if len(arguments) == 2 and short in ("ntz", "ltz") and not safe:
        return call(f"_to_timestamp_{short}_by", *arguments)
    if len(arguments) == 2:
        named = [] if short == "ltz" else [text(short)]
        parser = "_parse_moment" if short == "ltz" else "_parse_time"
        parsed = call(parser, call("_text", value), arguments[1], *named, _boolean(safe))
        return exp.Cast(this=parsed, to=exp.DataType.build(to, dialect="duckdb"))
    if safe:
        name = {"date": "_text_to_date", "time": "_text_to_time", "ntz": "_text_to_timestamp"}
        return call(name.get(short, "_text_to_moment"), call("_text", value), exp.true())
    if kind == "date" and isinstance(value, exp.Literal) and _ISO_DAY.fullmatch(str(value.this)):
        # DuckDB reads it the same, and a list of days is bound in a tenth of the time.
        return exp.Cast(this=value, to=exp.DataType.build(to, dialect="duckdb"))
    return call(f"_to_{kind}", value)


_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _boolean(value: bool) -> Any:
    return exp.true() if value else exp.false()


# Without TIMESTAMP_TYPE_MAPPING, TIMESTAMP is TIMESTAMP_NTZ; a TIMESTAMP_TZ is kept as a moment.
_TIME_FUNCTIONS = {
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_NTZ": "timestamp_ntz",
    "TIMESTAMP_LTZ": "timestamp_ltz",
    "TIMESTAMP_TZ": "timestamp_ltz",
}


def _register_times() -> None:
    """https://docs.snowflake.com/en/sql-reference/functions/to_timestamp and its like"""
    for name, kind in _TIME_FUNCTIONS.items():
        for prefix, safe in (("TO_", False), ("TRY_TO_", True)):
            function(prefix + name, most=2, kind="time")(
                lambda context, arguments, kind=kind, safe=safe: convert_time(  # type: ignore[misc]
                    kind, [_parsed(context, arguments[0]), *arguments[1:]], safe
                )
            )


def _parsed(context: Context, value: Any) -> Any:
    """A VARIANT as its text: a number in it is a time too."""
    return variant_text(context, value) if context.kinds.is_(value, "variant") else value


_register_times()


# ----- to numbers


@function("TO_NUMBER", "TO_DECIMAL", "TO_NUMERIC", most=4, kind="number")
def to_number(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/to_decimal"""
    return _to_number(context, arguments, safe=False)


@function("TRY_TO_NUMBER", "TRY_TO_DECIMAL", "TRY_TO_NUMERIC", most=4, kind="number")
def try_to_number(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/try_to_decimal"""
    return _to_number(context, arguments, safe=True)


def _to_number(context: Context, arguments: list[Any], safe: bool) -> Any:
    value, rest = arguments[0], arguments[1:]
    if rest and not _is_integer(rest[0]):
        value = call("_parse_number", as_text(context, value), rest.pop(0), _boolean(safe))
    sizes = rest + [number(38), number(0)][len(rest) :]
    for size in sizes:
        if not _is_integer(size):
            raise compilation_error(f"invalid precision or scale [{size.sql('snowflake')}]", 1015, "22023")
    to = exp.DataType(this=exp.DataType.Type.DECIMAL, expressions=[exp.DataTypeParam(this=s) for s in sizes])
    return (exp.TryCast if safe else exp.Cast)(this=value, to=to)


def _is_integer(node: Any) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit()
