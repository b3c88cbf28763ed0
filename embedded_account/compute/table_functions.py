"""Running a Python table function: a class whose methods yield rows, or take and give pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from embedded_account.compute import handler, packages, sql_types, values
from embedded_account.compute.functions import DEFAULT_BATCH, frame, rows
from embedded_account.compute.sql_types import SqlType

ROW = "_ROW"


def run(spec: dict[str, Any], home: Path, table: pa.Table) -> pa.Table:
    """Gives ``_ROW`` and the columns that the function returns."""
    kinds = [sql_types.parse(text) for text in spec["argument_types"]]
    outputs = [(name, sql_types.parse(text)) for name, text in spec["returns"]]
    packages.guard_imports(spec["packages"], home)
    cls = handler.load(home, spec["handler"], spec["inline"])
    if vectorized_method(cls) is not None:
        return _named(run_vectorized(cls, table, kinds, spec["partitions"]), outputs)
    found: list[tuple[int | None, tuple[Any, ...]]] = []
    for positions, part in partitions(table, spec["partitions"]):
        found.extend(_partition(cls, positions, rows(part, kinds)))
    columns = [
        values.to_arrow([_cell(row, place) for _, row in found], kind)
        for place, (_, kind) in enumerate(outputs)
    ]
    return pa.table(
        [pa.array([row for row, _ in found], pa.int64()), *columns], [ROW, *(name for name, _ in outputs)]
    )


def _cell(row: tuple[Any, ...], place: int) -> Any:
    if place >= len(row):
        raise ValueError(f"A table function yielded {len(row)} values, fewer than its columns.")
    return row[place]


def _partition(
    cls: type, positions: Sequence[int], arguments: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[int | None, tuple[Any, ...]]]:
    instance: Any = cls()
    if hasattr(instance, "process"):
        for position, row in zip(positions, arguments, strict=True):
            for output in instance.process(*row) or ():
                yield position, tuple(output)
    if hasattr(instance, "end_partition"):
        for output in instance.end_partition() or ():
            yield None, tuple(output)


def partitions(table: pa.Table, numbers: Sequence[int] | None) -> Iterator[tuple[Sequence[int], pa.Table]]:
    """Row positions and rows of each partition; rows keep their order."""
    if numbers is None:
        yield range(table.num_rows), table
        return
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    for _, group in groupby(order, key=numbers.__getitem__):
        positions = list(group)
        yield positions, table.take(pa.array(positions, pa.int64()))


def vectorized_method(cls: Any) -> str | None:
    for name in ("process", "end_partition"):
        if getattr(getattr(cls, name, None), "_sf_vectorized_input", None) is not None:
            return name
    return None


def run_vectorized(
    cls: Any, table: pa.Table, kinds: Sequence[SqlType] | None, numbers: Sequence[int] | None
) -> pa.Table:
    """A vectorized ``process`` answers each row of its batch, ``end_partition`` a whole partition with any
    number of rows.
    """
    by_row = vectorized_method(cls) == "process"
    method_name = "process" if by_row else "end_partition"
    size = getattr(getattr(cls, method_name), "_sf_max_batch_size", None) if by_row else None
    parts = []
    for positions, part in partitions(table, numbers):
        instance = cls()
        step = (size or DEFAULT_BATCH) if by_row else max(part.num_rows, 1)
        for start in range(0, max(part.num_rows, 1), step):
            batch = part.slice(start, step)
            if by_row and not batch.num_rows:
                continue
            result = getattr(instance, method_name)(frame(batch, kinds))
            parts.append(_with_rows(result, positions[start : start + step] if by_row else None))
    return (
        pa.concat_tables(parts, promote_options="permissive")
        if parts
        else pa.table({ROW: pa.array([], pa.int64())})
    )


def _with_rows(result: Any, positions: Sequence[int] | None) -> pa.Table:
    answer = result if isinstance(result, pd.DataFrame) else pd.DataFrame(result)
    if positions is not None and len(answer) != len(positions):
        raise ValueError(f"A vectorized process() returned {len(answer)} rows for {len(positions)}.")
    table = pa.Table.from_pandas(answer.rename(columns=str), preserve_index=False).replace_schema_metadata(
        None
    )
    numbers = pa.nulls(len(answer), pa.int64()) if positions is None else pa.array(positions, pa.int64())
    return table.add_column(0, ROW, numbers)


def _named(table: pa.Table, outputs: Sequence[tuple[str, SqlType]]) -> pa.Table:
    if table.num_rows and table.num_columns != len(outputs) + 1:
        raise ValueError(
            f"A table function returned {table.num_columns - 1} columns instead of {len(outputs)}."
        )
    columns = [table.column(0)]
    for place, (_, kind) in enumerate(outputs, 1):
        target = values.arrow_type(kind)
        column = table.column(place) if table.num_rows else pa.chunked_array([], target)
        if kind.semi_structured or not _castable(column, target):
            column = pa.chunked_array([values.to_arrow(column.to_pylist(), kind)])
        else:
            column = pc.cast(column, target)
        columns.append(column)
    return pa.table(columns, [ROW, *(name for name, _ in outputs)])


def _castable(column: pa.ChunkedArray, target: pa.DataType) -> bool:
    return bool(
        column.type.equals(target) or (pa.types.is_primitive(column.type) and pa.types.is_primitive(target))
    )
