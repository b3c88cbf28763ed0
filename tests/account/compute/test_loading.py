"""The compute's libraries are loaded when something was made that may be called, not before."""

import contextlib
import time
from pathlib import Path

from tests.account.conftest import AccountServer


def loaders(server: AccountServer) -> list[str]:
    """The fork servers of an account."""
    assert server.process is not None
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        # Others' processes come and go meanwhile.
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_text()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if "forkserver" in command and parent == server.process.pid:
                found.append(command)
    return found


def test_nothing_is_loaded_before_there_is_python(own_server: AccountServer) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE WAREHOUSE W")
        cursor.execute("CREATE DATABASE D")
        cursor.execute("CREATE TABLE T AS SELECT 1 AS N")
        assert loaders(own_server) == []
        cursor.execute(
            "CREATE PROCEDURE P() RETURNS NUMBER LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
            "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'run' AS 'def run(session):\n    return 7'"
        )
        assert len(loaders(own_server)) == 1
        assert cursor.execute("CALL P()").fetchall() == [(7,)]


def test_an_account_that_has_python_loads_from_its_start(own_server: AccountServer) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE D")
        cursor.execute(
            "CREATE FUNCTION F(N NUMBER) RETURNS NUMBER LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
            "HANDLER = 'run' AS 'def run(n):\n    return n + 1'"
        )
    own_server.kill()
    own_server.start()
    deadline = time.monotonic() + 60
    # The start goes on for a moment after the account answers.
    while not loaders(own_server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(loaders(own_server)) == 1
