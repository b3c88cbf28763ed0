"""Running a Python function over rows, one by one or as pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from embedded_account.compute import handler, packages, sql_types, values
from embedded_account.compute.sql_types import SqlType

# Snowflake chooses its own batch size when the handler names none.
DEFAULT_BATCH = 100_000


def run(spec: dict[str, Any], home: Path, table: pa.Table) -> pa.Table:
    """Gives a table with the column RESULT, one row for each row of ``table``."""
    kinds = [sql_types.parse(text) for text in spec["argument_types"]]
    returns = sql_types.parse(spec["returns"])
    packages.guard_imports(spec["packages"], home)
    function = handler.load(home, spec["handler"], spec["inline"])
    if spec["vectorized"] or getattr(function, "_sf_vectorized_input", None) is not None:
        batch = spec["max_batch_size"] or getattr(function, "_sf_max_batch_size", None)
        chunks = [
            values.series_to_arrow(result, returns)
            for result in vectorized(function, table, kinds, batch or DEFAULT_BATCH)
        ]
        column = pa.chunked_array(
            _same_type(chunks), chunks[0].type if chunks else values.arrow_type(returns)
        )
    else:
        column = values.to_arrow([function(*row) for row in rows(table, kinds)], returns)
    return pa.table({"RESULT": column})


def _same_type(chunks: list[pa.Array]) -> list[pa.Array]:
    if len({chunk.type for chunk in chunks}) <= 1:
        return chunks
    wide = next(chunk.type for chunk in chunks if pa.types.is_decimal(chunk.type))
    chunks[:] = [chunk.cast(wide) for chunk in chunks]
    return chunks


def rows(table: pa.Table, kinds: Sequence[SqlType]) -> list[tuple[Any, ...]]:
    """Argument tuples; a function without arguments is called once for each row all the same."""
    if not kinds:
        return [()] * table.num_rows
    columns = [values.column_objects(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return list(zip(*columns, strict=True))


def frame(table: pa.Table, kinds: Sequence[SqlType] | None = None) -> pd.DataFrame:
    """A table as the frame that a vectorized handler receives: columns numbered from 0, as many as ``kinds``."""
    known: Sequence[SqlType | None] = [None] * table.num_columns if kinds is None else kinds
    columns = table.columns[: len(known)]
    series = [values.column_series(column, kind) for column, kind in zip(columns, known, strict=True)]
    return pd.DataFrame(dict(enumerate(series)), index=pd.RangeIndex(table.num_rows))


def vectorized(
    function: Callable[[pd.DataFrame], Any], table: pa.Table, kinds: Sequence[SqlType], batch: int
) -> list[Any]:
    """Results of the handler over slices of at most ``batch`` rows, each as long as its slice."""
    results = []
    for start in range(0, table.num_rows, batch):
        part = table.slice(start, batch)
        result = function(frame(part, kinds))
        if len(result) != part.num_rows:
            raise ValueError(f"A vectorized handler returned {len(result)} values for {part.num_rows} rows.")
        results.append(result)
    return results
