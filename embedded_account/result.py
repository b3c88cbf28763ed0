"""What a statement answers: typed columns and an Arrow table.

Column types are the protocol's words: fixed, real, text, boolean, date, time, timestamp_ntz, timestamp_ltz,
timestamp_tz, variant, object, array, binary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

# Statement type ids, which tell clients how to count rows (STATEMENT_TYPE_ID_* in the Python connector).
SELECT = 0x1000
DML = 0x3000
INSERT = 0x3100
UPDATE = 0x3200
DELETE = 0x3300
MERGE = 0x3400
COPY = 0x3600
USE = 0x4300
SHOW = 0x4400
DESCRIBE = 0x4500
TCL = 0x5000
DDL = 0x6000
UNKNOWN = 0x0000
DML_TYPES = frozenset({DML, INSERT, UPDATE, DELETE, MERGE})

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "fixed": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp_ntz": pa.timestamp("us"),
    "timestamp_ltz": pa.timestamp("us", tz="UTC"),
    "timestamp_tz": pa.timestamp("us", tz="UTC"),
    "variant": pa.string(),
    "object": pa.string(),
    "array": pa.string(),
    "binary": pa.binary(),
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    nullable: bool = True


@dataclass(frozen=True)
class Result:
    """Rows in Arrow form. `rowcount` is the number of affected rows of DML, else of returned rows."""

    columns: tuple[Column, ...]
    table: pa.Table
    statement_type: int = SELECT
    rowcount: int = 0
    query_id: str = ""
    # Extra members of the protocol's answer, e.g. the upload instructions of PUT.
    extra: Mapping[str, object] = field(default_factory=dict)

    def typed(self, statement_type: int) -> Result:
        return replace(self, statement_type=statement_type)

    def rows(self) -> list[tuple[object, ...]]:
        columns = [column.to_pylist() for column in self.table.columns]
        return list(zip(*columns, strict=True)) if columns else []

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def rows_result(
    columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]], statement_type: int = SHOW
) -> Result:
    """A result from Python rows; `columns` are (name, type) pairs."""
    data = list(rows)
    arrays = [pa.array([row[i] for row in data], type=_ARROW[type_]) for i, (_, type_) in enumerate(columns)]
    schema = pa.schema([(f"c{i}", array.type) for i, array in enumerate(arrays)])
    table = pa.Table.from_arrays(arrays, schema=schema)
    described = tuple(
        Column(name, type_, 38 if type_ == "fixed" else None, 0 if type_ == "fixed" else None)
        for name, type_ in columns
    )
    return Result(described, table, statement_type, len(data))


def status(message: str, statement_type: int = DDL) -> Result:
    return rows_result([("status", "text")], [(message,)], statement_type)


def counts(named: Mapping[str, int], statement_type: int) -> Result:
    """Answer of DML: one row of counts, whose sum is the number of affected rows."""
    result = rows_result([(name, "fixed") for name in named], [tuple(named.values())], statement_type)
    return replace(result, rowcount=sum(named.values()))
