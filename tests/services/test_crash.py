"""Killed at any moment and started again, an operation ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.db.engine import Database
from services.operations import OperationFilter, OperationView
from services.operations.queries import Queries

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "postgres":
        database: Database = request.getfixturevalue("postgres_database")
        return database.url, database.url
    return f"sqlite:///{tmp_path / 'c.sqlite'}", f"sqlite:///{tmp_path / 'o.sqlite'}"


def launch(urls: tuple[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    program = [sys.executable, str(Path(__file__).parent / "crashing.py"), *urls, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(program, env=environment, cwd=folder, start_new_session=True)


def part(queries: Queries) -> OperationView | None:
    page = queries.list(OperationFilter(kind="part.do"), 10, None)
    assert len(page.items) <= 1
    return page.items[0] if page.items else None


def kill_when_line(process: "subprocess.Popen[bytes]", queries: Queries, wanted: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "it ended before it could be killed"
        view = part(queries)
        if view and any(line.message == wanted for line in queries.log(view.id, 0, 1000).items):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.02)
    raise AssertionError(f"{wanted} was never logged")


def test_killed_twice_every_effect_happens_once(urls: tuple[str, str], tmp_path: Path) -> None:
    database = Database(urls[0])
    from services.db.migrate import migrate

    migrate(database)
    queries = Queries(database)
    for wanted in ("line 3", "line 9"):
        kill_when_line(launch(urls, tmp_path), queries, wanted)
        view = part(queries)
        assert view is not None
        assert view.state == "running"
    last = launch(urls, tmp_path)
    assert last.wait(60) == 0

    assert (tmp_path / "effects.txt").read_text().split() == ["before", "one", "two", "three", "after"]
    views = queries.list(OperationFilter(), 10, None).items
    assert [(v.kind, v.state, v.run) for v in views] == [
        ("part.do", "succeeded", 1),
        ("whole.do", "succeeded", 1),
    ]
    done, whole = views
    assert [(s.name, s.state, s.attempts, s.result) for s in done.steps] == [
        ("one", "succeeded", 1, {"step": "one"}),
        ("two", "succeeded", 3, {"lines": 12}),
        ("three", "succeeded", 1, {"step": "three"}),
    ]
    assert [(s.name, s.attempts) for s in whole.steps] == [("before", 1), ("lead", 3), ("after", 1)]
    assert whole.steps[1].result == {"step": "three"}
    lines = queries.log(done.id, 0, 1000).items
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    spoken = [line.message for line in lines if line.level == "info"]
    assert spoken == [
        "one at work", *(f"line {n}" for n in range(12)), "three at work", "Operation succeeded",
    ]  # fmt: skip
    again = [line.message for line in lines if "resumed" in line.message]
    assert again == [f"Two: resumed after an interruption (attempt {n})" for n in (2, 3)]
    database.close()
