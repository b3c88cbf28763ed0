"""A procedure's own Snowpark session, over HTTP, against fakesnow's server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import fakesnow.server
import pytest
import uvicorn

# fakesnow reads results in a way that DuckDB 2.0 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")

SOURCE = """
    from snowflake.snowpark.context import get_active_session
    def main(session):
        assert get_active_session() is session
        return session.sql("select 41 + 1 as a").collect()[0][0]
    def table(session):
        return session.sql("select 1 as a, 'x' as b union all select 2, null order by 1")
    def empty(session):
        return session.sql("select 1 as a where false")
    def broken(session):
        return session.sql("select * from nowhere").collect()
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[dict[str, Any]]:
    server = uvicorn.Server(uvicorn.Config(fakesnow.server.app, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield {
        "account": "fakesnow",
        "user": "someone",
        "password": "any",
        "host": "127.0.0.1",
        "port": port,
        "protocol": "http",
        "database": "D",
        "schema": "S",
        "session_parameters": {"FAKESNOW_DB_PATH": ":isolated:"},
    }
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def procedure(call: Any, connection: dict[str, Any]) -> Any:
    def run(handler: str, returns: str, packages: tuple[str, ...] = ("snowflake-snowpark-python",)) -> Any:
        return call(SOURCE, handler=handler, returns=returns, packages=packages, connection=connection)

    return run


def test_the_handlers_session_is_the_active_one(procedure: Any) -> None:
    outcome = procedure("main", "INT")
    assert (outcome.value, outcome.error) == (42, None)


def test_a_frame_becomes_a_table(procedure: Any) -> None:
    outcome = procedure("table", "TABLE (A INT, B TEXT)")
    assert outcome.error is None, str(outcome.error)
    assert outcome.table.to_pylist() == [{"A": 1, "B": "x"}, {"A": 2, "B": None}]
    empty = procedure("empty", "TABLE (A INT)")
    assert empty.error is None, str(empty.error)
    assert (empty.table.column_names, empty.table.num_rows) == (["A"], 0)


def test_a_failing_statement_is_the_procedures_error(procedure: Any) -> None:
    error = procedure("broken", "INT").error
    assert (error.kind, error.type) == ("handler", "SnowparkSQLException")
    assert "_udf_code.py" in error.traceback


def test_an_address_where_nobody_listens(call: Any, connection: dict[str, Any]) -> None:
    nobody = {**connection, "port": 9, "login_timeout": 2}
    error = call(SOURCE, packages=["snowflake-snowpark-python"], connection=nobody).error
    assert error.kind == "handler"
    assert "OperationalError" in error.type
