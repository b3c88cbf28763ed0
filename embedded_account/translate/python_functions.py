"""DuckDB functions made of Python, for what has no expression in DuckDB. The account makes them when it opens."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from embedded_account.translate.formats import documents, numbers, patterns, phonetics, times


@dataclass(frozen=True)
class PythonFunction:
    """A function of one row's values, NULLs included; types are DuckDB's."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    returns: str


FUNCTIONS: tuple[PythonFunction, ...] = (
    PythonFunction("_format_number", numbers.to_char, ("VARCHAR", "VARCHAR", "BOOLEAN"), "VARCHAR"),
    PythonFunction("_parse_number", numbers.to_number, ("VARCHAR", "VARCHAR", "BOOLEAN"), "VARCHAR"),
    PythonFunction("_format_time", times.to_char, ("TIMESTAMP", "VARCHAR", "VARCHAR"), "VARCHAR"),
    PythonFunction("_parse_time", times.to_time, ("VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"), "TIMESTAMP"),
    PythonFunction("_parse_moment", times.to_moment, ("VARCHAR", "VARCHAR", "BOOLEAN"), "VARCHAR"),
    PythonFunction("_sorted_json", documents.sorted_json, ("VARCHAR",), "VARCHAR"),
    PythonFunction(
        "_flatten",
        documents.flatten,
        ("VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN", "BOOLEAN", "VARCHAR"),
        "VARCHAR",
    ),
    PythonFunction("_split", documents.split, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    PythonFunction("_parse_json", documents.parse_json, ("VARCHAR", "BOOLEAN"), "VARCHAR"),
    PythonFunction("_soundex", phonetics.soundex, ("VARCHAR",), "VARCHAR"),
    PythonFunction("_sha2", phonetics.sha2, ("BLOB", "BIGINT"), "VARCHAR"),
)

_PATTERN = ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "VARCHAR", "BIGINT")
FUNCTIONS += (
    PythonFunction("_regexp_substr", patterns.substr, _PATTERN, "VARCHAR"),
    PythonFunction("_regexp_substr_all", patterns.substr_all, _PATTERN, "VARCHAR[]"),
    PythonFunction(
        "_regexp_replace",
        patterns.replace,
        ("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "VARCHAR"),
        "VARCHAR",
    ),
    PythonFunction("_regexp_count", patterns.count, ("VARCHAR", "VARCHAR", "BIGINT", "VARCHAR"), "BIGINT"),
    PythonFunction(
        "_regexp_instr",
        patterns.instr,
        ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "BIGINT", "VARCHAR", "BIGINT"),
        "BIGINT",
    ),
    PythonFunction("_regexp_like", patterns.like, ("VARCHAR", "VARCHAR", "VARCHAR"), "BOOLEAN"),
)

_ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}


def create(connection: duckdb.DuckDBPyConnection) -> None:
    for entry in FUNCTIONS:
        connection.create_function(
            entry.name,
            _over_columns(entry),
            [duckdb.sqltype(parameter) for parameter in entry.parameters],
            duckdb.sqltype(entry.returns),
            type="arrow",
            null_handling="special",
        )


def _over_columns(entry: PythonFunction) -> Callable[..., Any]:
    function, returns = entry.function, _ARROW[entry.returns]

    def over_columns(*columns: Any) -> Any:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.chunked_array([pa.array([function(*row) for row in rows], returns)])

    # DuckDB counts the parameters of what it is given.
    over_columns.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(entry.parameters))]
    )
    return over_columns
