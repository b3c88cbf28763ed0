"""The arguments of a model call computed once for all rows, so that the model meets them in large batches.

DuckDB gives a function 2,048 rows at a time, and each such batch would cost a message to the worker and a start of the
model's threads. So the relation that a SELECT reads is computed first, together with the arguments; the call becomes
a look-up by row number, which runs the model slice by slice when, and only when, its result is wanted.
"""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from embedded_account.errors import SnowflakeError
from embedded_account.names import duck
from embedded_account.objects.model_invocation import Invocation
from embedded_account.objects.model_tables import add_visible
from embedded_account.translate import Translation
from embedded_account.translate.names import scratch_table

SLICE = 1 << 16
_ROW = "__row"
# What makes an argument depend on more than its own row.
_NOT_OF_A_ROW = (exp.AggFunc, exp.Window, exp.Query, exp.ModelAttribute)


class Slices:
    """Results of a model method by row number; each slice of rows is asked for once."""

    def __init__(self, invocation: Invocation, arguments: pa.Table) -> None:
        self._invocation = invocation
        self._arguments = arguments
        self._found: dict[int, pa.Array] = {}
        self._lock = threading.Lock()

    def look_up(self, rows: Any) -> Any:
        """The results of these rows (an Arrow column of row numbers from 0)."""
        wanted = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
        numbers = wanted.to_numpy(zero_copy_only=False)
        if not len(numbers):
            return self._slice(0).slice(0, 0)
        first, last = int(numbers.min()) // SLICE, int(numbers.max()) // SLICE
        parts = [self._slice(i) for i in range(first, last + 1)]
        return pa.chunked_array(parts).combine_chunks().take(pa.array(numbers - first * SLICE))

    def _slice(self, number: int) -> pa.Array:
        with self._lock:
            if number not in self._found:
                part = self._arguments.slice(number * SLICE, SLICE)
                self._found[number] = self._invocation.packed(self._invocation.run(part))
            return self._found[number]


def look_up(translation: Translation, node: Any, invocation: Invocation, arguments: list[Any]) -> Any:
    """An expression for the call's result by row number, or None where the rows cannot be computed beforehand."""
    select = _simple_select(translation, node, arguments)
    if select is None:
        return None
    try:
        given = _compute(translation, select, arguments)
    except (duckdb.Error, SnowflakeError):
        # An argument that names what only the whole SELECT knows, such as another projection's alias; or a fault
        # of the query itself, which the ordinary way then reports.
        return None
    if given is None:
        return None
    table, argument_rows = given
    _read_from(select, table, len(arguments))
    slices = Slices(invocation, argument_rows.rename_columns(invocation.names))
    function = translation.function(slices.look_up, ["BIGINT"], invocation.returns_duck)
    label = select.args["from_"].this.alias
    return exp.Anonymous(
        this=function,
        expressions=[
            exp.column(exp.to_identifier(_ROW, quoted=True), table=exp.to_identifier(label, quoted=True))
        ],
    )


def _simple_select(translation: Translation, node: Any, arguments: list[Any]) -> Any:
    """The SELECT of one relation in whose list the call stands, unless something in it forbids the shortcut."""
    select = node.find_ancestor(exp.Select)
    if translation.describe_only or select is None or select.args.get("from_") is None:
        return None
    if any(select.args.get(key) for key in ("joins", "laterals", "connect", "match", "sample")):
        return None
    source = select.args["from_"].this
    if (
        not isinstance(source, exp.Table | exp.Subquery)
        or source.args.get("sample")
        or source.args.get("pivots")
    ):
        return None
    in_list = any(projection is node or node in projection.walk() for projection in select.expressions)
    calls = [call for call in select.find_all(exp.ModelAttribute) if call.find_ancestor(exp.Select) is select]
    if not in_list or len(calls) != 1:
        return None
    return None if any(argument.find(*_NOT_OF_A_ROW) for argument in arguments) else select


def _compute(translation: Translation, select: Any, arguments: list[Any]) -> tuple[str, pa.Table] | None:
    """Make a temporary table of the relation's rows, numbered, and give it with the rows of the arguments."""
    session = translation.session
    inner = exp.Select(expressions=[exp.Star()])
    for i, argument in enumerate(arguments):
        inner.append("expressions", exp.alias_(argument.copy(), f"__a{i}", quoted=True))
    inner.set("from_", select.args["from_"].copy())
    if select.args.get("where"):
        inner.set("where", select.args["where"].copy())
    add_visible(inner, select)
    sql = translation.sql(inner)
    columns = session.duck.sql(sql).columns
    if len(set(columns)) != len(columns) or _ROW in columns:
        return None
    name = session.scratch_name("model_input")
    session.duck.execute(
        f"CREATE TEMP TABLE {duck(name)} AS SELECT *, row_number() OVER () - 1 AS {_ROW} FROM ({sql})"
    )
    translation.on_exit(lambda: session.duck.execute(f"DROP TABLE IF EXISTS temp.main.{duck(name)}"))
    listed = ", ".join(f'"__a{i}"' for i in range(len(arguments))) or "NULL"
    rows = session.duck.sql(f"SELECT {listed} FROM temp.main.{duck(name)} ORDER BY {_ROW}").to_arrow_table()
    return name, rows if arguments else rows.select([])


def _read_from(select: Any, name: str, count: int) -> None:
    """Let the SELECT read the table instead of its relation, with no more columns than the relation has."""
    source = select.args["from_"].this
    label = source.alias_or_name
    hidden = [exp.to_identifier(_ROW, quoted=True)]
    inner = scratch_table(name)
    arguments = [exp.to_identifier(f"__a{i}", quoted=True) for i in range(count)]
    without_arguments = exp.Select(expressions=[exp.Star(except_=arguments or None)]).from_(inner)
    alias = exp.TableAlias(this=exp.to_identifier(label or "INPUT", quoted=True))
    select.set("from_", exp.From(this=exp.Subquery(this=without_arguments, alias=alias)))
    select.set("where", None)
    for projection in select.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(star, exp.Star):
            star.set("except_", [*(star.args.get("except_") or []), *(h.copy() for h in hidden)])
