"""VARIANT, OBJECT and ARRAY, which DuckDB holds as JSON: https://docs.snowflake.com/en/sql-reference/functions-semistructured

A string in a VARIANT is a JSON string, in quotes; it leaves them where Snowflake casts it to VARCHAR.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.names import literal
from embedded_account.translate.conversions import as_text, to_variant
from embedded_account.translate.formats.failure import form
from embedded_account.translate.registry import Context, Macro, call, function, macro, number, operator, text

_DUPLICATE = literal(form("Duplicate field key '", 100112, "22000"))


def _typed(name: str, condition: str, value: str) -> Macro:
    return Macro(name, f"(v) AS CASE WHEN {condition.format('to_json(v)')} THEN {value} END")


_INTEGER = "_typeof({0}) = 'INTEGER'"
_EXACT = "_typeof({0}) IN ('INTEGER', 'DECIMAL')"
_NUMBER = "json_type({0}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')"
_STRING = "json_type({0}) = 'VARCHAR'"
_TEXT = "json_extract_string(to_json(v), '$')"

MACROS: tuple[Macro, ...] = (
    Macro(
        "_json",
        "(x) AS CASE WHEN json_valid(CAST(x AS VARCHAR)) THEN json(CAST(x AS VARCHAR)) "
        "ELSE CAST(_parse_json(CAST(x AS VARCHAR), false) AS JSON) END",
    ),
    Macro("_try_json", "(x) AS CASE WHEN json_valid(CAST(x AS VARCHAR)) THEN json(CAST(x AS VARCHAR)) "
        "ELSE CAST(_parse_json(CAST(x AS VARCHAR), true) AS JSON) END"),
    Macro("_check_json", "(x) AS CASE WHEN NOT json_valid(x) AND trim(x) <> '' THEN 'Invalid JSON' END"),
    Macro("_items", "(a) AS CASE WHEN json_type(to_json(a)) = 'ARRAY' THEN CAST(to_json(a) AS JSON[]) END"),
    Macro("_texts", "(a) AS list_transform(_items(a), lambda e: _json_text(e))"),
    Macro("_member", "(o, k) AS json_extract(o, '$.\"' || k || '\"')"),
    Macro(
        "_entries",
        "(o) AS CASE WHEN json_type(to_json(o)) = 'OBJECT' "
        "THEN list_transform(json_keys(to_json(o)), lambda k: struct_pack(k := k, v := _member(to_json(o), k))) END",
    ),
    Macro("_object_of", "(entries) AS to_json(map_from_entries(entries))"),
    Macro(
        "_object",
        "(entries) AS _object_of(list_filter(entries, lambda e: e.k IS NOT NULL AND e.v IS NOT NULL))",
    ),
    Macro(
        "_object_with_nulls",
        "(entries) AS _object_of(list_filter(entries, lambda e: e.k IS NOT NULL))",
    ),
    Macro("_get", "(v, k VARCHAR) AS _member(to_json(v), k)", "(v, k) AS json_extract(to_json(v), CAST(k AS BIGINT))"),
    Macro(
        "_get_ignore_case",
        "(v, n) AS coalesce(_member(to_json(v), n), _member(to_json(v), "
        "list_filter(json_keys(to_json(v)), lambda k: lower(k) = lower(n))[1]))",
    ),
    Macro(
        "_typeof",
        "(v) AS CASE json_type(to_json(v)) WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER' "
        "WHEN 'NULL' THEN 'NULL_VALUE' WHEN 'DOUBLE' THEN CASE "
        "WHEN regexp_full_match(CAST(to_json(v) AS VARCHAR), '-?[0-9]+') THEN 'INTEGER' "
        "WHEN contains(lower(CAST(to_json(v) AS VARCHAR)), 'e') THEN 'DOUBLE' ELSE 'DECIMAL' END "
        "ELSE json_type(to_json(v)) END",
    ),
    _typed("_as_array", "json_type({0}) = 'ARRAY'", "to_json(v)"),
    _typed("_as_object", "json_type({0}) = 'OBJECT'", "to_json(v)"),
    _typed("_as_boolean", "json_type({0}) = 'BOOLEAN'", "CAST(to_json(v) AS BOOLEAN)"),
    _typed("_as_integer", _EXACT, "CAST(to_json(v) AS BIGINT)"),
    _typed("_as_double", _NUMBER, "CAST(to_json(v) AS DOUBLE)"),
    _typed("_as_number", _EXACT, "to_json(v)"),
    _typed("_as_text", _STRING, _TEXT),
    _typed("_as_date", _STRING, f"TRY_CAST({_TEXT} AS DATE)"),
    _typed("_as_time", _STRING, f"TRY_CAST({_TEXT} AS TIME)"),
    _typed("_as_timestamp_ntz", _STRING, f"TRY_CAST({_TEXT} AS TIMESTAMP)"),
    _typed("_as_timestamp_ltz", _STRING, f"TRY_CAST({_TEXT} AS TIMESTAMPTZ)"),
    _typed("_as_binary", _STRING, f"_try_unhex({_TEXT})"),
    Macro("_is", "(v, t) AS json_type(to_json(v)) = t"),
    Macro("_is_integer", f"(v) AS {_INTEGER.format('to_json(v)')}"),
    Macro("_is_exact", f"(v) AS {_EXACT.format('to_json(v)')}"),
    Macro("_is_number", f"(v) AS {_NUMBER.format('to_json(v)')}"),
    Macro("_to_array", "(v) AS CASE WHEN json_type(to_json(v)) = 'ARRAY' THEN to_json(v) WHEN v IS NOT NULL "
            "THEN to_json([to_json(v)]) END"),
    Macro("_to_json_text", "(v) AS CASE WHEN json_type(to_json(v)) IN ('OBJECT', 'ARRAY') "
            "THEN _sorted_json(CAST(to_json(v) AS VARCHAR)) ELSE CAST(to_json(v) AS VARCHAR) END"),
    # ----- objects
    Macro("_object_keys", "(o) AS to_json(list_sort(json_keys(to_json(o))))"),
    Macro("_object_pick", "(o, keys) AS _object_of(list_filter(_entries(o), lambda e: list_contains(keys, e.k)))"),
    Macro("_object_delete",
        "(o, keys) AS _object_of(list_filter(_entries(o), lambda e: NOT list_contains(keys, e.k)))",
    ),
    Macro(
        "_object_insert",
        "(o, n, x, u) AS CASE WHEN NOT u AND list_contains(json_keys(to_json(o)), n) "
        f"THEN CAST(error({_DUPLICATE} || n || '''') AS JSON) WHEN x IS NULL THEN _object_delete(o, [n]) "
        "ELSE _object_of(list_concat(list_filter(_entries(o), lambda e: e.k <> n), [struct_pack(k := n, v := x)])) END",
    ),
    # ----- arrays
    Macro("_array_append", "(a, x) AS to_json(CASE WHEN a IS NOT NULL THEN list_append(_items(a), x) END)"),
    Macro("_array_prepend", "(a, x) AS to_json(CASE WHEN a IS NOT NULL THEN list_prepend(x, _items(a)) END)"),
    Macro("_array_cat", "(a, b) AS to_json(CASE WHEN a IS NOT NULL AND b IS NOT NULL "
            "THEN list_concat(_items(a), _items(b)) END)"),
    Macro("_array_compact",
        "(a) AS to_json(list_filter(_items(a), lambda e: e IS NOT NULL AND json_type(e) <> 'NULL'))",
    ),
    Macro("_array_contains", "(x, a) AS list_contains(_items(a), x)"),
    Macro("_array_position", "(x, a) AS nullif(list_position(_items(a), x), 0) - 1"),
    Macro("_array_distinct", "(a) AS to_json(list_filter(_items(a), lambda e, i: list_position(_items(a), e) = i))"),
    Macro("_array_size", "(a) AS CASE WHEN json_type(to_json(a)) = 'ARRAY' THEN json_array_length(to_json(a)) END"),
    Macro(
        "_array_intersection",
        "(a, b) AS to_json(list_filter(_items(a), lambda e, i: len(list_filter(_items(a)[1:i], lambda x: x = e)) "
        "<= len(list_filter(_items(b), lambda y: y = e))))",
    ),
    Macro(
        "_array_except",
        "(a, b) AS to_json(list_filter(_items(a), lambda e, i: len(list_filter(_items(a)[1:i], lambda x: x = e)) "
        "> len(list_filter(_items(b), lambda y: y = e))))",
    ),
    Macro("_arrays_overlap", "(a, b) AS list_has_any(_items(a), _items(b))"),
    Macro("_position", "(p, n) AS CAST(CASE WHEN p >= 0 THEN p ELSE greatest(n + p, 0) END AS BIGINT)"),
    Macro(
        "_array_insert",
        "(a, p, x) AS to_json(list_concat(list_resize(_items(a)[1:_position(p, json_array_length(to_json(a)))], "
        "_position(p, json_array_length(to_json(a)))), [x], "
        "_items(a)[_position(p, json_array_length(to_json(a))) + 1:]))",
    ),
    Macro("_array_remove", "(a, x) AS to_json(list_filter(_items(a), lambda e: e IS DISTINCT FROM x))"),
    Macro(
        "_array_remove_at",
        "(a, p) AS to_json(list_filter(_items(a), lambda e, i: "
        "i - 1 <> CASE WHEN p >= 0 THEN p ELSE json_array_length(to_json(a)) + p END))",
    ),
    Macro(
        "_array_slice",
        "(a, f, t) AS to_json(_items(a)[_position(f, json_array_length(to_json(a))) + 1:"
        "_position(t, json_array_length(to_json(a)))])",
    ),
    Macro("_array_to_string", "(a, s) AS replace(array_to_string(list_transform(_texts(a), "
            "lambda e: coalesce(e, '')), chr(1)), chr(1), s)"),
    Macro("_array_reverse", "(a) AS to_json(list_reverse(_items(a)))"),
    Macro("_array_flatten", "(a) AS to_json(flatten(CAST(to_json(a) AS JSON[][])))"),
)  # fmt: skip


def keep_keys(expression: Any) -> None:
    """The keys of `{'a': 1}` are strings; sqlglot holds them as names, which would be upper-cased."""
    for pair in expression.find_all(exp.PropertyEQ):
        if isinstance(pair.parent, exp.Struct) and isinstance(pair.this, exp.Identifier):
            pair.set("this", text(pair.this.name))


# ----- making them


def _entries(context: Context, pairs: list[tuple[Any, Any]]) -> Any:
    structs = [
        call(
            "struct_pack",
            exp.PropertyEQ(this=exp.to_identifier("k"), expression=as_text(context, key)),
            exp.PropertyEQ(this=exp.to_identifier("v"), expression=to_variant(context, value)),
        )
        for key, value in pairs
    ]
    return call("list_value", *structs)


def _object(context: Context, arguments: list[Any], name: str) -> Any:
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        return exp.StarMap(this=arguments[0])
    if not arguments:
        return exp.cast(text("{}"), exp.DataType.build("JSON"))
    return call(name, _entries(context, list(zip(arguments[::2], arguments[1::2], strict=True))))


@function("OBJECT_CONSTRUCT", least=0, most=1000, kind="variant")
def object_construct(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_construct: pairs with a NULL are left out."""
    return _object(context, arguments, "_object")


@function("OBJECT_CONSTRUCT_KEEP_NULL", least=0, most=1000, kind="variant")
def object_construct_keep_null(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_construct_keep_null"""
    return _object(context, arguments, "_object_with_nulls")


@operator(exp.Struct)
def object_constant(context: Context, node: Any) -> Any:
    """`{'a': 1}` and `{*}`: https://docs.snowflake.com/en/sql-reference/data-types-semistructured#object-constants"""
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star):
        return exp.StarMap(this=node.expressions[0])
    if not all(isinstance(pair, exp.PropertyEQ) for pair in node.expressions):
        return None
    arguments = [side for pair in node.expressions for side in (pair.this, pair.expression)]
    return _object(context, arguments, "_object")


@operator(exp.Array)
def array(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/array_construct"""
    return call("json_array", *(to_variant(context, item) for item in node.expressions))


@function("ARRAY_CONSTRUCT_COMPACT", least=0, most=1000, kind="variant")
def array_construct_compact(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/array_construct_compact"""
    return call("_array_compact", call("json_array", *(to_variant(context, item) for item in arguments)))


@function("TO_VARIANT", kind="variant")
def to_variant_(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/to_variant"""
    return to_variant(context, arguments[0])


@operator(exp.ParseJSON)
def parse_json(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/parse_json"""
    value = call("_variant_text", node.this) if context.kinds.is_(node.this, "variant") else node.this
    return call("_try_json" if node.args.get("safe") else "_json", value)


@operator(exp.ObjectAgg)
def object_agg(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_agg: keys are text."""
    key = as_text(context, node.this)
    if key is not node.this:
        node.set("this", key)
    return node


# ----- reading them


@operator(exp.JSONExtract)
def path(_: Context, node: Any) -> Any:
    """`v:a.b[0]`: https://docs.snowflake.com/en/user-guide/querying-semistructured"""
    return call("json_extract", node.this, node.expression)


@operator(exp.Bracket)
def subscript(context: Context, node: Any) -> Any:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        return None
    index = node.expressions[0]
    return call("_get", node.this, as_text(context, index) if context.kinds.is_(index, "variant") else index)


@operator(exp.StrtokToArray, exp.Split)
def list_as_array(context: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/strtok_to_array"""
    if node.meta.get("list"):
        return None
    return call("to_json", node.copy())


_SIMPLE = {
    "GET": ("_get", 2, "variant"),
    "GET_IGNORE_CASE": ("_get_ignore_case", 2, "variant"),
    "TYPEOF": ("_typeof", 1, "text"),
    "CHECK_JSON": ("_check_json", 1, "text"),
    "TO_JSON": ("_to_json_text", 1, "text"),
    "TO_ARRAY": ("_to_array", 1, "variant"),
    "TO_OBJECT": ("to_json", 1, "variant"),
    "AS_ARRAY": ("_as_array", 1, "variant"),
    "AS_OBJECT": ("_as_object", 1, "variant"),
    "AS_BOOLEAN": ("_as_boolean", 1, "boolean"),
    "AS_INTEGER": ("_as_integer", 1, "number"),
    "AS_DOUBLE": ("_as_double", 1, "number"),
    "AS_REAL": ("_as_double", 1, "number"),
    "AS_CHAR": ("_as_text", 1, "text"),
    "AS_VARCHAR": ("_as_text", 1, "text"),
    "AS_BINARY": ("_as_binary", 1, "binary"),
    "AS_DATE": ("_as_date", 1, "time"),
    "AS_TIME": ("_as_time", 1, "time"),
    "AS_TIMESTAMP_NTZ": ("_as_timestamp_ntz", 1, "time"),
    "AS_TIMESTAMP_LTZ": ("_as_timestamp_ltz", 1, "time"),
    "AS_TIMESTAMP_TZ": ("_as_timestamp_ltz", 1, "time"),
    "IS_INTEGER": ("_is_integer", 1, "boolean"),
    "IS_DECIMAL": ("_is_exact", 1, "boolean"),
    "IS_DOUBLE": ("_is_number", 1, "boolean"),
    "IS_REAL": ("_is_number", 1, "boolean"),
    "OBJECT_KEYS": ("_object_keys", 1, "variant"),
    "ARRAY_CAT": ("_array_cat", 2, "variant"),
    "ARRAY_COMPACT": ("_array_compact", 1, "variant"),
    "ARRAY_DISTINCT": ("_array_distinct", 1, "variant"),
    "ARRAY_SIZE": ("_array_size", 1, "number"),
    "ARRAY_INTERSECTION": ("_array_intersection", 2, "variant"),
    "ARRAY_EXCEPT": ("_array_except", 2, "variant"),
    "ARRAYS_OVERLAP": ("_arrays_overlap", 2, "boolean"),
    "ARRAY_REMOVE_AT": ("_array_remove_at", 2, "variant"),
    "ARRAY_SLICE": ("_array_slice", 3, "variant"),
    "ARRAY_TO_STRING": ("_array_to_string", 2, "text"),
    "ARRAY_REVERSE": ("_array_reverse", 1, "variant"),
    "ARRAY_FLATTEN": ("_array_flatten", 1, "variant"),
}
for _name, (_macro, _count, _kind) in _SIMPLE.items():
    macro(_name, _macro, _count, _count, _kind)

_IS = {"IS_ARRAY": "ARRAY", "IS_OBJECT": "OBJECT", "IS_BOOLEAN": "BOOLEAN", "IS_CHAR": "VARCHAR",
       "IS_VARCHAR": "VARCHAR", "IS_NULL_VALUE": "NULL"}  # fmt: skip
for _name, _type in _IS.items():
    function(_name, kind="boolean")(
        lambda _, arguments, type_=_type: call("_is", arguments[0], text(type_))  # type: ignore[misc]
    )

# Functions whose element may be of any type.
_ELEMENTS = {"ARRAY_APPEND": (2, 1), "ARRAY_PREPEND": (2, 1), "ARRAY_CONTAINS": (2, 0), "ARRAY_POSITION": (2, 0),
             "ARRAY_REMOVE": (2, 1), "ARRAY_INSERT": (3, 2)}  # fmt: skip


def _register_elements() -> None:
    for name, (count, at) in _ELEMENTS.items():
        kind = {"ARRAY_CONTAINS": "boolean", "ARRAY_POSITION": "number"}.get(name, "variant")
        function(name, least=count, kind=kind)(
            lambda context, arguments, name=name, at=at: call(  # type: ignore[misc]
                f"_{name.lower()}",
                *(to_variant(context, item) if i == at else item for i, item in enumerate(arguments)),
            )
        )


_register_elements()


@function("AS_NUMBER", "AS_DECIMAL", most=3, kind="number")
def as_number(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/as_decimal-number"""
    sizes = arguments[1:] + [number(38), number(0)][len(arguments) - 1 :]
    to = exp.DataType(this=exp.DataType.Type.DECIMAL, expressions=[exp.DataTypeParam(this=s) for s in sizes])
    return exp.Cast(this=call("_as_number", arguments[0]), to=to)


@function("OBJECT_INSERT", least=3, most=4, kind="variant")
def object_insert(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_insert"""
    flag = arguments[3] if len(arguments) == 4 else exp.false()
    return call("_object_insert", arguments[0], arguments[1], to_variant(context, arguments[2]), flag)


def _keys(context: Context, arguments: list[Any]) -> Any:
    if len(arguments) == 1 and context.kinds.surely(arguments[0], "variant"):
        return call("_texts", arguments[0])
    return call("list_value", *(as_text(context, key) for key in arguments))


@function("OBJECT_DELETE", least=2, most=1000, kind="variant")
def object_delete(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_delete"""
    return call("_object_delete", arguments[0], _keys(context, arguments[1:]))


@function("OBJECT_PICK", least=2, most=1000, kind="variant")
def object_pick(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/object_pick"""
    return call("_object_pick", arguments[0], _keys(context, arguments[1:]))
