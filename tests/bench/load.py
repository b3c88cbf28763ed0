"""Drives a service over raw sockets, many times faster than it answers; runs as a process of its own.

    python -m tests.bench.load PORT CLIENTS SECONDS [RATE] < ADDRESSES

``ADDRESSES`` is a list in JSON; each client asks for the next one in turn. What is an address alone is got; a pair of
an address and a body, which is JSON as text, is posted. Without a RATE, of requests a second by all clients together, a
client asks again at once. Prints a ``Load`` as JSON.
"""

from __future__ import annotations

import heapq
import json
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

Ask = str | tuple[str, str] | list[str]

_REQUEST = (
    "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: text/html,application/json\r\n"
    "Accept-Encoding: gzip\r\n{}\r\n{}"
)


def request(port: int, ask: Ask) -> bytes:
    """What is sent for an address, or for an address and a body."""
    if isinstance(ask, str):
        return _REQUEST.format("GET", ask, port, "", "").encode()
    address, body = ask
    head = f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return _REQUEST.format("POST", address, port, head, body).encode()


@dataclass(frozen=True)
class Load:
    """What a service did: times in milliseconds, sizes in bytes as they were sent."""

    requests: int
    per_second: float
    p50: float
    p95: float
    first_byte: float
    size: int
    failed: int


class _Client:
    """One connection with one request under way."""

    def __init__(self, port: int, requests: Sequence[bytes], first: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._next = first
        self._buffer = bytearray()
        self._missing = -1
        self._began = self._first = 0.0
        self.size = 0
        self.ok = True

    def ask(self) -> None:
        self._buffer.clear()
        self._missing = -1
        self._first = 0.0
        sent = self._requests[self._next % len(self._requests)]
        self._next += 1
        self._began = time.perf_counter()
        self.socket.sendall(sent)

    def hear(self) -> tuple[float, float] | None:
        """(whole, first byte) in milliseconds once the answer is there."""
        part = self.socket.recv(262_144)
        now = time.perf_counter()
        if not part:
            raise ConnectionError("the service closed the connection")
        self._first = self._first or now
        if self._missing < 0:
            self._buffer += part
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = bytes(self._buffer[:end]).lower()
            _, known, rest = head.partition(b"\r\ncontent-length:")
            self.ok = head[9:12] in (b"200", b"304")
            self.size = len(self._buffer)
            if known:
                self._missing = int(rest.partition(b"\r\n")[0]) - (len(self._buffer) - end - 4)
            elif head[9:12] in (b"204", b"304"):
                self._missing = 0
            else:
                # Where it ends is not known, so it would be counted before it is whole.
                raise ValueError("an answer without a Content-Length cannot be measured")
        else:
            self.size += len(part)
            self._missing -= len(part)
        if self._missing > 0:
            return None
        return (now - self._began) * 1000, (self._first - self._began) * 1000


def drive(
    port: int, addresses: Sequence[Ask], clients: int, seconds: float, rate: float | None = None
) -> Load:
    """Ask for ``addresses`` in turn from ``clients`` connections for so long.

    ``rate``: so many requests a second in all, each client's at equal distances; one that has waited too long for its
    answer asks at once.
    """
    requests = [request(port, ask) for ask in addresses]
    # Each begins elsewhere, so that those who ask at once ask for different ones.
    drivers = [_Client(port, requests, at * len(requests) // clients) for at in range(clients)]
    selector = selectors.DefaultSelector()
    whole: list[float] = []
    first: list[float] = []
    size = failed = 0
    began = time.perf_counter()
    end = began + seconds
    pause = clients / rate if rate else 0.0
    due = [began + at * pause / clients for at in range(clients)]
    # When a client asks again, and which.
    waiting = [(moment, at) for at, moment in enumerate(due)]
    for at, driver in enumerate(drivers):
        selector.register(driver.socket, selectors.EVENT_READ, at)
    while (now := time.perf_counter()) < end:
        while waiting and waiting[0][0] <= now:
            drivers[heapq.heappop(waiting)[1]].ask()
        for key, _ in selector.select(min(end, waiting[0][0] if waiting else end) - now):
            driver = drivers[at := key.data]
            answered = driver.hear()
            if answered is None:
                continue
            whole.append(answered[0])
            first.append(answered[1])
            size += driver.size
            failed += not driver.ok
            if rate:
                due[at] = max(due[at] + pause, time.perf_counter())
                heapq.heappush(waiting, (due[at], at))
            else:
                driver.ask()
    took = time.perf_counter() - began
    for driver in drivers:
        driver.socket.close()
    if not whole:
        return Load(0, 0.0, float("inf"), float("inf"), float("inf"), 0, 0)
    ordered = sorted(whole)
    return Load(
        len(whole), round(len(whole) / took, 1), round(statistics.median(ordered), 2),
        round(ordered[int(len(ordered) * 0.95)], 2), round(statistics.median(first), 2),
        size // len(whole), failed,
    )  # fmt: skip


def in_a_process(
    port: int, addresses: Sequence[Ask], clients: int, seconds: float, rate: float | None = None
) -> Load:
    """``drive`` in a process of its own, so that nothing here takes its time."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), str(clients), str(seconds)]
    command += [] if rate is None else [str(rate)]
    ran = subprocess.run(
        command, input=json.dumps(list(addresses)), capture_output=True, text=True, check=True
    )
    return Load(**json.loads(ran.stdout))


if __name__ == "__main__":
    told = drive(
        int(sys.argv[1]),
        json.load(sys.stdin),
        int(sys.argv[2]),
        float(sys.argv[3]),
        *map(float, sys.argv[4:]),
    )
    print(json.dumps(asdict(told)))
