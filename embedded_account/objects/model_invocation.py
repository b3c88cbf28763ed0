"""One method of one model version, ready to be run on columns of arguments."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from embedded_account.compute import ModelMethodJob
from embedded_account.compute.sql_types import UnsupportedTypeError, parse
from embedded_account.errors import SnowflakeError, compilation_error, unsupported
from embedded_account.names import ObjectName
from embedded_account.objects.model_manifest import Method
from embedded_account.security import warehouse
from embedded_account.session import Session

_DUCK = {
    "STRING": "VARCHAR",
    "NUMBER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "TIMESTAMP_TZ": "TIMESTAMPTZ",
    "BINARY": "BLOB",
    "VARIANT": "JSON",
    "OBJECT": "JSON",
    "ARRAY": "JSON",
}


def duck_type(text: str) -> str:
    """The DuckDB type of a manifest's SQL type."""
    try:
        kind = parse(text)
    except UnsupportedTypeError as error:
        raise unsupported(f"model argument of type {text}") from error
    if kind.family == "NUMBER" and kind.scale:
        return "DOUBLE"
    return _DUCK[kind.family]


@dataclass(frozen=True)
class Invocation:
    """`run` may be called as often as there are chunks of arguments; the worker keeps the model loaded."""

    session: Session
    model: ObjectName
    folder: Path
    method: Method

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind in self.method.inputs + self.method.parameters]

    @property
    def names(self) -> list[str]:
        return [f"a{i}" for i in range(len(self.kinds))]

    @property
    def duck_types(self) -> list[str]:
        """The DuckDB types of the arguments; semi-structured ones go as JSON text."""
        return [duck_type(kind).replace("JSON", "VARCHAR") for kind in self.kinds]

    @property
    def returns_duck(self) -> str:
        """What `packed` gives: JSON text for an OBJECT."""
        return "VARCHAR" if self.method.returns_object else duck_type(self.method.outputs[0][1])

    def arguments(self, given: Sequence[Any]) -> list[Any]:
        """The call's arguments cast to the method's types; parameters left out are NULL, which means their default."""
        inputs, most = len(self.method.inputs), len(self.kinds)
        if not inputs <= len(given) <= most:
            takes = str(inputs) if inputs == most else f"{inputs} to {most}"
            raise compilation_error(
                f"Invalid number of arguments of {self.method.name}: {len(given)}; it takes {takes}.",
                939,
                "22023",
            )
        filled = [argument.copy() for argument in given] + [exp.Null()] * (most - len(given))
        return [
            exp.cast(argument, exp.DataType.build(kind, dialect="duckdb"))
            for argument, kind in zip(filled, self.duck_types, strict=True)
        ]

    def run(self, table: pa.Table, partitions: Sequence[int] | None = None) -> pa.Table:
        """Outputs of the method as columns, in the order of the rows; a table function has `_ROW` before them."""
        warehouse.require(self.session)
        compute = self.session.account.compute
        if compute is None:
            raise unsupported("model methods without compute")
        outcome = compute.run(
            ModelMethodJob(self.folder, self.method.handler, self._decoded(table), partitions),
            timeout=self.session.statement_timeout(),
            cancel=self.session.cancelled,
        )
        error = outcome.error
        if error is not None and error.kind == "cancelled":
            raise SnowflakeError("SQL execution canceled", 604, "57014")
        if error is not None and error.kind == "timeout":
            raise SnowflakeError(error.message, 630, "57014")
        if error is not None or outcome.table is None:
            place = f"function {self.method.name} of model {self.model} with handler {self.method.handler}"
            raise SnowflakeError(f"{error} in {place}", 100357, "P0000")
        return outcome.table

    def _decoded(self, table: pa.Table) -> pa.Table:
        """Arrays of a method's inputs as Arrow lists; an OBJECT stays text, which the worker flattens."""
        for place, kind in enumerate(self.kinds):
            if parse(kind).family in ("ARRAY", "VARIANT"):
                decoded = [None if v is None else json.loads(v) for v in table.column(place).to_pylist()]
                table = table.set_column(place, table.schema.names[place], pa.array(decoded))
        return table

    def packed(self, answer: pa.Table) -> pa.Array:
        """One value for each row: an object of all outputs as JSON text, or the single output itself."""
        answer = nulls_for_nan(answer)
        if not self.method.returns_object:
            column = answer.column(0).combine_chunks()
            target = pa.large_string() if pa.types.is_large_string(column.type) else None
            return column.cast(target) if target else column
        with contextlib.closing(self.session.account.cursor()) as connection:
            return as_json(connection, answer)


def as_json(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Array:
    """Each row as the text of a JSON object."""
    if not table.num_rows:
        return pa.array([], pa.string())
    connection.register("__answer", table)
    found = connection.sql("SELECT CAST(to_json(a) AS VARCHAR) AS j FROM __answer AS a").to_arrow_table()
    connection.unregister("__answer")
    return found.column("j").combine_chunks().cast(pa.string())


def nulls_for_nan(table: pa.Table) -> pa.Table:
    """Floats in double precision, NaN as NULL: what the handlers' own conversion to records gives."""
    for place, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(place).cast(pa.float64())
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
            table = table.set_column(place, field.name, column)
    return table
