"""SQL values as Python objects, JSON and Arrow, for what crosses into and out of a handler.

https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from embedded_account.compute.sql_types import SqlType


def _binary(value: Any) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def _moment(value: Any) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def _time(value: Any) -> dt.time:
    return value if isinstance(value, dt.time) else dt.time.fromisoformat(value)


def to_python(value: Any, kind: SqlType) -> Any:
    """An argument, from JSON or from Arrow's Python object, as the object that a handler receives."""
    if value is None:
        return None
    match kind.family:
        case "NUMBER":
            return int(value) if kind.scale == 0 else Decimal(str(value))
        case "FLOAT":
            return float(value)
        case "STRING":
            return str(value)
        case "BOOLEAN":
            return bool(value)
        case "DATE":
            return _day(value)
        case "TIME":
            return _time(value)
        case "BINARY":
            return _binary(value)
        case "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return _moment(value)
    return value


def json_default(value: Any) -> Any:
    """What the json module does not know: numpy scalars and arrays, decimals, times, bytes."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple | set):
        return list(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex().upper()
    raise TypeError(f"Failed to convert Python data type {type(value)} to VARIANT.")


def to_json(value: Any, kind: SqlType) -> Any:
    """A handler's return value as JSON by its SQL type: the inverse of to_python; decimals with a scale
    become text.

    Raises TypeError or ValueError for a value which that type cannot hold.
    """
    value = _plain(value)
    if value is None:
        return None
    if kind.semi_structured:
        return json.loads(json.dumps(value, default=json_default))
    converted = from_handler(value, kind)
    if isinstance(converted, dt.datetime | dt.date | dt.time):
        return converted.isoformat()
    if isinstance(converted, bytes):
        return converted.hex().upper()
    if isinstance(converted, Decimal):
        return str(converted)
    return converted


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NaT or value is pd.NA else value


def _scaled(value: Any, kind: SqlType) -> int | Decimal:
    exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    rounded = round(exact, kind.scale) if kind.scale else Decimal(round(exact))
    return int(rounded) if kind.scale == 0 else rounded


_CONVERSIONS: dict[str, tuple[tuple[type, ...], Callable[[Any, SqlType], Any]]] = {
    "STRING": ((object,), lambda value, _: str(value)),
    "NUMBER": ((bool, int, float, Decimal, str), _scaled),
    "FLOAT": ((bool, int, float, Decimal, str), lambda value, _: float(value)),
    "BOOLEAN": ((bool, int, float), lambda value, _: bool(value)),
    "DATE": ((dt.date, str), lambda value, _: _day(value)),
    "TIME": ((dt.time, str), lambda value, _: _time(value)),
    "TIMESTAMP_NTZ": ((dt.datetime, str), lambda value, _: _moment(value)),
    "TIMESTAMP_LTZ": ((dt.datetime, str), lambda value, _: _moment(value)),
    "TIMESTAMP_TZ": ((dt.datetime, str), lambda value, _: _moment(value)),
    "BINARY": ((bytes, bytearray), lambda value, _: bytes(value)),
}


def from_handler(value: Any, kind: SqlType) -> Any:
    """A handler's scalar as the Python object of its SQL type; None stays None."""
    value = _plain(value)
    if value is None:
        return None
    if kind.semi_structured:
        return json.dumps(value, default=json_default)
    allowed, convert = _CONVERSIONS[kind.family]
    if not isinstance(value, allowed):
        raise TypeError(f"Failed to convert Python data type {type(value)} to {kind.family}.")
    return convert(value, kind)


def arrow_type(kind: SqlType) -> pa.DataType:
    match kind.family:
        case "NUMBER":
            return pa.int64() if kind.scale == 0 else pa.decimal128(kind.precision, kind.scale)
        case "FLOAT":
            return pa.float64()
        case "BOOLEAN":
            return pa.bool_()
        case "DATE":
            return pa.date32()
        case "TIME":
            return pa.time64("us")
        case "TIMESTAMP_NTZ":
            return pa.timestamp("us")
        case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return pa.timestamp("us", "UTC")
        case "BINARY":
            return pa.binary()
    return pa.string()


def to_arrow(values: Sequence[Any], kind: SqlType) -> pa.Array:
    """Handler results as an Arrow array by SQL type; semi-structured values become JSON text.

    NUMBER without a scale is int64, decimal128(38, 0) when a value needs more.
    """
    converted = [from_handler(value, kind) for value in values]
    try:
        return pa.array(converted, arrow_type(kind))
    except (OverflowError, pa.ArrowInvalid):
        if kind.family == "NUMBER" and kind.scale == 0:
            return pa.array(
                [None if value is None else Decimal(value) for value in converted], pa.decimal128(38, 0)
            )
        raise


def series_to_arrow(values: Any, kind: SqlType) -> pa.Array:
    """A pandas Series, array or list of results as an Arrow array, without a Python object for each
    number.
    """
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    target = arrow_type(kind)
    numeric = pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    if kind.family == "FLOAT" and numeric:
        # NaN is a value of FLOAT, not NULL; only pandas' masked types carry NULL.
        return pa.array(series, from_pandas=False).cast(target)
    if kind.family == "BOOLEAN" and pd.api.types.is_bool_dtype(series.dtype):
        return pa.array(series).cast(target)
    if kind.family == "NUMBER" and kind.scale == 0 and pd.api.types.is_integer_dtype(series.dtype):
        return pa.array(series).cast(target)
    missing = kind.family != "FLOAT"
    return to_arrow(
        [None if missing and isinstance(value, float) and math.isnan(value) else value for value in series],
        kind,
    )


def column_objects(column: pa.ChunkedArray, kind: SqlType) -> list[Any]:
    """An argument column as handler objects, row by row; semi-structured text is decoded."""
    values = column.to_pylist()
    if kind.semi_structured:
        return [json.loads(value) if isinstance(value, str) else value for value in values]
    return [to_python(value, kind) for value in values]


def column_series(column: pa.ChunkedArray, kind: SqlType | None) -> pd.Series:
    """An argument column as a pandas Series: exact integers where there is no NULL, floats otherwise."""
    if kind is not None and kind.semi_structured:
        return pd.Series(column_objects(column, kind), dtype=object)
    if pa.types.is_decimal(column.type):
        whole = column.type.scale == 0
        target = pa.int64() if whole else pa.float64()
        try:
            column = column.cast(target)
        except pa.ArrowInvalid:
            return pd.Series(column.to_pylist(), dtype=object)
    return column.to_pandas()
