"""A second process on the same data answers beside the first, has that one work, and takes over when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_cli import Launch, account_pid, await_ready, ended, free_port, get, launch

__all__ = ["launch"]


def apply_hub(port: int) -> dict[str, Any]:
    """Submitted there; as it is when it is over."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/hub/apply", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        operation: dict[str, Any] = json.load(answer)
    end = time.monotonic() + 90
    while operation["state"] in ("pending", "running"):
        assert time.monotonic() < end, operation
        time.sleep(0.1)
        operation = get(port, f"/api/v1/operations/{operation['id']}")[1]
    return operation


def beside(launch: Launch, first: subprocess.Popen[str]) -> tuple[subprocess.Popen[str], int]:
    port = free_port()
    second = launch("serve", "--port", str(port))
    assert second.stdout is not None
    assert f"is already open by process {first.pid} (`spokehub serve`" in second.stdout.readline()
    await_ready(second, port)
    return second, port


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_second_process_answers_and_takes_over(launch: Launch, tmp_path: Path, end: signal.Signals) -> None:
    port = free_port()
    first = launch("serve", "--port", str(port))
    await_ready(first, port)
    account = account_pid(tmp_path)
    second, other = beside(launch, first)
    assert account_pid(tmp_path) == account
    operation = apply_hub(other)
    assert operation["state"] == "succeeded"
    assert get(port, f"/api/v1/operations/{operation['id']}")[1]["state"] == "succeeded"
    assert get(other, "/api/v1/graph-runs")[0] == 200

    os.kill(first.pid, end)
    first.wait(60)
    assert ended(account)
    until = time.monotonic() + 60
    while not (tmp_path / "var" / "account.ready.json").exists() or account_pid(tmp_path) == account:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert apply_hub(other)["state"] == "succeeded"
    third, last = beside(launch, second)
    assert get(last, "/api/v1/graph-runs")[0] == 200
    for process in (third, second):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
