"""A service that is killed while it reads the account: the history afterwards is that of one that never was."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import duckdb

from services.core.settings import read_settings
from services.db.engine import Database
from services.db.migrate import migrate
from services.spokes.repository import Catalogue
from tests.app.test_cli import Launch, await_ready, free_port, get, launch
from tests.app.test_delayed import HUB, fill
from tests.manifests import small

__all__ = ["launch"]

KILLS = int(os.environ.get("SPOKEHUB_TEST_KILLS", "2"))
# What is of the account's forty days, and not of who reads it: its own statements are told of, too.
TABLES = {
    "task_runs": ("true", "run_id, attempt, name"),
    "graph_runs": ("true", "run_id, attempt"),
    "refreshes": ("true", "started_at"),
    "queries": ("query_id LIKE 'query-%'", "query_id"),
    "query_credits": ("query_id LIKE 'query-%'", "query_id"),
    "metering": ("hour < current_date", "hour, service_type, name"),
    "warehouse_metering": ("hour < current_date", "hour, warehouse_name"),
    "costs_runs": ("true", "run_id, day, kind"),
    "costs_daily": ("day < current_date", "day, kind, resource, graph"),
    "told_runs": ("true", "run_id, attempt"),
    "runs_daily": ("true", "ALL"),
    "tasks_daily": ("true", "ALL"),
}


def place(folder: Path, filled: Path) -> None:
    """A service's folder with the account, and a spoke that is onboarded."""
    shutil.copytree(filled, folder / "account")
    database = Database(read_settings({"SPOKEHUB_DATA": str(folder)}).storage.database_url)
    migrate(database)
    catalogue = Catalogue(database, HUB.layout)
    catalogue.enter(small("alpha"), "DEV")
    catalogue.activate("alpha", "DEV")
    database.close()


def read(port: int) -> str:
    """Begin to read the account; the operation."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/sync", b"{}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["id"])


def await_read(port: int, operation: str) -> None:
    end = time.monotonic() + 120
    while (view := get(port, f"/api/v1/operations/{operation}")[1])["state"] in ("pending", "running"):
        assert time.monotonic() < end, view
        time.sleep(0.1)
    assert (view["state"], view["result"]["errors"]) == ("succeeded", {})


def started(launch: Launch, folder: Path) -> tuple[subprocess.Popen[str], int]:
    port = free_port()
    process = launch("serve", "--port", str(port), "--data", str(folder), SPOKEHUB_SYNC_SECONDS="0")
    await_ready(process, port)
    return process, port


def ended(process: subprocess.Popen[str], port: int) -> None:
    """Whole sums, then the end."""
    report = get(port, "/api/v1/costs/report?period=365")[1]
    assert report["total"] == report["metering"] == report["account"] > 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def kept(folder: Path) -> dict[str, list[Any]]:
    """What the history has, without when it was read and from which source first."""
    found = {}
    with duckdb.connect(str(folder / "history.duckdb"), read_only=True) as file:
        for table, (where, order) in TABLES.items():
            columns = [row[0] for row in file.execute(f"DESCRIBE {table}").fetchall()]
            shown = ", ".join(name for name in columns if name not in ("seen_at", "source"))
            found[table] = file.execute(
                f"SELECT {shown} FROM {table} WHERE {where} ORDER BY {order}"
            ).fetchall()
    return found


def test_killed_while_it_reads_it_knows_the_same_in_the_end(launch: Launch, tmp_path: Path) -> None:
    chance = random.Random(8)
    fill(tmp_path / "filled")
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    for folder in (calm, rough):
        place(folder, tmp_path / "filled")
    process, port = started(launch, calm)
    begun = time.monotonic()
    await_read(port, read(port))
    took = time.monotonic() - begun
    await_read(port, read(port))
    ended(process, port)
    for number in range(KILLS):
        process, port = started(launch, rough)
        read(port)
        # At any moment of a reading; what was interrupted goes on with the next start.
        time.sleep(chance.uniform(0, took))
        # The account with it, or left to find out by itself.
        (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
        process.wait(20)
    process, port = started(launch, rough)
    # What was interrupted goes on by itself; then all is read once more.
    for one in get(port, "/api/v1/operations?kind=sync.run")[1]["items"]:
        await_read(port, one["id"])
    await_read(port, read(port))
    ended(process, port)
    told, expected = kept(rough), kept(calm)
    assert {table: len(rows) for table, rows in expected.items()} == {
        table: len(rows) for table, rows in told.items()
    }
    for table, rows in expected.items():
        assert rows, table
        assert told[table] == rows, table
