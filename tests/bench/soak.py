"""Twenty users for half an hour: pages, REST, live streams and operations at once. `make soak MINUTES=30`.

The example is set up first. Then it tells what failed, how long each kind of request took, and how the memory of each
process went; the last line is the verdict. 409 is an answer: two users may want the same.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.bench.processes import wait_for
from tests.bench.resting import Process, service

PAGES, REST, STREAMS, OPERATIONS = 10, 5, 3, 2
WARM = 0.25
GROWTH = 0.10
SAMPLE_SECONDS = 10.0


class Tally:
    """What all users met, by kind of request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self.faults: Counter[str] = Counter()

    def took(self, kind: str, seconds: float) -> None:
        with self._lock:
            self.seconds[kind].append(seconds)

    def fault(self, what: str) -> None:
        with self._lock:
            self.faults[what] += 1

    def request(self, client: httpx.Client, kind: str, method: str, address: str, **more: Any) -> Any:
        """The response; None and a fault noted when there was none or it was one."""
        begun = time.perf_counter()
        try:
            response = client.request(method, address, **more)
        except httpx.HTTPError as error:
            self.fault(f"{method} {address}: {type(error).__name__}")
            return None
        self.took(kind, time.perf_counter() - begun)
        if response.status_code >= 400 and response.status_code != 409:
            self.fault(f"{method} {address}: {response.status_code} {response.text[:160]!r}")
            return None
        return response


class Users:
    """Each works in a thread of its own, with pauses as people make them, until ``ended``."""

    def __init__(self, url: str, tally: Tally, ended: threading.Event) -> None:
        self._url = url
        self._tally = tally
        self._ended = ended
        with httpx.Client(base_url=url, timeout=60) as client:
            spokes = [item["name"] for item in client.get("/api/v1/spokes").json()["items"]]
            runs = client.get("/api/v1/graph-runs?limit=50").json()["items"]
        own = [f"/spokes/{spoke}" for spoke in spokes]
        parts = ("features", "graphs", "models", "predictions", "alerts")
        self._pages = [
            "/",
            "/runs",
            "/failures",
            "/costs",
            "/operations",
            "/simulation",
            "/hub",
            "/sync",
            *own,
        ]
        self._pages += [f"{spoke}/{part}" for spoke in own for part in parts]
        self._pages += [
            f"/spokes/{run['spoke']}/graphs/{run['graph']}/runs/{run['run_id']}?environment={run['environment']}"
            for run in runs[:10]
        ]
        lists = (
            "operations",
            "spokes",
            "graph-runs",
            "task-runs",
            "failures",
            "costs",
            "simulation",
            "hub",
            "sync",
        )
        self._lists = [f"/api/v1/{name}" for name in lists]
        self._lists += [f"/api/v1/spokes/{spoke}/predictions" for spoke in spokes]

    def start(self) -> list[threading.Thread]:
        kinds: list[tuple[Callable[[httpx.Client], None], int]] = [
            (self._look, PAGES), (self._ask, REST), (self._follow, STREAMS), (self._work, OPERATIONS)
        ]  # fmt: skip
        threads = [
            threading.Thread(target=self._live, args=(action,))
            for action, number in kinds
            for _ in range(number)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _live(self, action: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=self._url, timeout=120) as client:
            while not self._ended.wait(random.uniform(0.1, 1.0)):
                action(client)

    def _look(self, client: httpx.Client) -> None:
        self._tally.request(
            client, "page", "GET", random.choice(self._pages), headers={"accept": "text/html"}
        )

    def _ask(self, client: httpx.Client) -> None:
        self._tally.request(client, "REST", "GET", random.choice(self._lists))

    def _follow(self, client: httpx.Client) -> None:
        """The newest operation, as it happens, for a while at most."""
        found = self._tally.request(client, "REST", "GET", "/api/v1/operations?limit=1")
        items = found.json()["items"] if found else []
        if not items:
            return
        begun = time.perf_counter()
        try:
            with client.stream("GET", items[0]["links"]["events"]) as events:
                for number, line in enumerate(events.iter_lines()):
                    if number == 0:
                        self._tally.took("stream's first event", time.perf_counter() - begun)
                    if (
                        line.startswith("event: end")
                        or self._ended.is_set()
                        or time.perf_counter() - begun > 60
                    ):
                        break
        except httpx.HTTPError as error:
            self._tally.fault(f"stream: {type(error).__name__}")

    def _work(self, client: httpx.Client) -> None:
        """A step of the simulation or a reading of the account, followed to its end."""
        address = random.choice(("/api/v1/simulation/next", "/api/v1/simulation/next", "/api/v1/sync"))
        started = self._tally.request(client, "start", "POST", address)
        if started is None or started.status_code != 202:
            return
        begun = time.perf_counter()
        link = started.json()["links"]["self"]
        while not self._ended.wait(1.0):
            found = self._tally.request(client, "REST", "GET", link)
            state = found.json()["state"] if found else "unknown"
            if state in ("failed", "cancelled"):
                self._tally.fault(f"{found.json()['kind']}: {state} {found.json()['error']}")
            if state in ("succeeded", "failed", "cancelled"):
                self._tally.took(f"operation {found.json()['kind']}", time.perf_counter() - begun)
                return


def sample(process: Process) -> dict[str, float]:
    """MB by part of the service; the workers of one kind together, which come and go."""
    found: defaultdict[str, float] = defaultdict(float)
    for one in process.family():
        try:
            found[one.name] += one.pss
        except OSError:
            continue
    return dict(found) | {"together": sum(found.values())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    tally, ended = Tally(), threading.Event()
    with tempfile.TemporaryDirectory() as folder, service(Path(folder), "") as (process, client, _):
        set_up(client)
        threads = Users(str(client.base_url), tally, ended).start()
        samples: list[dict[str, float]] = []
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            time.sleep(min(SAMPLE_SECONDS, minutes * 6))
            samples.append(sample(process))
        ended.set()
        for thread in threads:
            thread.join(150)
    return verdict(tally, samples)


def set_up(client: httpx.Client) -> None:
    def state() -> str:
        found = client.get("/api/v1/operations", params={"kind": "example.setup"}).json()["items"]
        return str(found[0]["state"]) if found else "missing"

    wait_for(lambda: client.get("/readyz").status_code == 200, 120)
    wait_for(lambda: state() in ("succeeded", "failed", "cancelled"), 1200, pause=0.5)
    print(f"set-up: {state()}", flush=True)


def verdict(tally: Tally, samples: list[dict[str, float]]) -> int:
    """Print all that was met; 0 when nothing failed and memory stayed flat."""
    for kind, taken in sorted(tally.seconds.items()):
        ordered = sorted(taken)
        p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
        print(f"{kind:<32}{len(ordered):>8} p50 {p50 * 1000:>9.1f} ms  p95 {p95 * 1000:>9.1f} ms")
    for what, number in tally.faults.most_common():
        print(f"failed {number:>5} × {what}")
    warm = samples[int(len(samples) * WARM) :]
    part = max(1, len(warm) // 4)
    flat = True
    for name in sorted({name for one in warm for name in one}):
        course = [one.get(name, 0.0) for one in warm]
        early, late = statistics.median(course[:part]), statistics.median(course[-part:])
        growth = (late - early) / early if early else 0.0
        # Workers hold what they were asked for last; whether the whole grows is what counts.
        if name != "compute":
            flat = flat and growth <= GROWTH
        print(
            f"memory of {name:<12} {early:>7.0f} → {late:>7.0f} MB PSS ({growth:+.1%}), most {max(course):.0f}"
        )
    failed = sum(tally.faults.values())
    asked = sum(len(taken) for taken in tally.seconds.values())
    print(f"{asked:,} requests, {failed} failed, memory {'flat' if flat else 'grew'} within {GROWTH:.0%}")
    return int(failed > 0 or not flat)


if __name__ == "__main__":
    sys.exit(main())
