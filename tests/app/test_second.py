"""A second process on the same data answers beside the first, has that one work, and takes over when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
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
    end = time.monotonic() + 90
    operation: dict[str, Any] = {}
    while not operation:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                operation = json.load(answer)
        except urllib.error.HTTPError as error:
            # For the moment in which it stops working.
            if error.code != 503 or time.monotonic() > end:
                raise
            time.sleep(0.1)
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


def test_a_process_that_was_held_up_works_again_once_the_other_one_ends(
    launch: Launch, tmp_path: Path
) -> None:
    """Each has its own history and account, and both one catalogue: the lease in it says who works."""
    common = {
        "SPOKEHUB_DATABASE_URL": f"sqlite:///{tmp_path / 'catalogue.sqlite'}",
        "SPOKEHUB_OPERATIONS_URL": f"sqlite:///{tmp_path / 'operations.sqlite'}",
    }
    port, other = free_port(), free_port()
    first = launch("serve", "--port", str(port), **common)
    await_ready(first, port)
    assert apply_hub(port)["state"] == "succeeded"
    second = launch("serve", "--port", str(other), "--data", str(tmp_path / "beside"), **common)
    await_ready(second, other)
    os.kill(first.pid, signal.SIGSTOP)
    # The second takes the lease when it ends, and works.
    operation = apply_hub(other)
    assert (operation["state"], operation["steps"][0]["state"]) == ("succeeded", "succeeded")
    os.kill(first.pid, signal.SIGCONT)
    # What is submitted to the first now is worked on by the second.
    assert apply_hub(port)["state"] == "succeeded"
    assert get(port, "/api/v1/graph-runs")[0] == 200
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert apply_hub(port)["state"] == "succeeded"
    assert get(port, "/api/v1/graph-runs")[0] == 200
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
