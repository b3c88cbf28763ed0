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
    rows = _rows(translation, invocation, given, len(partition_by), isinstance(call, exp.Window))
    name = translation.session.scratch_name("model_rows")
    connection = translation.session.duck
    connection.register(name, rows)
    translation.on_exit(lambda: connection.unregister(name))
    table = exp.Table(
        this=exp.to_identifier(name, quoted=True),
        db=exp.to_identifier("main", quoted=True),
        catalog=exp.to_identifier("temp", quoted=True),
    )
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


def _rows(
    translation: Translation, invocation: Invocation, given: pa.Table, partition_count: int, windowed: bool
) -> pa.Table:
    arguments = len(invocation.kinds)
    width = given.num_columns - arguments - partition_count
    relation = given.select(range(width))
    keys = given.select(range(width, width + partition_count))
    table = given.select(range(width + partition_count, given.num_columns)).rename_columns(invocation.names)
    if translation.describe_only:
        return _joined(relation, _no_outputs(invocation))
    numbers = _partitions(translation, keys) if windowed else None
    answer = invocation.run(table, numbers)
    places = answer.column(_ROW)
    outputs = nulls_for_nan(answer.drop_columns([_ROW]))
    outputs = outputs.rename_columns(_output_names(invocation, outputs.num_columns))
    # Where no row is named, the rows are a whole partition's: the relation's columns are NULL there.
    return _joined(relation.take(places), outputs)


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


def _partitions(translation: Translation, keys: pa.Table) -> list[int]:
    """The number of each row's partition; PARTITION BY a constant is one partition."""
    if not keys.num_columns:
        return [0] * keys.num_rows
    connection = translation.session.duck
    name = translation.session.scratch_name("partitions")
    connection.register(name, keys)
    listed = ", ".join(duck(column) for column in keys.schema.names)
    numbered = f"SELECT *, row_number() OVER () AS __n FROM {duck(name)}"
    sql = f"SELECT dense_rank() OVER (ORDER BY {listed}) - 1 FROM ({numbered}) ORDER BY __n"
    rows = connection.execute(sql).fetchall()
    connection.unregister(name)
    return [int(row[0]) for row in rows]


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
