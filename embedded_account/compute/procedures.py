"""Running a stored procedure in a worker: its session, its handler, its return value."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from embedded_account.compute import handler, packages, sql_types, values
from embedded_account.compute.handler import RefusedError


def run(spec: dict[str, Any], home: Path) -> tuple[Any, pa.Table | None]:
    """Call the handler; gives the value as JSON, or the table of a procedure that returns one."""
    returns = sql_types.parse(spec["returns"])
    arguments = [
        values.to_python(value, sql_types.parse(kind))
        for value, kind in zip(spec["arguments"], spec["argument_types"], strict=True)
    ]
    packages.guard_imports(spec["packages"], home)
    session = _open(spec["connection"])
    try:
        function = handler.load(home, spec["handler"], spec["inline"])
        result = function(session, *arguments)
        if returns.family == "TABLE":
            return None, _table(result)
        return values.to_json(result, returns), None
    finally:
        if session is not None:
            # The handler may have closed it, and the account may be going: the outcome stands either way.
            with contextlib.suppress(Exception):
                session.close()


def _open(connection: dict[str, Any] | None) -> Any:
    if connection is None:
        return None
    from snowflake.snowpark import Session

    return Session.builder.configs(connection).create()


def _table(result: Any) -> pa.Table:
    from snowflake.snowpark import DataFrame

    if not isinstance(result, DataFrame):
        raise RefusedError(
            f"A procedure that returns a TABLE must return a Snowpark DataFrame, not {type(result)}."
        )
    return result.to_arrow()
