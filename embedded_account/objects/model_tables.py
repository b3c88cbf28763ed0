"""TABLE(MODEL(m, v)!METHOD(…)) beside a relation: each row of the relation with the rows that the method gives for it.

The relation and the arguments are computed first, the method runs once over all of them, and the join goes by row.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlglot import exp

from embedded_account.errors import unsupported
from embedded_account.names import duck
from embedded_account.objects.model_invocation import Invocation, duck_type, nulls_for_nan
from embedded_account.translate import Translation
from embedded_account.translate.names import scratch_table

_ROW = "_ROW"


def replace_table_call(translation: Translation, node: Any, invocation: Invocation, call: Any) -> None:
    """Replace the FROM clause that ends in the call by the joined rows."""
    select = node.find_ancestor(exp.Select)
    join = node.parent
    if not isinstance(join, exp.Join) or select is None or join.args.get("on") or join.args.get("side"):
        raise unsupported(f"TABLE({invocation.method.name}(…)) other than beside a relation")
    joins = select.args["joins"]
    if len(joins) != 1 or select.args.get("laterals"):
        raise unsupported(f"TABLE({invocation.method.name}(…)) beside more than one relation")
    source = select.args["from_"].this
    label = source.alias_or_name
    partition_by: list[Any] = []
    arguments = call.expressions
    if isinstance(call, exp.Window):
        partition_by, arguments = call.args.get("partition_by") or [], call.this.expressions
    given = _given(translation, select, source, invocation.arguments(arguments), partition_by)
    named = [value.name if isinstance(value, exp.Column) else "" for value in partition_by]
    rows = _rows(translation, invocation, given, named)
    name = translation.session.scratch_name("model_rows")
    connection = translation.session.duck
    connection.register(name, rows)
    translation.on_exit(lambda: connection.unregister(name))
    table = scratch_table(name)
    if label:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(label, quoted=True)))
    select.set("from_", exp.From(this=table))
    select.set("joins", None)


def _given(
    translation: Translation, select: Any, source: Any, arguments: list[Any], partition_by: list[Any]
) -> pa.Table:
    """The relation's columns, then p0… of the partition, then a0… of the arguments."""
    inner = exp.Select(expressions=[exp.Star()])
    for prefix, values in (("p", partition_by), ("a", arguments)):
        for i, value in enumerate(values):
            inner.append("expressions", exp.alias_(value.copy(), f"__{prefix}{i}", quoted=True))
    inner.set("from_", exp.From(this=source.copy()))
    add_visible(inner, select)
    relation = translation.session.duck.sql(translation.sql(inner))
    if translation.describe_only:
        relation = relation.limit(0)
    return relation.to_arrow_table()


def add_visible(inner: Any, select: Any) -> None:
    """The common table expressions that the place of `select` sees, innermost last."""
    found: list[Any] = []
    node = select
    while node is not None:
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With):
            found = [cte.copy() for cte in with_.expressions] + found
        node = node.parent
    if found:
        inner.set("with_", exp.With(expressions=found))


def _rows(translation: Translation, invocation: Invocation, given: pa.Table, named: list[str]) -> pa.Table:
    """The joined rows. `named` are the names of the partition's columns, empty for other expressions."""
    width = given.num_columns - len(invocation.kinds) - len(named)
    relation = given.select(range(width))
    keys = given.select(range(width, width + len(named)))
    arguments = given.select(range(width + len(named), given.num_columns)).rename_columns(invocation.names)
    if translation.describe_only or not given.num_rows:
        return _joined(relation.slice(0, 0), _no_outputs(invocation))
    parts = []
    for positions in _partitions(translation, keys) if named else [None]:
        rows = pa.array(positions, pa.int64()) if positions is not None else None
        answer = invocation.run(arguments if rows is None else arguments.take(rows))
        places = answer.column(_ROW)
        if rows is not None:
            places = rows.take(places.combine_chunks())
        outputs = nulls_for_nan(answer.drop_columns([_ROW]))
        outputs = outputs.rename_columns(_output_names(invocation, outputs.num_columns))
        # Where no row is named, the rows are the whole partition's: of the relation they keep what they share.
        left = relation.take(places)
        if places.null_count and positions is not None:
            left = _with_keys(left, keys.slice(positions[0], 1), named)
        parts.append(_joined(left, outputs))
    return pa.concat_tables(parts, promote_options="permissive")


def _with_keys(left: pa.Table, key: pa.Table, named: list[str]) -> pa.Table:
    for place, name in enumerate(named):
        at = left.schema.get_field_index(name)
        if at >= 0:
            value = key.column(place)[0]
            left = left.set_column(
                at, left.schema.field(at), pa.array([value.as_py()] * len(left), value.type)
            )
    return left


def _joined(left: pa.Table, right: pa.Table) -> pa.Table:
    fields = [*left.schema, *right.schema]
    return pa.Table.from_arrays([*left.columns, *right.columns], schema=pa.schema(fields))


def _output_names(invocation: Invocation, count: int) -> list[str]:
    """Output columns as SQL names: upper-cased unless the manifest quotes them."""
    names = [name for name, _ in invocation.method.outputs]
    return [
        name[1:-1].replace('""', '"') if name.startswith('"') else name.upper() or f"OUTPUT_{i}"
        for i, name in enumerate(names[:count])
    ]


def _no_outputs(invocation: Invocation) -> pa.Table:
    names = _output_names(invocation, len(invocation.method.outputs))
    types = [_ARROW[duck_type(kind)] for _, kind in invocation.method.outputs]
    return pa.table({n: pa.array([], t) for n, t in zip(names, types, strict=True)})


def _partitions(translation: Translation, keys: pa.Table) -> list[list[int]]:
    """The positions of each partition's rows; PARTITION BY a constant is one partition."""
    connection = translation.session.duck
    name = translation.session.scratch_name("partitions")
    connection.register(name, keys)
    listed = ", ".join(duck(column) for column in keys.schema.names)
    numbered = f"SELECT *, row_number() OVER () - 1 AS __n FROM {duck(name)}"
    sql = f"SELECT list(__n ORDER BY __n) FROM ({numbered}) GROUP BY {listed} ORDER BY min(__n)"
    rows = connection.execute(sql).fetchall()
    connection.unregister(name)
    return [list(row[0]) for row in rows]


_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "BLOB": pa.binary(),
}
