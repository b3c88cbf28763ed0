"""The order of the steps. Ours come first, because fakesnow's cannot see the account; then its function rewrites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakesnow import transforms as fakesnow
from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.translate import (
    Translation,
    assignments,
    flatten,
    functions,
    joins,
    names,
    outputs,
    pseudo_columns,
    registry,
    targets,
    values,
    variants,
)
from embedded_account.translate.kinds import Kinds

Step = Callable[[Any], Any]


def _is(*types: type) -> tuple[type, ...]:
    return types


# fakesnow's rewrites with the node types without which they change nothing: most statements skip most steps.
_FUNCTION_STEPS: tuple[tuple[Step, tuple[type, ...]], ...] = (
    (fakesnow.semi_structured_types, _is(exp.DataType)),
    (fakesnow.timestamp_offsets, _is(exp.Literal)),
    (fakesnow.object_construct, _is(exp.Struct, exp.StarMap, exp.Anonymous)),
    (fakesnow.timestamp_ntz, _is(exp.DataType)),
    (fakesnow.float_to_double, _is(exp.DataType)),
    (fakesnow.integer_precision, _is(exp.DataType)),
    (fakesnow.sample, _is(exp.TableSample)),
    (fakesnow.array_agg_within_group, _is(exp.WithinGroup)),
    (fakesnow.array_agg, _is(exp.ArrayAgg)),
    (fakesnow.object_agg, _is(exp.ObjectAgg if hasattr(exp, "ObjectAgg") else exp.Func)),
    (fakesnow.haversine, _is(exp.Anonymous, exp.Func)),
    (fakesnow.hex_string, _is(exp.HexString)),
    (fakesnow.alias_in_join, _is(exp.Join)),
    (fakesnow.alias_in_where, _is(exp.Where)),
)


_QUERIES_AND_DML = (exp.Query, exp.Values, exp.Insert, exp.Update, exp.Delete, exp.Merge)


def apply(translation: Translation, expression: Any) -> str:
    """DuckDB SQL of one parsed query or DML statement."""
    if not isinstance(expression, _QUERIES_AND_DML):
        raise compilation_error(f"syntax error: unexpected '{expression.key.upper()}'.")
    expression = names.inline_identifiers(expression)
    outputs.name_columns(expression)
    variants.keep_keys(expression)
    expression = expression.transform(fakesnow.upper_case_unquoted_identifiers, copy=False)
    expression = functions.model_calls(translation, expression)
    expression = values.number_columns(expression)
    expression = joins.match_conditions(expression)
    expression = names.tables(translation, expression)
    targets.find_target(translation, expression)
    expression = functions.scalars(translation, expression)
    kinds = Kinds(translation.session, expression)
    pseudo_columns.refuse(kinds, expression)
    assignments.cast_to_binary(translation.session, expression)
    flatten.table_functions(translation.session, kinds, expression)
    expression = registry.rewrite(registry.Context(kinds), expression)
    return function_steps(expression)


def function_steps(expression: Any) -> str:
    present = {type(node) for node in expression.walk()}
    for step, needed in _FUNCTION_STEPS:
        if any(issubclass(kind, needed) for kind in present):
            expression = expression.transform(step, copy=False)
    # A user's comments stay out: DuckDB nests them, Snowflake does not.
    return str(expression.sql(dialect="duckdb", comments=False))
