"""Spokehub as a user starts it: one command, the embedded account, the example. Killed once on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import snowflake.connector

os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
SETUP_SECONDS = 600


@dataclass
class Spokehub:
    """A `spokehub serve` in a process group of its own, over one data folder."""

    data: Path
    process: subprocess.Popen[str] | None = None
    client: httpx.Client = field(default_factory=httpx.Client)

    def start(self) -> None:
        command = [
            str(Path(sys.executable).parent / "spokehub"),
            "serve",
            "--port",
            "0",
            "--data",
            str(self.data),
        ]
        log = (self.data.parent / "spokehub.log").open("a")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        address = ""
        for line in self.process.stdout:
            if found := re.search(r"http://\S+", line):
                address = found.group()
                break
        assert address, (self.data.parent / "spokehub.log").read_text()
        self.client = httpx.Client(base_url=address, timeout=60)
        self.wait(lambda: self.client.get("/healthz").status_code == 200, 60)

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError((self.data.parent / "spokehub.log").read_text()[-4000:])

    def get(self, path: str, **params: str) -> Any:
        response = self.client.get(f"/api/v1{path}", params=params)
        response.raise_for_status()
        return response.json()

    def operations(self, **params: str) -> list[dict[str, Any]]:
        return list(self.get("/operations", limit="200", **params)["items"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows from the embedded account, by a connection of the test's own."""
        found = json.loads((self.data / "account.ready.json").read_text())
        keys = ("account", "user", "password", "host", "port")
        parameters = {key: found[key] for key in keys} | {"protocol": "http"}
        with snowflake.connector.connect(**parameters, warehouse="SPOKEHUB_WH") as connection:
            return list(connection.cursor().execute(sql).fetchall())


@pytest.fixture(scope="session")
def spokehub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spokehub]:
    """Spokehub with its example set up, after `kill -9` of everything while the model was in training."""
    running = Spokehub(tmp_path_factory.mktemp("spokehub") / "data")
    running.start()
    running.wait(
        lambda: any(o["state"] == "running" for o in running.operations(kind="training.run")), SETUP_SECONDS
    )
    running.kill()
    running.start()
    final = ("succeeded", "failed", "cancelled")
    running.wait(lambda: running.operations(kind="example.setup")[0]["state"] in final, SETUP_SECONDS)
    yield running
    running.stop()
