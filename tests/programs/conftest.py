"""One account for all programs, and the way to run each in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.account.conftest import AccountServer
from tests.account.conftest import account_server as account_server
from tests.programs.environments import HERE, NotInstalled, python_of

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def drive(account_server: AccountServer) -> Run:
    """``drive(program, commands, **environment)``: each command's outcome, as the program's driver tells it."""

    def run(program: str, commands: list[list[str]], **more: str) -> list[dict[str, Any]]:
        try:
            python = python_of(program)
        except NotInstalled as error:
            if "programs" in os.environ.get("SPOKEHUB_TEST_REQUIRE", ""):
                raise
            pytest.skip(f"{program} cannot be installed: {str(error)[-200:]}")
        environment = {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
            "LANG": "C.UTF-8",
            "COLUMNS": "400",
            **more,
        }
        done = subprocess.run(
            [str(python), str(HERE / f"drive_{program}.py")],
            input=json.dumps(commands), capture_output=True, text=True, env=environment, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        told: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return told

    return run


@pytest.fixture(scope="session")
def warehouse(account_server: AccountServer) -> str:
    with account_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE WAREHOUSE IF NOT EXISTS WH")
    return "WH"


def rows(server: AccountServer, text: str) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    with server.connect(warehouse="WH") as connection, connection.cursor() as cursor:
        return list(cursor.execute(text).fetchall())


def project(name: str, into: Path) -> Path:
    """A copy of a project that a test may change."""
    import shutil

    return Path(shutil.copytree(HERE / name, into / name))
