"""Processes that the measurements start and end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx


@contextmanager
def account_process(data: Path) -> Iterator[dict[str, Any]]:
    """An embedded account; the connector's parameters."""
    ready = data.with_suffix(".ready")
    command = [sys.executable, "-m", "embedded_account", "--data", str(data), "--port", "0"]
    process = subprocess.Popen([*command, "--ready-file", str(ready), "--parent-pid", str(os.getpid())])
    try:
        wait_for(ready.exists, 60, pause=0.005)
        found = json.loads(ready.read_text())
        keys = ("account", "user", "password", "host", "port")
        yield {key: found[key] for key in keys} | {"protocol": "http"}
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port of the loopback that nobody listened on a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(pause)
    raise TimeoutError(f"not within {seconds} s")
