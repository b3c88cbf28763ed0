"""What a task tells of a handler that a client pickled."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector
from snowflake.snowpark import Session
from snowflake.snowpark.types import StringType

PADDING = "x" * 20_000


def test_a_pickled_handlers_error_tells_its_cause_first(
    connection: snowflake.connector.SnowflakeConnection, run: Any
) -> None:
    # Made outside of a module, so that it is pickled by value, with what it refers to.
    namespace: dict[str, Any] = {"PADDING": PADDING}
    source = "def fails(session):\n    if PADDING:\n        raise ValueError('the cause')"
    exec(compile(source, "handler.py", "exec"), namespace)
    with Session.builder.configs({"connection": connection}).create() as client:
        client.sproc.register(namespace["fails"], name="FAILS", return_type=StringType(), input_types=[],
                              packages=["snowflake-snowpark-python"], is_permanent=False)  # fmt: skip
        with pytest.raises(snowflake.connector.ProgrammingError) as caught:
            run("CALL FAILS()")
    message = str(caught.value.msg)
    lines = message.split("\n")
    at = next(number for number, line in enumerate(lines) if "Python Interpreter Error:" in line)
    assert lines[at + 1] == "ValueError: the cause"
    assert len(message) < 8_500
    assert max(map(len, lines)) < 500
