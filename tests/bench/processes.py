"""Processes that the measurements start and end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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


@contextmanager
def server(
    command: Sequence[str], url: str, env: Mapping[str, str], folder: Path, seconds: float = 120
) -> Iterator[int]:
    """A server that answers at ``url``, with all that it starts; its process id.

    It writes to ``server.log`` in ``folder``, where it also works. RuntimeError with the end of that when it does not
    answer in time.
    """
    told = folder / "server.log"
    with told.open("wb") as log:
        # A group of its own, so that what it starts can be ended with it.
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=env, cwd=folder, start_new_session=True
        )
    try:
        wait_for(lambda: _ended(process) or httpx.get(url, timeout=10).is_success, seconds)
        if _ended(process):
            raise RuntimeError(f"{command[0]} ended: {told.read_text(errors='replace')[-2000:]}")
        yield process.pid
    except TimeoutError:
        raise RuntimeError(f"{url} does not answer: {told.read_text(errors='replace')[-2000:]}") from None
    finally:
        _end(process)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended. It is not reaped, so that its number stays its own until its group is ended."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _end(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    os.kill(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        wait_for(lambda: _ended(process), seconds)
    # Itself, if it does not hear, and what it has left.
    os.killpg(process.pid, signal.SIGKILL)
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
