"""Functions of text and of bytes: https://docs.snowflake.com/en/sql-reference/functions-string"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.names import literal
from embedded_account.translate.conversions import as_text
from embedded_account.translate.formats.failure import form
from embedded_account.translate.registry import Context, Macro, call, function, number, operator, text

_BAD_HEX = literal(form("The following string is not a legal hex-encoded value: '", 100115, "22000"))
_HEX = "regexp_full_match({0}, '([0-9A-Fa-f]{{2}})*')"


MACROS: tuple[Macro, ...] = (
    Macro(
        "_unhex",
        f"(t) AS CASE WHEN {_HEX.format('t')} THEN unhex(t) ELSE CAST(error({_BAD_HEX} || t || '''') AS BLOB) END",
    ),
    Macro("_try_unhex", f"(t) AS CASE WHEN {_HEX.format('t')} THEN unhex(t) END"),
    Macro("_to_binary", "(x VARCHAR) AS _unhex(trim(x, '\"'))", "(x) AS CAST(x AS BLOB)"),
    Macro("_try_to_binary", "(x VARCHAR) AS _try_unhex(x)", "(x) AS CAST(x AS BLOB)"),
    Macro("_bytes", "(x VARCHAR) AS encode(x)", "(x) AS CAST(x AS BLOB)"),
    Macro(
        "_binary_text",
        "(b, f) AS CASE upper(f) WHEN 'HEX' THEN hex(b) WHEN 'BASE64' THEN to_base64(b) ELSE decode(b) END",
    ),
    # HEX_ENCODE and BASE64_ENCODE: case of letters; length of lines, and the characters for + / =
    Macro("_hex_encode", "(b, c := 1) AS CASE WHEN c = 0 THEN lower(hex(b)) ELSE hex(b) END"),
    Macro(
        "_base64_encode",
        "(b, n := 0, a := '+/=') AS CASE WHEN n > 0 THEN "
        "regexp_replace(translate(to_base64(b), '+/=', a), '(.{' || n || '})(.)', '\\1' || chr(10) || '\\2', 'g') "
        "ELSE translate(to_base64(b), '+/=', a) END",
    ),
    Macro("_base64_decode", "(t, a := '+/=') AS from_base64(translate(t, a, '+/='))"),
    Macro("_chr", "(n) AS chr(CAST(n AS INTEGER))"),
)


@operator(exp.Trim)
def trim(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/trim: blanks by default."""
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    characters = node.args.get("expression")
    value = as_text(context, node.this)
    return call(name, value, as_text(context, characters) if characters is not None else text(" "))


@operator(
    exp.Upper, exp.Lower, exp.Length, exp.Substring, exp.Left, exp.Right, exp.Replace, exp.Reverse, exp.Repeat,
    exp.Pad, exp.Split, exp.SplitPart, exp.StartsWith, exp.EndsWith, exp.Contains, exp.Like, exp.ILike,
    exp.Initcap, exp.Translate, exp.StrPosition,
    exp.Ascii, exp.Unicode, exp.Levenshtein, exp.JarowinklerSimilarity, exp.MD5, exp.SHA, exp.GroupConcat, exp.Strtok,
    exp.StrtokToArray, exp.ByteLength, exp.BitLength, exp.Stuff,
)  # fmt: skip
def text_argument(context: Context, node: Any) -> Any:
    """The first argument of a function of text, cast implicitly."""
    operand = node.this
    kinds = context.kinds.of(operand)
    if "binary" in kinds or isinstance(operand, exp.Distinct):
        return None
    changed = as_text(context, operand)
    if changed is not operand:
        node.set("this", changed)
    return node


@operator(exp.DPipe)
def concatenation(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/concat"""
    for key in ("this", "expression"):
        operand = node.args[key]
        changed = operand if context.kinds.is_(operand, "binary") else as_text(context, operand)
        if changed is not operand:
            node.set(key, changed)
    return node


@operator(exp.Concat, exp.ConcatWs)
def concat(context: Context, node: Any) -> Any:
    if not any(context.kinds.is_(operand, "binary") for operand in node.expressions):
        node.set("expressions", [as_text(context, operand) for operand in node.expressions])
    return node


@function("CHR", "CHAR", kind="text")
def chr_(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/chr"""
    return call("_chr", *arguments)


@operator(exp.Chr)
def chr_node(_: Context, node: Any) -> Any:
    return call("_chr", *node.expressions)


@function("SOUNDEX", kind="text")
def soundex(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/soundex"""
    return call("_soundex", as_text(context, arguments[0]))


@function("SHA2", "SHA2_HEX", most=2, kind="text")
def sha2(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/sha2"""
    bits = exp.cast(arguments[1] if len(arguments) == 2 else number(256), "INT")
    return call("_sha2", call("_bytes", as_bytes(context, arguments[0])), bits)


@function("SHA2_BINARY", most=2, kind="binary")
def sha2_binary(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/sha2_binary"""
    return call("unhex", sha2(context, arguments))


def as_bytes(context: Context, node: Any) -> Any:
    return node if context.kinds.is_(node, "binary") else as_text(context, node)


# ----- BINARY: https://docs.snowflake.com/en/sql-reference/binary-input-output

_DECODERS = {"HEX": "_unhex", "BASE64": "_base64_decode", "UTF-8": "encode", "UTF8": "encode"}


@function("TO_BINARY", most=2, kind="binary")
def to_binary(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/to_binary: by hexadecimal digits unless said otherwise."""
    return _decoded(context, arguments, "")


@function("TRY_TO_BINARY", most=2, kind="binary")
def try_to_binary(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/try_to_binary"""
    return _decoded(context, arguments, "try")


def _decoded(context: Context, arguments: list[Any], safe: str) -> Any:
    value = as_bytes(context, arguments[0])
    if len(arguments) == 1:
        return call("_try_to_binary" if safe else "_to_binary", value)
    format_ = arguments[1]
    name = str(format_.this).upper() if isinstance(format_, exp.Literal) else ""
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise compilation_error(f"Invalid binary format '{name or format_.sql('snowflake')}'", 1015, "22023")
    if safe:
        decoder = "_try_unhex" if decoder == "_unhex" else decoder
        decoded = call(decoder, value)
        return call("try", decoded) if decoder == "_base64_decode" else decoded
    return call(decoder, value)


def _register_codecs() -> None:
    """https://docs.snowflake.com/en/sql-reference/functions/hex_encode and its like"""
    for name, macro, most in (("HEX_ENCODE", "_hex_encode", 2), ("BASE64_ENCODE", "_base64_encode", 3)):
        function(name, most=most, kind="text")(
            lambda context, arguments, macro=macro: call(  # type: ignore[misc]
                macro, call("_bytes", as_bytes(context, arguments[0])), *arguments[1:]
            )
        )
    for prefix, safe in (("", False), ("TRY_", True)):
        for name, macro, most in (
            ("HEX_DECODE", "_try_unhex" if safe else "_unhex", 1),
            ("BASE64_DECODE", "_base64_decode", 2),
        ):
            for kind in ("STRING", "BINARY"):
                function(
                    f"{prefix}{name}_{kind}", most=most, kind={"STRING": "text", "BINARY": "binary"}[kind]
                )(
                    lambda _, arguments, macro=macro, kind=kind, safe=safe: _decode(  # type: ignore[misc]
                        call(macro, *arguments), kind, safe
                    )
                )


def _decode(decoded: Any, kind: str, safe: bool) -> Any:
    made = call("decode", decoded) if kind == "STRING" else decoded
    return call("try", made) if safe else made


_register_codecs()
