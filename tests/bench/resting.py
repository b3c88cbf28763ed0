"""What the service costs while nobody uses it: its cold start, its processors at rest, its memory.

Alone: `python -m tests.bench.resting`. Wall clock says little on a machine that others use, too, so the processor time
of the service's own process stands beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.processes import free_port, wait_for

_HZ = os.sysconf("SC_CLK_TCK")
STARTS = 3
IDLE_SECONDS = 60
# Workers that keep a model, and what was begun by the start, have ended by then.
SETTLED_SECONDS = 75


@dataclass(frozen=True)
class Process:
    pid: int

    @property
    def name(self) -> str:
        """The part that it is."""
        command = _read(f"/proc/{self.pid}/cmdline").split("\0")
        if "embedded_account" in command:
            return "account"
        if "spoke_kit.warm" in command:
            return "clients"
        return "compute" if any("forkserver" in part for part in command) else "service"

    @property
    def seconds(self) -> float:
        """Processor time, in user and kernel mode."""
        fields = _read(f"/proc/{self.pid}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _HZ if fields else 0.0

    @property
    def pss(self) -> float:
        """MB, shared pages divided among those who share them."""
        for row in _read(f"/proc/{self.pid}/smaps_rollup").splitlines():
            if row.startswith("Pss:"):
                return int(row.split()[1]) / 1024
        return 0.0

    def family(self) -> list[Process]:
        """This process and all below it."""
        found = [self]
        for parent in found:
            with suppress(FileNotFoundError):
                for task in Path(f"/proc/{parent.pid}/task").iterdir():
                    found += [Process(int(pid)) for pid in _read(str(task / "children")).split()]
        return found


def _read(path: str) -> str:
    """Nothing of a process that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(path).read_text()
    return ""


def line(name: str, value: str) -> None:
    print(f"{name:<62}{value}", flush=True)


@contextmanager
def service(data: Path, example: str) -> Iterator[tuple[Process, httpx.Client, float]]:
    """`spokehub serve`: its process, a client, and when it was started."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "spokehub"),
        "serve",
        "--port",
        str(port),
        "--data",
        str(data),
    ]
    environment = {**os.environ, "SPOKEHUB_EXAMPLE": example}
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield Process(process.pid), client, begun
    finally:
        process.terminate()
        process.wait(60)


def measure_start(data: Path, name: str) -> None:
    """To the first page and until all is ready."""
    with service(data, "none") as (process, client, begun):
        wait_for(lambda: client.get("/").status_code == 200, 60, pause=0.01)
        page, used = time.perf_counter() - begun, process.seconds
        wait_for(lambda: client.get("/readyz").status_code == 200, 60, pause=0.02)
        ready = time.perf_counter() - begun
    line(
        f"cold start, {name}",
        f"first page {page:5.2f} s (service's processor {used:4.2f} s), ready {ready:5.2f} s",
    )


def measure_idle(process: Process, name: str) -> None:
    """Processor time by process over a minute in which nobody asks for anything."""
    before = {one: one.seconds for one in process.family()}
    time.sleep(IDLE_SECONDS)
    parts = {one: 100 * (one.seconds - before.get(one, 0.0)) / IDLE_SECONDS for one in process.family()}
    told = ", ".join(f"{one.name} {value:.2f} %" for one, value in parts.items())
    line(f"idle for {IDLE_SECONDS} s, {name}", f"{sum(parts.values()):5.2f} % of a core ({told})")


def measure_memory(process: Process, name: str) -> None:
    """PSS by process."""
    parts = {one: one.pss for one in process.family()}
    told = ", ".join(f"{one.name} {value:.0f}" for one, value in parts.items())
    line(f"memory, {name}", f"{sum(parts.values()):5.0f} MB PSS ({told})")


def measure(folder: Path) -> bool:
    """All of it, with data under ``folder``; whether the set-up succeeded."""
    for at in range(STARTS):
        measure_start(folder / f"empty{at}", "empty folder")
    for _ in range(STARTS):
        measure_start(folder / "empty0", "existing folder")
    with service(folder / "example", "") as (process, client, begun):
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        measure_memory(process, "after the start")

        def state() -> str:
            found = client.get("/api/v1/operations", params={"kind": "example.setup"}).json()["items"]
            return str(found[0]["state"]) if found else "missing"

        wait_for(lambda: state() in ("succeeded", "failed", "cancelled"), 900, pause=0.5)
        line("set-up: whole, from process start", f"{time.perf_counter() - begun:6.2f} s, {state()}")
        measure_memory(process, "after the set-up")
        time.sleep(SETTLED_SECONDS)
        measure_memory(process, f"{SETTLED_SECONDS} s later")
        measure_idle(process, "after the set-up")
        return state() == "succeeded"


def main() -> int:
    line(
        "Measured on",
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}",
    )
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
