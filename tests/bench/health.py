"""Pages and REST over a large history, from one client and from eight: `make bench-health RUNS=10_000_000`.

Each address is asked for in two ways. Plain: all clients want the same, as people who look at one page do. Varied:
each request is for another spoke, environment or filter, so that the response cache has few of them. The framework
alone is measured in the same run: what a machine is busy with besides is in both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from tests.bench.load import Ask, Load, in_a_process
from tests.bench.processes import free_port, wait_for

CLIENTS = (1, 8)
# Pages a second: somewhat more than the least that is wanted while rows are read.
RATE = 500.0
STATES = ("SUCCEEDED", "FAILED", "CANCELLED", "EXECUTING", "SKIPPED")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", default="1_000_000", help="task runs in the history")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--data", type=Path, help="a data directory that has a history already")
    given = parser.parse_args()
    machine()
    with tempfile.TemporaryDirectory() as folder:
        data = given.data or Path(folder)
        if given.data is None:
            generate(given.runs, data)
        header()
        with bare() as port:
            for address in ("/model", "/models", "/page"):
                measure(port, f"framework alone: {address}", [address], given.seconds)
        with service(data) as (port, asked, told):
            return measure_service(port, given.seconds, asked, told)


def machine() -> None:
    """What was measured on, and how busy that was before."""
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the beginning\n",
        flush=True,
    )


def generate(runs: str, data: Path) -> None:
    """A history of so many task runs; without the command that makes one, an empty one."""
    command = [str(Path(sys.executable).parent / "spokehub"), "history", "generate", "--runs", runs]
    begun = time.perf_counter()
    ran = subprocess.run([*command, "--data", str(data)], capture_output=True, text=True, check=False)
    if ran.returncode:
        print(f"No history was made; what follows is of an empty one. {ran.stderr.strip()[-200:]}")
    else:
        print(f"history of {runs} task runs: {time.perf_counter() - begun:.1f} s")


@contextmanager
def bare() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare", str(port)])
    try:
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/model").status_code == 200, 30)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def service(data: Path) -> Iterator[tuple[int, IO[str], IO[str]]]:
    """The service over this data, without the example; what tells it to read, and what it says of that."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.serving", "serve", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"SPOKEHUB_EXAMPLE": "none"},
    )
    try:
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200, 120)
        assert process.stdin is not None
        assert process.stdout is not None
        yield port, process.stdin, process.stdout
    finally:
        process.terminate()
        process.wait(60)


def measure_service(port: int, seconds: float, asked: IO[str], told: IO[str]) -> int:
    failed = 0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        # name → the addresses; the first is the one that all ask for.
        for name, addresses in subjects(client).items():
            found = usable(client, addresses)
            if not found:
                print(f"{name:<34} answers {client.get(addresses[0]).status_code}")
                continue
            measure(port, name, found[:1], seconds)
            if len(found) > 1:
                measure(port, f"{name}, varied ({len(found)})", found, seconds)
        failed += not while_reading(port, asked, told)
        print(f"\nmemory of the service: {pss(port):.0f} MB (PSS)")
    return failed


def subjects(client: httpx.Client) -> dict[str, list[str]]:
    """What is measured: each page and list, and its variants by spoke, environment and filter."""
    spokes = [item["name"] for item in client.get("/api/v1/spokes").json()["items"]]
    runs = client.get("/api/v1/graph-runs", params={"limit": 50}).json().get("items", [])
    graphs = list(dict.fromkeys((run["spoke"], run["graph"], run["environment"]) for run in runs))
    filters = [f"&spoke={spoke}&state={state}" for spoke in spokes for state in STATES]
    first = spokes[:1]
    found = {
        "JSON: latest 50 graph runs": ["/api/v1/graph-runs?limit=50"]
        + [f"/api/v1/graph-runs?limit=50{one}" for one in filters],
        "JSON: latest 50 task runs": ["/api/v1/task-runs?limit=50"]
        + [f"/api/v1/task-runs?limit=50{one}" for one in filters],
        "JSON: runs by day (chart)": ["/api/v1/graph-runs/daily"]
        + [f"/api/v1/graph-runs/daily?spoke={spoke}" for spoke in spokes],
        "JSON: operations": ["/api/v1/operations"],
        "overview": ["/"],
        "runs": ["/runs"] + [f"/runs?{one[1:]}" for one in filters],
        "failures": ["/failures"] + [f"/failures?spoke={spoke}" for spoke in spokes],
        "costs": ["/costs"] + [f"/costs?spoke={spoke}" for spoke in spokes],
        "operations": ["/operations"],
        "sync": ["/sync"],
        "hub": ["/hub"],
        "spoke": [f"/spokes/{spoke}" for spoke in spokes],
        "graph": [f"/spokes/{spoke}/graphs/{graph}?environment={where}" for spoke, graph, where in graphs],
        "run": [
            f"/spokes/{run['spoke']}/graphs/{run['graph']}/runs/{run['run_id']}?environment={run['environment']}"
            for run in runs
        ],
    }  # fmt: skip
    for part in ("features", "graphs", "models", "predictions"):
        found[f"spoke's {part}"] = [f"/spokes/{spoke}/{part}" for spoke in first]
    return {name: addresses for name, addresses in found.items() if addresses}


def usable(client: httpx.Client, addresses: Sequence[str]) -> list[str]:
    """Those that answer. Of many the first few are tried; all are of one form."""
    few = list(addresses[:3])
    good = [one for one in few if client.get(one, headers={"accept": "text/html"}).status_code == 200]
    return list(addresses) if good == few else good


def header() -> None:
    print(
        f"{'':<34}{'clients':>8}{'requests/s':>12}{'p50 ms':>9}{'p95 ms':>9}{'first byte':>12}{'bytes':>9}{'failed':>8}"
    )


def measure(port: int, name: str, addresses: Sequence[Ask], seconds: float) -> list[Load]:
    """A row for each number of clients."""
    loads = []
    for clients in CLIENTS:
        loads.append(in_a_process(port, addresses, clients, seconds))
        report(name, clients, loads[-1])
    return loads


def report(name: str, clients: int, load: Load) -> None:
    digits = 0 if load.per_second >= 100 else 1
    print(
        f"{name:<34}{clients:>8}{load.per_second:>12,.{digits}f}{load.p50:>9.2f}{load.p95:>9.2f}"
        f"{load.first_byte:>12.2f}{load.size:>9,}{load.failed:>8}",
        flush=True,
    )


def while_reading(port: int, asked: IO[str], told: IO[str]) -> bool:
    """100,000 new rows are read while eight clients want pages: as many as they can get, then as many as are wanted."""
    pages = ["/", "/runs", "/failures", "/api/v1/graph-runs?limit=50"]
    whole = True
    for rate, name in (
        (None, "pages while rows are read"),
        (RATE, f"{RATE:.0f} pages/s while rows are read"),
    ):
        loads: list[Load] = []
        driving = threading.Thread(
            target=lambda rate=rate, loads=loads: loads.append(in_a_process(port, pages, 8, 15.0, rate))
        )
        driving.start()
        time.sleep(3)
        asked.write("read\n")
        asked.flush()
        found: dict[str, Any] = {}
        for line in told:
            if line.startswith("{"):
                found = json.loads(line)
                break
        driving.join()
        report(name, 8, loads[0])
        print(f"reading {found.get('rows', 0):,} rows, {found.get('new', 0):,} new: {found.get('seconds')} s")
        whole = whole and bool(found)
    return whole


def pss(port: int) -> float:
    """MB of the process that listens on ``port``."""
    mark = f"\0--port\0{port}\0".encode()
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            if mark in (process / "cmdline").read_bytes():
                rollup = (process / "smaps_rollup").read_text()
                return int(rollup.partition("Pss:")[2].split()[0]) / 1024
        except OSError:
            continue
    return float("nan")


if __name__ == "__main__":
    sys.exit(main())
