"""An embedded account of its own for the tests that load and simulate."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import snowflake.connector

from mock_data import NetworkConfig
from mock_data.days import generate_days, period
from mock_data.network import build_network
from mock_data.rows import RowWriter
from mock_data.tables import SOURCE_TABLES

START_SECONDS = 60


class Account:
    """A server process over one data folder, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.address: dict[str, Any] = {}

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        ready = self._folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "embedded_account", "--data", str(self._folder / "data")]
        command += ["--host", "127.0.0.1", "--port", "0", "--ready-file", str(ready)]
        command += ["--parent-pid", str(os.getpid())]
        self._process = subprocess.Popen(command)
        until = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert self._process.poll() is None, "the account ended while starting"
            assert time.monotonic() < until, "the account did not start"
            time.sleep(0.05)
        self.address = json.loads(ready.read_text())
        with self.connect() as connection:
            connection.cursor().execute("CREATE WAREHOUSE IF NOT EXISTS WH")

    def kill(self) -> None:
        """End the server as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def connect(self) -> snowflake.connector.SnowflakeConnection:
        """A new session."""
        return snowflake.connector.connect(
            account=self.address["account"],
            user=self.address["user"],
            password=self.address["password"],
            host=self.address["host"],
            port=self.address["port"],
            protocol="http",
            warehouse="WH",
        )


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One running account for all tests; each uses a schema of its own."""
    account = Account(tmp_path_factory.mktemp("account"))
    account.start()
    yield account
    account.kill()


@pytest.fixture
def connection(account: Account) -> Iterator[snowflake.connector.SnowflakeConnection]:
    """A session of the account."""
    with account.connect() as connection:
        yield connection


@pytest.fixture
def schema(connection: snowflake.connector.SnowflakeConnection, request: pytest.FixtureRequest) -> str:
    """A new schema, fully qualified."""
    name = f"S{abs(hash(request.node.nodeid)) % 10**12}"
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS MOCK")
    cursor.execute(f'CREATE SCHEMA "MOCK"."{name}"')
    return f'"MOCK"."{name}"'


@pytest.fixture
def config() -> NetworkConfig:
    """A network small enough to load many times."""
    return NetworkConfig(n_pudos=10, n_days=5, parcels_per_day=60, seed=5)


Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def expected(tmp_path: Path) -> Callable[..., Rows]:
    """The rows of every table straight from the generator, sorted; for the seed or for so many days."""

    def rows(config: NetworkConfig, n_days: int | None = None) -> Rows:
        network = build_network(config)
        first, last = period(config)
        last = first + n_days - 1 if n_days else last
        days = generate_days(network, first, last)
        with RowWriter(network, tmp_path) as writer:
            paths = [
                writer.reference(),
                writer.parcels(days.parcels),
                writer.attempts(days.journeys, days.attempts),
                writer.occupancy(days.occupancy),
                writer.log(days, first, last),
            ]
        return {
            path.stem: sorted(duckdb.sql(f"SELECT * FROM '{path}'").fetchall(), key=repr) for path in paths
        }

    return rows


@pytest.fixture
def stored_in() -> Callable[[snowflake.connector.SnowflakeConnection, str], Rows]:
    """The rows of every table of a schema, sorted; times of day as text."""

    def rows(connection: snowflake.connector.SnowflakeConnection, schema: str) -> Rows:
        tables = {}
        for name in SOURCE_TABLES:
            cursor = connection.cursor().execute(f'SELECT * FROM {schema}."{name}"')
            tables[name] = [tuple(row) for row in cursor.fetchall()]
        tables["DELIVERY_ATTEMPTS"] = [
            (*row[:7], row[7].isoformat(), *row[8:]) for row in tables["DELIVERY_ATTEMPTS"]
        ]
        return {name: sorted(each, key=repr) for name, each in tables.items()}

    return rows


@pytest.fixture
def stored(
    connection: snowflake.connector.SnowflakeConnection, schema: str, stored_in: Callable[..., Rows]
) -> Callable[[], Rows]:
    """The same for the test's schema."""
    return lambda: stored_in(connection, schema)


@pytest.fixture
def own_account(tmp_path: Path) -> Iterator[Account]:
    """A running account that the test may kill."""
    account = Account(tmp_path)
    account.start()
    yield account
    account.kill()
