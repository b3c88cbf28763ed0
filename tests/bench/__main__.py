"""Prints: account start, SELECT 1, the set-up by step (seeding among them), pages and REST p50/p95."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import snowflake.connector

from tests.bench.processes import account_process, wait_for

PAGES = (
    "/",
    "/spokes/pudo",
    "/spokes/pudo/features",
    "/spokes/pudo/graphs",
    "/spokes/pudo/models",
    "/spokes/pudo/predictions",
    "/spokes/pudo/alerts",
    "/operations",
    "/simulation",
    "/hub",
    "/api/v1/operations",
    "/api/v1/spokes/pudo/models/PUDO__CAPACITY_MODEL/versions",
    "/api/v1/spokes/pudo/predictions",
    "/api/v1/spokes/pudo/graphs/TRAINING_DAG/runs",
)
# The service remembers what the account answered for three seconds.
FORGOTTEN_SECONDS = 3.5


def main() -> int:
    os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
    line("Measured on", f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        measure_account(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        return measure_service(Path(folder))


def line(name: str, value: str) -> None:
    print(f"{name:<62}{value}", flush=True)


def milliseconds(samples: list[float]) -> str:
    ordered = sorted(samples)
    p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    return f"p50 {p50 * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms"


def measure_account(folder: Path) -> None:
    starts = []
    for i in range(3):
        begun = time.perf_counter()
        with account_process(folder / str(i)):
            starts.append(time.perf_counter() - begun)
    line("account: process start until it answers, median of 3", f"{statistics.median(starts):.2f} s")
    with (
        account_process(folder / "queries") as parameters,
        snowflake.connector.connect(**parameters) as connection,
    ):
        cursor = connection.cursor()
        samples = timed(lambda: cursor.execute("SELECT 1").fetchall(), 300)
        bare = duckdb.connect()
        raw = timed(lambda: bare.execute("SELECT 1").fetchall(), 300)
        ratio = statistics.median(samples) / statistics.median(raw)
        line(
            "account: SELECT 1 through the connector",
            f"{milliseconds(samples)}   ({ratio:.0f} × DuckDB in process)",
        )


def timed(action: Any, times: int) -> list[float]:
    samples = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        samples.append(time.perf_counter() - begun)
    return samples


def measure_service(folder: Path) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "spokehub"),
        "serve",
        "--port",
        str(port),
        "--data",
        str(folder),
    ]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(lambda: client.get("/healthz").status_code == 200, 60)
            line(
                "service: process start until the first page answers", f"{time.perf_counter() - begun:.2f} s"
            )
            state = follow_setup(client, begun)
            if state != "succeeded":
                line("example.setup", state)
                return 1
            for page in PAGES:
                client.get(page).raise_for_status()
            for page in PAGES:
                measure_page(client, page)
    finally:
        process.terminate()
        process.wait(60)
    return 0


def measure_page(client: httpx.Client, page: str) -> None:
    def get() -> None:
        client.get(page).raise_for_status()

    time.sleep(FORGOTTEN_SECONDS)
    (asked,) = timed(get, 1)
    line(page, f"{milliseconds(timed(get, 40))}   asking the account {asked * 1000:7.1f} ms")


def follow_setup(client: httpx.Client, begun: float) -> str:
    def setup() -> dict[str, Any]:
        items = client.get("/api/v1/operations", params={"kind": "example.setup"}).json()["items"]
        return dict(items[0]) if items else {"state": "missing"}

    wait_for(lambda: setup()["state"] in ("succeeded", "failed", "cancelled"), 600)
    found = setup()
    children = client.get("/api/v1/operations", params={"parent": found["id"], "limit": 100}).json()["items"]
    for child in sorted(children, key=lambda c: str(c["started_at"])):
        seconds = (
            datetime.fromisoformat(child["ended_at"]) - datetime.fromisoformat(child["started_at"])
        ).total_seconds()
        line(f"set-up: {child['kind']}", f"{seconds:6.2f} s")
    line("set-up: whole, from process start", f"{time.perf_counter() - begun:6.2f} s")
    return str(found["state"])


if __name__ == "__main__":
    sys.exit(main())
