"""The command as a person runs it: real processes, real signals, the embedded account."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli, main
from services.core.hub import load_declaration
from services.snowflake.rights import as_sql, bootstrap

ROOT = Path(__file__).resolve().parents[2]
Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start the command in a process group of its own, with its data in the test's folder."""
    started: list[subprocess.Popen[str]] = []

    def _launch(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        data = () if "--data" in arguments else ("--data", str(tmp_path / "var"))
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments, *data],
            cwd=ROOT, env={**os.environ, "SPOKEHUB_EXAMPLE": "none", **environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield _launch
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def get(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def await_ready(process: "subprocess.Popen[str]", port: int) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            if get(port, "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("it was never ready")


def account_pid(tmp_path: Path) -> int:
    pid: int = json.loads((tmp_path / "var" / "account.ready.json").read_text())["pid"]
    return pid


def ended(pid: int) -> bool:
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


def test_serve_starts_and_ends_with_its_account(launch: Launch, tmp_path: Path) -> None:
    port = free_port()
    process = launch("serve", "--port", str(port))
    assert process.stdout is not None
    assert process.stdout.readline() == f"Spokehub is starting on http://127.0.0.1:{port}\n"
    await_ready(process, port)
    assert get(port, "/api/v1/operations") == (200, {"items": [], "next_cursor": None})
    child = account_pid(tmp_path)

    alone = launch("account")
    output, errors = alone.communicate(timeout=60)
    assert (alone.returncode, output) == (1, "")
    assert f"is already open by process {process.pid} (`spokehub serve`" in errors

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert ended(child)


def test_serve_comes_back_after_a_kill(launch: Launch, tmp_path: Path) -> None:
    port = free_port()
    process = launch("serve", "--port", str(port))
    await_ready(process, port)
    first = account_pid(tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = launch("serve", "--port", str(port))
    await_ready(again, port)
    assert account_pid(tmp_path) != first
    assert ended(first)
    again.send_signal(signal.SIGINT)
    assert again.wait(60) == 0


def test_a_taken_port_is_named(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("serve", "account"):
            process = launch(command, "--port", str(port))
            output, errors = process.communicate(timeout=60)
            assert (process.returncode, output) == (1, "")
            assert f"Cannot listen on 127.0.0.1:{port}" in errors
            assert "--port" in errors


def test_listening_to_others_needs_a_token(launch: Launch) -> None:
    process = launch("serve", "--host", "0.0.0.0", "--port", "0")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "SPOKEHUB_ADMIN_TOKEN" in errors


def test_a_setting_that_cannot_be_used_is_named(launch: Launch) -> None:
    process = launch("serve", SPOKEHUB_PORT="x")
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (1, False)
    assert "SPOKEHUB_PORT" in errors


def test_account_prints_a_connection_that_works(launch: Launch, tmp_path: Path) -> None:
    process = launch("account", "--port", str(free_port()))
    assert process.stdout is not None
    text = ""
    while "Ctrl-C" not in text:
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    found = re.search(r"^\[embedded\]\n.*?\n\n", text, re.S | re.M)
    assert found
    told = tomllib.loads(found[0])["embedded"]
    code = text.split("In Python:\n\n")[1].split("\n\n")[0]
    program = (
        code
        + "\nprint(connection.cursor().execute('SELECT 42, CURRENT_WAREHOUSE() FROM VALUES (1)').fetchone())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    # As in a trial account, a session begins on a warehouse.
    assert ran.stdout == "(42, 'COMPUTE_WH')\n", ran.stderr
    assert str(told["port"]) in code
    child = account_pid(tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert ended(child)


def test_bootstrap_prints_what_an_administrator_grants_once() -> None:
    hub = load_declaration()
    runner = CliRunner()
    told = runner.invoke(cli, ["bootstrap", "--print", "--user", "anna", "--warehouse", '"Big"'])
    assert told.exit_code == 0
    assert told.stdout == (
        as_sql(bootstrap(hub, "ANNA", "Big")) + "-- And name Big as the warehouse in hub.yaml.\n"
    )
    assert 'ON WAREHOUSE "Big"' in told.stdout
    assert runner.invoke(cli, ["bootstrap", "--print"]).stdout == as_sql(bootstrap(hub))
    assert runner.invoke(cli, ["bootstrap"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["packages", "nope"], "There is no spoke 'nope'.\nKnown: delivery, pudo.\n"),
        (
            ["packages", "--environment", "XX"],
            "unknown environment 'XX'.\nUse one of DEV, STAGING, PROD.\n",
        ),
        (["verify", "--connection", "nowhere"], "Invalid connection_name 'nowhere'"),
    ],
)
def test_what_a_person_mistook_is_said_before_all_else(
    arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["spokehub", *arguments])
    with pytest.raises(SystemExit) as ending:
        main()
    out, err = capsys.readouterr()
    assert (ending.value.code, out) == (1, "")
    assert err.startswith(told)
