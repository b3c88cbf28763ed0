"""One folder, two commands: the second says who has it, and the first lives."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from embedded_account.ownership import Claim, Process, holder
from services.core.settings import AccountSettings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import AlreadyOpen, EmbeddedAccount

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("serve", "account")
Launch = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    started: list[subprocess.Popen[str]] = []

    def _launch(command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", command, "--port", "0", "--data", str(tmp_path / "var")],
            cwd=ROOT, env={**os.environ, "SPOKEHUB_EXAMPLE": "none"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield _launch
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 90
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


def child(data: Path, other_than: int = 0) -> dict[str, Any]:
    """The connection of the account that runs now."""

    def read() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((data / "account.ready.json").read_text())
        except OSError:
            return None
        return found if found["pid"] != other_than and Process.of(found["pid"]) else None

    found: dict[str, Any] = until(read)
    return found


def answers(data: Path, other_than: int = 0) -> int:
    """The process of the account, which has answered a query."""
    found = child(data, other_than)
    names = ("account", "user", "password", "host", "port")
    with snowflake.connector.connect(
        **{name: found[name] for name in names}, protocol="http", platform_detection_timeout_seconds=0
    ) as connection:
        assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]
    pid: int = found["pid"]
    return pid


def assert_refused(second: "subprocess.Popen[str]", first: "subprocess.Popen[str]", command: str) -> None:
    output, errors = second.communicate(timeout=60)
    assert (second.returncode, output) == (1, "")
    assert f" is already open by process {first.pid} (`spokehub {command}`, since 2" in errors
    assert "choose another folder: SPOKEHUB_DATA=" in errors


@pytest.mark.parametrize(("command", "successor"), [("serve", "account"), ("account", "serve")])
def test_the_second_is_refused_and_the_first_lives(
    launch: Launch, tmp_path: Path, command: str, successor: str
) -> None:
    data = tmp_path / "var"
    first = launch(command)
    before = answers(data)
    # A second `serve` joins the first one: tests/app/test_second.py.
    others = [other for other in COMMANDS if (command, other) != ("serve", "serve")]
    for other in others:
        assert_refused(launch(other), first, command)
    assert answers(data) == before

    # While the account starts again the folder is still the first one's.
    os.kill(before, signal.SIGKILL)
    for second in [launch(other) for other in others]:
        assert_refused(second, first, command)
    again = answers(data, other_than=before)
    assert first.poll() is None

    first.kill()
    first.wait()
    launch(successor)
    assert answers(data, other_than=again) not in (before, again)
    assert Process.of(again) is None


HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
print("waiting", flush=True)
fcntl.flock(file, fcntl.LOCK_EX)
print("holding", flush=True)
time.sleep(600)
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe at once that who holds a lock did not say so."""
    monkeypatch.setattr("embedded_account.ownership._RECORD_SECONDS", 0.2)


@pytest.fixture
def hold() -> Iterator[Callable[[Path], "subprocess.Popen[str]"]]:
    """Starts a stranger that waits for a lock and then holds it, saying so in two lines."""
    started: list[subprocess.Popen[str]] = []

    def _hold(path: Path) -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield _hold
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("impatient")
def test_a_stranger_with_the_lock_is_never_signalled(
    tmp_path: Path, hold: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    lock = tmp_path / "account" / "lock"
    # The record of an account that is gone, whose number and whose parent's number others have now.
    gone, parent = Process(os.getpid(), "long ago"), Process(os.getppid(), "long ago")
    Claim(lock, "embedded_account", parent).release()
    record = json.loads(lock.read_text())
    lock.write_text(json.dumps({**record, "process": {"pid": gone.pid, "started": gone.started}}))
    stranger = hold(lock)
    assert stranger.stdout is not None
    assert [stranger.stdout.readline() for _ in range(2)][1] == "holding\n"
    account = EmbeddedAccount(tmp_path / "account", tmp_path / "logs")
    with pytest.raises(AlreadyOpen, match="already open by another process"):
        account.start()
    assert stranger.poll() is None
    # What was refused holds nothing.
    Claim(tmp_path / "account.lock", "spokehub account").release()


def test_an_account_whose_parent_lives_is_nobodys_leftover(tmp_path: Path) -> None:
    data = tmp_path / "account"
    command = [sys.executable, "-m", "embedded_account", "--data", str(data), "--port", "0"]
    with subprocess.Popen([*command, "--parent-pid", str(os.getpid())]) as other:
        owner = until(lambda: holder(data / "lock"))
        assert (owner.process.pid, owner.orphaned) == (other.pid, False)
        assert owner.parent == Process.of(os.getpid())
        account = EmbeddedAccount(data, tmp_path / "logs")
        with pytest.raises(AlreadyOpen, match=rf"process {other.pid} \(`embedded_account`"):
            account.start()
        third = subprocess.run(command, capture_output=True, text=True)
        assert (third.returncode, "already open by process" in third.stderr) == (75, True)
        assert other.poll() is None
        other.kill()


def test_a_leftover_that_does_not_notice_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.snowflake.embedded._LEFTOVER_SECONDS", 0.2)
    lock = tmp_path / "account" / "lock"
    program = f"""
import time
from pathlib import Path
from embedded_account.ownership import Claim, Process
claim = Claim(Path({str(lock)!r}), "embedded_account", Process({os.getppid()}, "its number is another's now"))
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as leftover:
        until(lambda: holder(lock))
        account = EmbeddedAccount(tmp_path / "account", tmp_path / "logs")
        account.start()
        try:
            assert leftover.wait(60) == -signal.SIGKILL
            assert account.address().pid != leftover.pid
        finally:
            account.stop()


@pytest.mark.usefixtures("impatient")
def test_a_folder_taken_between_two_starts_is_waited_for(
    tmp_path: Path, hold: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    account = EmbeddedAccount(tmp_path / "account", tmp_path / "logs")
    account.start()
    try:
        first = account.address()
        stranger = hold(tmp_path / "account" / "lock")
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "waiting\n"
        os.kill(first.pid, signal.SIGKILL)
        assert stranger.stdout.readline() == "holding\n"
        until(lambda: isinstance(account.trouble, AlreadyOpen))
        with pytest.raises(AlreadyOpen, match="already open by another process"):
            account.address()
        with pytest.raises(AlreadyOpen, match="already open by another process"):
            ConnectionSource(AccountSettings(), account).ping()
        starts = account.starts
        stranger.kill()
        until(lambda: account.ready)
        assert account.address().pid != first.pid
        assert account.starts == starts + 1
    finally:
        account.stop()
