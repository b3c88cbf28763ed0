"""Running a method of a logged model version through the handler file inside the version.

snowflake-ml writes ``functions/<method>.py`` when it logs a model: what a warehouse would execute. It loads
the model on import, so a worker that stays serves one version and method.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from embedded_account.compute import handler, table_functions
from embedded_account.compute.functions import DEFAULT_BATCH, frame
from embedded_account.compute.handler import RefusedError


class _Answer(pd.DataFrame):
    """The frame that a model method predicted, kept in columns.

    The handler file ends in ``replace({NA: None, nan: None}).to_dict("records")``: a Python object for each
    cell, only for the account to put them into columns again. This frame passes both calls and still holds
    its columns.
    """

    def replace(self, *_: Any, **__: Any) -> _Answer:
        return self

    def to_dict(self, *_: Any, **__: Any) -> _Answer:  # type: ignore[override]
        return self

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame


class ModelMethod:
    """A loaded method: ``run(table)`` as often as wanted."""

    def __init__(self, model_dir: Path, handler_name: str) -> None:
        module_name, _, name = handler_name.rpartition(".")
        if not module_name or not (model_dir / "functions").is_dir():
            raise RefusedError(f"Model version has no handler '{handler_name}'.")
        handler.set_import_directory(model_dir)
        sys.path.insert(0, str(model_dir))
        importlib.invalidate_caches()
        self._function = handler.load_from(module_name, name)
        self._module = sys.modules[module_name]

    def run(self, table: pa.Table, partitions: list[int] | None) -> pa.Table:
        """One column for each output; a table function has ``_ROW`` before them."""
        if isinstance(self._function, type):
            method = table_functions.vectorized_method(self._function)
            if method is None:
                raise RefusedError("A model's table function must be vectorized.")
            if self._flattens(getattr(self._function, method)):
                table = self._flatten(table)
            return table_functions.run_vectorized(self._function, table, None, partitions)
        if self._flattens(self._function):
            table = self._flatten(table)
        self._keep_columns()
        size = getattr(self._function, "_sf_max_batch_size", None) or DEFAULT_BATCH
        parts = [
            _columns(self._function(frame(table.slice(start, size))), min(size, table.num_rows - start))
            for start in range(0, table.num_rows, size)
        ]
        return pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({})

    @staticmethod
    def _flattens(function: Any) -> bool:
        return bool(getattr(function, "_sf_flatten_object_input", False))

    def _flatten(self, table: pa.Table) -> pa.Table:
        """Wide input comes as one OBJECT column; the handler expects its values as columns, in the
        signature's order.
        """
        records = [json.loads(value) if value is not None else {} for value in table.column(0).to_pylist()]
        names = getattr(self._module, "input_cols", None) or list(records[0] if records else ())
        wide = pa.table({str(name): [record.get(name) for record in records] for name in names})
        for place in range(1, table.num_columns):
            wide = wide.append_column(f"parameter_{place}", table.column(place))
        return wide

    def _keep_columns(self) -> None:
        runner = getattr(self._module, "runner", None)
        if runner is None or getattr(runner, "keeps_columns", False):
            return

        def keeping(*arguments: Any, **named: Any) -> Any:
            result = runner(*arguments, **named)
            return _Answer(result) if type(result) is pd.DataFrame else result

        keeping.keeps_columns = True  # type: ignore[attr-defined]
        self._module.runner = keeping  # type: ignore[attr-defined]


def _columns(result: Any, rows: int) -> pa.Table:
    if isinstance(result, pd.Series):
        frame_ = result.to_frame("output" if result.name is None else str(result.name))
    elif isinstance(result, pd.DataFrame):
        frame_ = pd.DataFrame(result)
    else:
        frame_ = pd.DataFrame.from_records(list(result))
    if len(frame_) != rows:
        raise ValueError(f"The model method returned {len(frame_)} rows for {rows}.")
    # NaN is a missing output, as in the handler file's own replacement.
    table = pa.Table.from_pandas(frame_.rename(columns=str), preserve_index=False)
    return table.replace_schema_metadata(None)
