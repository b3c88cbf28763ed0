"""An embedded account of its own for these tests, and a small network in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from mock_data import NetworkConfig

DATABASE = "SPOKEHUB"
#: Small, and long enough for the windows of 28 days and all three splits.
NETWORK = NetworkConfig(
    n_pudos=15, n_days=80, start_date=date(2025, 3, 1), parcels_per_day=300.0, seed=11, inactive_share=0.1
)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Parameters of the connector for a fresh account, which ends with the tests."""
    folder = tmp_path_factory.mktemp("account")
    ready = folder / "ready.json"
    command = [
        sys.executable,
        "-m",
        "embedded_account",
        "--data",
        str(folder / "data"),
        "--host",
        "127.0.0.1",
    ]
    command += ["--port", "0", "--ready-file", str(ready), "--parent-pid", str(os.getpid())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the account did not start"
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        parameters = {
            "account": told["account"],
            "user": told["user"],
            "password": told["password"],
            "host": told["host"],
            "port": told["port"],
            "protocol": "http",
            "warehouse": "SPOKEHUB_WH",
        }
        with snowflake.connector.connect(**parameters) as connection:
            connection.cursor().execute(
                "CREATE WAREHOUSE SPOKEHUB_WH WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 30"
            )
        yield parameters
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def hub(account: dict[str, Any]) -> dict[str, Any]:
    """Parameters for a database as the hub makes it, with the shared schema."""
    with snowflake.connector.connect(**account) as connection:
        for statement in (
            f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
            f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.SHARED_DATA",
        ):
            connection.cursor().execute(statement)
    return {**account, "database": DATABASE}


@pytest.fixture(scope="session")
def spoke_directory() -> Path:
    return Path(__file__).parents[2] / "spokes" / "pudo"


@pytest.fixture(scope="session")
def shared_directory() -> Path:
    """The hub's own project of shared feature views."""
    return Path(__file__).parents[2] / "spokes" / "shared"
