"""The connector's protocol: bindings in, answers out.

Rows travel as Arrow with the field metadata that the Python connector's converters read; the counts of DML as JSON.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from embedded_account.errors import SnowflakeError
from embedded_account.parameters import parameter
from embedded_account.parse.cursor import tokenize
from embedded_account.result import DML_TYPES, Column, Result, status
from embedded_account.session import Session
from embedded_account.translate.formats.documents import pretty_json

# ----- bindings


def inline_bindings(text: str, bindings: dict[str, Any] | None) -> tuple[str, list[list[object]] | None]:
    """The statement with its `?` replaced by literals, and for an array binding its columns of values instead."""
    if not bindings:
        return text, None
    ordered = [bindings[key] for key in sorted(bindings, key=lambda k: int(k) if k.isdigit() else 0)]
    if any(isinstance(b.get("value"), list) for b in ordered):
        return text, [[_python(b["type"], value) for value in b["value"]] for b in ordered]
    out, at, used = [], 0, 0
    for token in tokenize(text):
        if token.text == "?" and token.kind == "symbol":
            if used >= len(ordered):
                raise SnowflakeError("SQL compilation error:\nBind variable ? not set.", 2049, "42601")
            out += [text[at : token.start], _literal(ordered[used])]
            at, used = token.end, used + 1
        elif token.text == ":" and token.kind == "symbol" and text[token.end : token.end + 1].isdigit():
            number = text[token.end :].split(maxsplit=1)[0]
            digits = "".join(c for c in number if c.isdigit())
            if digits in bindings and text[token.start - 1 : token.start] != ":":
                out += [text[at : token.start], _literal(bindings[digits])]
                at = token.end + len(digits)
    return "".join([*out, text[at:]]), None


def _literal(binding: dict[str, Any]) -> str:
    kind, value = binding["type"], binding.get("value")
    if value is None:
        return "NULL"
    if kind == "FIXED":
        return str(value)
    if kind == "REAL":
        return f"{value}::FLOAT" if str(value).lower() not in ("nan", "inf", "-inf") else f"'{value}'::FLOAT"
    if kind == "BOOLEAN":
        return str(value).upper()
    if kind == "BINARY":
        return f"X'{value}'"
    python = _python(kind, value)
    if kind == "DATE":
        return f"'{python}'::DATE"
    if kind == "TIME":
        return f"'{python}'::TIME"
    if kind.startswith("TIMESTAMP"):
        return f"'{python}'::{kind}"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _python(kind: str, value: Any) -> object:
    if value is None:
        return None
    if kind == "FIXED":
        return int(value)
    if kind == "REAL":
        return float(value)
    if kind == "BOOLEAN":
        return str(value).lower() in ("true", "1")
    if kind == "BINARY":
        return bytes.fromhex(value)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    if kind == "DATE":
        return (epoch + timedelta(milliseconds=int(value))).date()
    if kind == "TIME":
        return (epoch + timedelta(microseconds=int(value) // 1000)).time()
    if kind in ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        moment = epoch + timedelta(microseconds=int(str(value).split(" ")[0]) // 1000)
        return moment.replace(tzinfo=None) if kind == "TIMESTAMP_NTZ" else moment
    return value


# ----- rows


def _timestamps(array: pa.ChunkedArray, with_zone: bool) -> pa.Array:
    """Snowflake's struct of seconds and nanoseconds (and minutes of the zone, shifted by a day)."""
    flat = array.combine_chunks()
    unit = flat.type.unit
    ticks = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    whole = flat.cast(pa.timestamp(unit)).cast(pa.int64())
    epoch = _floor(whole, ticks)
    fraction = pc.multiply(pc.subtract(whole, pc.multiply(epoch, ticks)), 1_000_000_000 // ticks).cast(
        pa.int32()
    )
    arrays = [pc.fill_null(epoch, 0), pc.fill_null(fraction, 0)]
    names = ["epoch", "fraction"]
    if with_zone:
        arrays.append(pa.array([1440] * len(flat), pa.int32()))
        names.append("timezone")
    fields = [pa.field(n, a.type, nullable=False) for n, a in zip(names, arrays, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=pc.is_null(flat))


def _floor(whole: pa.Array, ticks: int) -> pa.Array:
    quotient = pc.divide(whole, ticks)
    below = pc.less(pc.subtract(whole, pc.multiply(quotient, ticks)), 0)
    return pc.subtract(quotient, below.cast(pa.int64()))


def _array(column: Column, array: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        array = pa.chunked_array([chunk.storage for chunk in array.chunks], kind.storage_type)
        kind = array.type
    if column.type == "fixed":
        if pa.types.is_integer(kind):
            return array.cast(pa.int64())
        if pa.types.is_decimal(kind) and kind.scale == 0:
            try:
                return array.cast(pa.int64())
            except pa.ArrowInvalid:
                return array.cast(pa.decimal128(38, 0))
        return array.cast(pa.int64()) if pa.types.is_null(kind) else array
    if column.type == "real":
        return array.cast(pa.float64())
    if column.type == "boolean":
        return array.cast(pa.bool_())
    if column.type == "date":
        return array.cast(pa.date32())
    if column.type == "time":
        return pc.multiply(array.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if column.type.startswith("timestamp"):
        if pa.types.is_null(kind):
            array = array.cast(pa.timestamp("us"))
        return _timestamps(array, column.type == "timestamp_tz")
    if column.type == "binary":
        return array.cast(pa.binary())
    if pa.types.is_nested(kind):
        array = pa.chunked_array(
            [
                pa.array(
                    [None if v is None else json.dumps(v, default=str) for v in array.to_pylist()],
                    pa.string(),
                )
            ]
        )
    if column.type in ("variant", "object", "array"):
        texts = array.cast(pa.string()).to_pylist()
        return pa.array([None if text is None else pretty_json(text) for text in texts], pa.string())
    return array.cast(pa.string())


def arrow_stream(result: Result) -> bytes:
    """The rows as an Arrow IPC stream in the connector's form."""
    arrays = [_array(c, a) for c, a in zip(result.columns, result.table.columns, strict=True)]
    fields = [
        pa.field(
            c.name,
            a.type,
            True,
            {
                "logicalType": c.type.upper(),
                "precision": str(38 if c.precision is None else c.precision),
                "scale": str(c.scale or 0),
                "charLength": str(c.length or 0),
            },
        )
        for c, a in zip(result.columns, arrays, strict=True)
    ]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100_000)
    return bytes(sink.getvalue())


def row_type(result: Result) -> list[dict[str, object]]:
    return [
        {
            "name": c.name,
            "database": "",
            "schema": "",
            "table": "",
            "nullable": c.nullable,
            "type": c.type,
            "byteLength": c.length,
            "length": c.length,
            "scale": c.scale,
            "precision": c.precision,
            "collation": None,
        }
        for c in result.columns
    ]


def answers(session: Session, results: list[Result], describe_only: bool, query_id: str) -> dict[str, Any]:
    """The `data` member of a request's answer; several results are named, and fetched by their query ids."""
    if len(results) == 1:
        return answer(session, results[0], describe_only)
    data = answer(session, status("Multiple statements executed successfully."), False)
    return data | {
        "queryId": query_id,
        "resultIds": ",".join(result.query_id for result in results),
        "resultTypes": ",".join(str(result.statement_type) for result in results),
    }


def answer(session: Session, result: Result, describe_only: bool) -> dict[str, Any]:
    """The `data` member of a successful query response."""
    data: dict[str, Any] = {
        "parameters": [
            {"name": n, "value": parameter(session, n)} for n in ("TIMEZONE", "AUTOCOMMIT", "QUERY_TAG")
        ],
        "rowtype": row_type(result),
        "total": 0 if describe_only else result.table.num_rows,
        "returned": 0 if describe_only else result.table.num_rows,
        "queryId": result.query_id,
        "statementTypeId": result.statement_type,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.role,
        "databaseProvider": None,
        "version": 1,
        "arrayBindSupported": True,
        "numberOfBinds": 0,
    }
    if result.extra:
        return data | dict(result.extra)
    if result.statement_type in DML_TYPES:
        rows = (
            [] if describe_only else [[None if v is None else str(v) for v in row] for row in result.rows()]
        )
        return data | {"queryResultFormat": "json", "rowset": rows}
    if describe_only:
        return data | {"queryResultFormat": "arrow", "rowsetBase64": ""}
    stream = base64.b64encode(arrow_stream(result)).decode() if result.table.num_rows else ""
    return data | {"queryResultFormat": "arrow", "rowsetBase64": stream}
