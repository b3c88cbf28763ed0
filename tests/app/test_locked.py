"""The databases are locked by another process: requests are told to come again, operations wait."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.main import create_app
from services.core.settings import Settings
from tests.app.conftest import Gate, TestClient, add_work_route, registry
from tests.app.test_api import OPERATIONS, finished, start

_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the file for as long as this lasts."""
    command = [sys.executable, "-c", _HOLDER, str(file)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.stdin.write("\n")
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


@pytest.fixture
def hurried(settings: Settings, gate: Gate) -> Iterator[TestClient]:
    """A service that waits little for its database."""
    storage = replace(settings.storage, database_timeout=0.2)
    app = create_app(replace(settings, storage=storage), registry(gate))
    add_work_route(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client
        gate.open.set()


def test_a_request_is_told_to_come_again(hurried: TestClient, tmp_path: Path) -> None:
    with locked(tmp_path / "spokehub.sqlite"):
        refused = start(hurried, number=1)
        assert hurried.get(OPERATIONS).status_code == 200  # who reads is not kept waiting
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["hint"]
    assert hurried.get(OPERATIONS).json()["items"] == []
    assert start(hurried, number=1).status_code == 202


def test_an_operation_that_runs_waits(hurried: TestClient, gate: Gate, tmp_path: Path) -> None:
    gate.open.clear()
    location = start(hurried, number=7).headers["Location"]
    while hurried.get(location).json()["state"] != "running":
        pass
    with locked(tmp_path / "spokehub.sqlite"):
        gate.open.set()  # its step ends now, and cannot be written down
        assert hurried.post(f"{location}/cancel").status_code == 503
        page = hurried.post(location.removeprefix("/api/v1") + "/cancel", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert "The catalogue database does not answer" in page.text
        assert hurried.get(location).json()["state"] == "running"
    done = finished(hurried, location)
    assert (done["state"], done["result"]) == ("succeeded", {"number": 7})
    assert [step["attempts"] for step in done["steps"]] == [1]


def test_the_queue_is_locked(hurried: TestClient, gate: Gate, tmp_path: Path) -> None:
    """What was accepted is in the catalogue: it is done when the queue can be reached again."""
    gate.open.clear()
    running = start(hurried, number=1).headers["Location"]
    while hurried.get(running).json()["state"] != "running":
        pass
    with locked(tmp_path / "operations.sqlite"):
        gate.open.set()
        accepted = start(hurried, number=2, spoke="other")
        assert accepted.status_code == 202
        assert hurried.get(accepted.headers["Location"]).json()["state"] == "pending"
    assert finished(hurried, running)["state"] == "succeeded"
    assert finished(hurried, accepted.headers["Location"])["state"] == "succeeded"
