"""One account process for all account tests, reached through Snowflake's own clients."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

# The connector asks the network at each login which cloud it is on.
os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"


@dataclass
class AccountServer:
    """A process of the embedded account; `start` may be called again after `kill`."""

    data: Path
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    connection: dict[str, Any] = field(default_factory=dict)

    def start(self) -> AccountServer:
        ready = self.data.with_suffix(".ready.json")
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "embedded_account", "--data", str(self.data), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *self.arguments, "--ready-file", str(ready), "--parent-pid", str(os.getpid())]
        )
        deadline = time.monotonic() + 120
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The account did not start.")
            time.sleep(0.02)
        self.connection = json.loads(ready.read_text())
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """What snowflake.connector.connect and Session.builder.configs take."""
        return {
            "account": "embedded",
            "user": self.connection["user"],
            "password": self.connection["password"],
            "host": self.connection["host"],
            "port": self.connection["port"],
            "protocol": "http",
        }

    def connect(self, **more: Any) -> snowflake.connector.SnowflakeConnection:
        return snowflake.connector.connect(**self.parameters, **more)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="session")
def account_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    server = AccountServer(tmp_path_factory.mktemp("account") / "data").start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[AccountServer]:
    """An account of the test's own, which it may kill."""
    server = AccountServer(tmp_path / "data").start()
    yield server
    assert server.process is not None
    if server.process.poll() is None:
        server.stop()


_NUMBERS = itertools.count(1)


@pytest.fixture
def database(account_server: AccountServer) -> Iterator[str]:
    """The name of a fresh database with a schema S and a warehouse WH."""
    name = f"DB{next(_NUMBERS)}"
    with account_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE WAREHOUSE IF NOT EXISTS WH")
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute("CREATE SCHEMA S")
        yield name
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def connection(
    account_server: AccountServer, database: str
) -> Iterator[snowflake.connector.SnowflakeConnection]:
    """A connection in the fresh database's schema S."""
    with account_server.connect(database=database, schema="S", warehouse="WH") as connection:
        yield connection


@pytest.fixture
def run(connection: snowflake.connector.SnowflakeConnection) -> Any:
    """Runs one statement; its rows."""

    def execute(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            return list(cursor.execute(sql, *values).fetchall())

    return execute


@pytest.fixture
def settle(run: Callable[..., Any], database: str) -> Callable[[], None]:
    """Waits until no graph of the fresh database runs or waits to run."""

    def wait(seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while run(
            "select 1 from table(information_schema.current_task_graphs()) "
            f"where database_name = '{database}' and (state = 'EXECUTING' or scheduled_from <> 'SCHEDULE')"
        ):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.05)

    return wait
