"""What the measurements stand on: that requests arrive as they are meant, that servers end, that answers are known."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.bench.load import drive
from tests.bench.peers.programs import Dagster, MLflow, Spokehub
from tests.bench.peers.runs import LIMIT, Question, copy_runs, ways
from tests.bench.processes import free_port, server, wait_for
from tests.bench.resting import Process

# A server with a child that would outlive it, and does not hear.
FAMILY = """
import http.server, signal, subprocess, sys, pathlib
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
pathlib.Path("child").write_text(str(child.pid))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
SPOKES = ("ferries", "tides")


@contextmanager
def listener(lengths: bool) -> Iterator[tuple[int, list[tuple[str, str, str]]]]:
    """Its port, and what it was asked: method, address, body."""
    heard: list[tuple[str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            heard.append((self.command, self.path, body))
            self.send_response(200)
            if lengths:
                self.send_header("Content-Length", "2")
            else:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"{}" if lengths else b"2\r\n{}\r\n0\r\n\r\n")

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.daemon_threads = True
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield found.server_address[1], heard
        finally:
            found.shutdown()
            thread.join()


def test_addresses_are_got_and_pairs_posted() -> None:
    body = '{"spoke": "Fähren"}'
    with listener(lengths=True) as (port, heard):
        load = drive(port, ["/runs?limit=50", ("/search", body)], 1, 0.3)
    assert heard[:3] == [
        ("GET", "/runs?limit=50", ""),
        ("POST", "/search", body),
        ("GET", "/runs?limit=50", ""),
    ]
    assert (load.failed, load.requests > 1) == (0, True)


def test_no_more_is_asked_than_is_wanted() -> None:
    with listener(lengths=True) as (port, heard):
        load = drive(port, ["/"], 4, 0.5, rate=40.0)
    # Four at the beginning of each tenth of a second, and nothing else.
    assert len(heard) <= 20
    assert (load.failed, load.requests > 4) == (0, True)


def test_an_answer_of_unknown_length_is_not_counted() -> None:
    with listener(lengths=False) as (port, _), pytest.raises(ValueError, match="without a Content-Length"):
        drive(port, ["/"], 1, 0.3)


def test_a_server_ends_with_all_that_it_started(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", FAMILY, str(port)]
    with server(command, f"http://127.0.0.1:{port}/", dict(os.environ), tmp_path, 30) as pid:
        child = int((tmp_path / "child").read_text())
        assert [process.pid for process in Process(pid).family()] == [pid, child]
    # Whoever reaps it may take a moment.
    wait_for(lambda: not alive(child), 10)
    assert not alive(pid)


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such store')"]
    with (
        pytest.raises(RuntimeError, match="no such store"),
        server(command, f"http://127.0.0.1:{free_port()}/", dict(os.environ), tmp_path, 30),
    ):
        pass


def alive(pid: int) -> bool:
    """Whether it runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """One run a minute from 10:00 on, 200 in all, in turn of two spokes."""
    path = tmp_path / "history.duckdb"
    with duckdb.connect(str(path)) as store:
        store.execute("""
            CREATE TABLE graph_runs AS
            SELECT 'r' || n AS run_id, 1 AS attempt, ['ferries', 'tides'][n % 2 + 1] AS spoke, 'DEV' AS environment,
                'TRAINING' AS graph, 'SUCCEEDED' AS state, 'SCHEDULE' AS scheduled_from,
                TIMESTAMP '2026-01-01 10:00:00.000900' + INTERVAL 1 MINUTE * n AS scheduled_at,
                scheduled_at AS started_at, NULL::TIMESTAMP AS completed_at, 1.5::DOUBLE AS run_seconds,
                NULL::VARCHAR AS first_error_message, '{"depth": 6}' AS config
            FROM range(200) AS made(n)
        """)
    return path


BEGIN = 1_767_261_600_000


def test_the_newest_runs_are_copied_oldest_first(history: Path, tmp_path: Path) -> None:
    runs = copy_runs(history, 120, tmp_path / "runs.json")
    lines = [json.loads(line) for line in runs.file.read_text().splitlines()]
    assert (runs.known, len(lines)) == (200, 120)
    assert lines[0] == {
        "run_id": "r80", "attempt": 1, "spoke": "ferries", "environment": "DEV", "graph": "TRAINING",
        "state": "SUCCEEDED", "trigger": "SCHEDULE", "seconds": 1.5, "scheduled": BEGIN + 80 * 60_000,
        "started": BEGIN + 80 * 60_000, "completed": None, "error": None, "config": '{"depth": 6}',
    }  # fmt: skip
    assert runs.scheduled == [(line["spoke"], line["scheduled"]) for line in lines]
    with pytest.raises(ValueError, match="has 200 graph runs, 201 are wanted"):
        copy_runs(history, 201, tmp_path / "more.json")


def test_what_a_question_is_to_find(history: Path, tmp_path: Path) -> None:
    runs = copy_runs(history, 200, tmp_path / "runs.json")
    at = [BEGIN + minute * 60_000 for minute in range(200)]
    assert runs.answer(Question()) == at[:-51:-1]
    assert runs.answer(Question("tides")) == at[1::2][:-51:-1]
    assert runs.answer(Question("ferries", datetime(2026, 1, 1, 10, 4))) == [at[2], at[0]]


def test_each_way_asks_for_what_it_says(history: Path, tmp_path: Path) -> None:
    same, of_a_spoke, once = ways(copy_runs(history, 200, tmp_path / "runs.json")).values()
    assert same == [Question()]
    assert of_a_spoke == [Question(spoke) for spoke in SPOKES]
    moments = [question.before for question in once]
    # Half of what there is in 5,970 seconds of two spokes.
    assert (len(once), len(set(once)), {question.spoke for question in once}) == (5970, 5970, set(SPOKES))
    assert min(moments) >= datetime(2026, 1, 1, 11, 39)
    assert max(moments) < datetime(2026, 1, 1, 13, 19)


def test_the_same_question_in_each_programs_words(tmp_path: Path) -> None:
    question = Question("tides", datetime(2026, 1, 1, 10))
    mlflow = MLflow(tmp_path)
    mlflow.experiments = {"ferries": 1, "tides": 2}
    assert (
        Spokehub(tmp_path).ask(question)
        == "/api/v1/graph-runs?limit=50&spoke=tides&time=..2026-01-01T10:00:00"
    )
    address, body = mlflow.ask(question)
    assert (address, json.loads(body)) == (
        "/api/2.0/mlflow/runs/search",
        {
            "experiment_ids": ["2"], "max_results": LIMIT, "order_by": ["attributes.start_time DESC"],
            "filter": f"attributes.start_time < {BEGIN}",
        },
    )  # fmt: skip
    address, body = Dagster(tmp_path).ask(question)
    variables = {"limit": LIMIT, "filter": {"pipelineName": "tides", "createdBefore": BEGIN / 1000}}
    assert (address, json.loads(body)["variables"]) == ("/graphql", variables)
