"""Starts the embedded account as a child process and keeps it running: the only module that knows of it.

Two launchers never have one folder: each holds a lock beside it from `claim` to `stop`, and the account holds one
inside. An account that was left behind by a launcher that is gone is waited for, then ended; any other is let be.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_account.ownership import HELD_EXIT_CODE, Claim, HeldError, Owner, Process, held, holder
from services.core.errors import SpokehubError, Unavailable
from services.core.logging import logger
from services.core.settings import Settings

_START_SECONDS = 60.0
_BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_SECONDS = 30.0
_HOPELESS = 3
_DRAIN_SECONDS = 15.0
_LEFTOVER_SECONDS = 10.0
_FREED_SECONDS = 1.0
_MODULE = "embedded_account"

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the account listens and who may come in."""

    host: str
    port: int
    account: str
    user: str
    password: str
    pid: int

    def parameters(self) -> dict[str, Any]:
        """The connector's parameters."""
        return {
            "account": self.account,
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "protocol": "http",
        }


class AlreadyOpen(Unavailable):
    """Another process works on the folder."""

    code, title = "already_open", "Already open"
    # Of the process that has it, where it is known.
    command: str | None = None


def claim_folder(lock: Path, what: str, command: str) -> Claim:
    """Hold `lock` until the end of this process, for `command`; AlreadyOpen says who has `what`."""
    try:
        return Claim(lock, command)
    except HeldError as error:
        raise already_open(what, error.owner) from None


def already_open(what: str, owner: Owner | None) -> AlreadyOpen:
    error = AlreadyOpen(
        f"{what} is already open by {owner or 'another process'}",
        hint="Stop it, or choose another folder: SPOKEHUB_DATA=…",
    )
    error.command = owner.command if owner is not None else None
    return error


class EmbeddedAccount:
    """One account with its data under ``data``. ``start`` returns at once; ``address`` waits for it.

    When the process ends unbidden it is started again, at the same port if that is free. With
    ``default_warehouse`` the account's user has one, as in a trial account; Spokehub names its own.
    ``usage_delay`` is the age in seconds that a thing has before ACCOUNT_USAGE shows it.
    """

    def __init__(
        self,
        data: Path,
        logs: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        command: str = "spokehub serve",
        default_warehouse: str | None = None,
        usage_delay: float = 0.0,
    ) -> None:
        self.data = data
        self.command = command
        self.logs = logs
        self.host = host
        self.port = port
        self.default_warehouse = default_warehouse
        self.usage_delay = usage_delay
        self.starts = 0
        self.failures = 0
        self._ready_file = data.parent / "account.ready.json"
        self._address: Address | None = None
        self._claim: Claim | None = None
        self._refused: AlreadyOpen | None = None
        self._followed = -1
        # Whether another process launches it, and this one only says where it listens.
        self.following = False
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    @classmethod
    def of(cls, settings: Settings) -> "EmbeddedAccount | None":
        """The launcher that the settings call for, not started; None when they name another account."""
        if settings.account.kind != "embedded":
            return None
        storage, account = settings.storage, settings.account
        return cls(
            storage.account_data, storage.logs, port=account.embedded_port, usage_delay=account.usage_delay
        )

    @property
    def ready(self) -> bool:
        return (self._found() if self.following else self._address) is not None

    def follow(self) -> None:
        """Launch nothing until ``start``: another process does."""
        self.following = True
        os.environ.setdefault("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")

    def _found(self) -> Address | None:
        """Where the account of another process listens; None while none lives."""
        found = _read(self._ready_file)
        if found is None or Process.of(found.pid) is None:
            return None
        if found.pid != self._followed:
            self._followed, self.starts = found.pid, self.starts + 1
        return found

    @property
    def trouble(self) -> SpokehubError:
        """Why it does not answer now."""
        return self._refused or Unavailable("The embedded account is starting", code="account_unavailable")

    def claim(self) -> None:
        """Keep other launchers off the folder; AlreadyOpen when a process works on it that is not left over."""
        if self._claim is not None:
            return
        self.data.mkdir(parents=True, exist_ok=True)
        claim = claim_folder(self.data.parent / "account.lock", self._name, self.command)
        if held(self._lock):
            owner = holder(self._lock)
            # Nobody has it: it ended just now.
            if (owner is not None and not owner.orphaned) or (owner is None and held(self._lock)):
                claim.release()
                raise already_open(self._name, owner)
        self._claim = claim

    def start(self) -> None:
        """Launch it, and a thread that watches it; a second call does nothing. Claims the folder first."""
        if self._watcher is not None:
            return
        self.claim()
        self.following = False
        # The connector asks the network which cloud it is on at each login; here it is on none.
        os.environ.setdefault("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
        self.logs.mkdir(parents=True, exist_ok=True)
        self._watcher = threading.Thread(target=self._watch, name="embedded-account", daemon=True)
        self._watcher.start()

    def address(self, timeout: float = _START_SECONDS) -> Address:
        """Where it listens; waits for it to be ready, Unavailable when it is not in time."""
        end = time.monotonic() + timeout
        while self.following:
            found = self._found()
            if found is not None:
                return found
            if time.monotonic() > end or self._stopping.wait(0.1):
                raise Unavailable(
                    "The embedded account of another process does not answer",
                    hint="It is started here when that process ends. Try again in a moment.",
                    code="account_unavailable",
                )
        with self._changed:
            self._changed.wait_for(self._settled, timeout)
            if self._address is None and self._refused is not None:
                raise self._refused
            if self._address is None:
                raise Unavailable(
                    f"The embedded account does not answer: {self.last_words() or 'it said nothing'}",
                    hint=f"See {self.logs.name}/account.log in the data directory.",
                    code="account_unavailable",
                )
            return self._address

    def last_words(self) -> str:
        """The last line of its log."""
        try:
            lines = (self.logs / "account.log").read_text(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _settled(self) -> bool:
        return (
            self._address is not None
            or self._refused is not None
            or self._stopping.is_set()
            or self.failures >= _HOPELESS
        )

    @property
    def _lock(self) -> Path:
        return self.data / "lock"

    @property
    def _name(self) -> str:
        return f"The account in {self.data.parent}"

    def stop(self, timeout: float = _DRAIN_SECONDS) -> None:
        """Ask it to finish what it does and end; end it by force when it does not."""
        self._stopping.set()
        with self._changed:
            self._address = None
            self._changed.notify_all()
            process = self._process
        if process is not None:
            _end(process, timeout)
        if self._watcher is not None:
            self._watcher.join(timeout=5)
        if self._claim is not None:
            self._ready_file.unlink(missing_ok=True)
            self._claim.release()
            self._claim = None

    def _watch(self) -> None:
        self._end_leftover()
        while not self._stopping.is_set():
            self._await_freed()
            began = time.monotonic()
            # A port that was just in use may still be; then any other will do.
            self._launch(self.port if self.failures < 2 else 0)
            self._await_ready()
            assert self._process is not None
            code = self._process.wait()
            with self._changed:
                steady = self._address is not None and time.monotonic() - began > _STEADY_SECONDS
                self._address = None
                self.failures = 0 if steady else self.failures + 1
                self._changed.notify_all()
            if self._stopping.is_set():
                return
            if code == HELD_EXIT_CODE:
                # Another took the files in the same moment: that is waited for, not tried again and again.
                continue
            wait = _BACK_OFF[min(self.failures, len(_BACK_OFF)) - 1] if self.failures else _BACK_OFF[0]
            log.warning("account.ended", exit=code, again_in=wait, log=str(self.logs / "account.log"))
            self._stopping.wait(wait)

    def _launch(self, port: int) -> None:
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", _MODULE, "--data", str(self.data), "--host", self.host]
        command += ["--port", str(port), "--ready-file", str(self._ready_file)]
        command += ["--parent-pid", str(os.getpid())]
        if self.usage_delay:
            command += ["--usage-delay", str(self.usage_delay)]
        if self.default_warehouse:
            command += ["--default-warehouse", self.default_warehouse]
        with self._changed:
            if self._stopping.is_set():
                return
            with (self.logs / "account.log").open("ab") as output:
                # A session of its own: Ctrl-C in the terminal is for this process, which then ends the child
                # when nobody needs it any more.
                self._process = subprocess.Popen(  # noqa: S603 - the program is this interpreter
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    # Its many threads would each keep what was freed in an arena of its own.
                    env={"MALLOC_ARENA_MAX": "2", **os.environ},
                )
            self.starts += 1

    def _await_ready(self) -> None:
        process = self._process
        assert process is not None
        end = time.monotonic() + _START_SECONDS
        while not self._stopping.is_set() and process.poll() is None:
            address = _read(self._ready_file)
            if address is not None and address.pid == process.pid:
                with self._changed:
                    self._address, self.port = address, address.port
                    self._changed.notify_all()
                log.info("account.ready", port=address.port, pid=address.pid)
                return
            if time.monotonic() > end:
                log.error("account.not_ready", seconds=_START_SECONDS)
                _end(process, 5)
                return
            self._stopping.wait(0.05)

    def _end_leftover(self) -> None:
        """Wait for the account of a launcher that was killed: it holds the data until it notices."""
        owner = holder(self._lock)
        if owner is None or not owner.orphaned:
            return
        log.info("account.leftover", pid=owner.process.pid)
        end = time.monotonic() + _LEFTOVER_SECONDS
        while held(self._lock) and time.monotonic() < end:
            if self._stopping.wait(0.1):
                return
        # Asked again: by now the lock may be another's.
        owner = holder(self._lock)
        if owner is not None and owner.orphaned:
            log.warning("account.leftover_ended", pid=owner.process.pid)
            owner.process.send(signal.SIGKILL)
            while held(self._lock) and owner.process.alive and not self._stopping.wait(0.05):
                pass

    def _await_freed(self) -> None:
        """While somebody else has the files, say so and start nothing."""
        while held(self._lock):
            owner = holder(self._lock)
            if owner is None and not held(self._lock):
                break
            with self._changed:
                if self._refused is None:
                    log.error("account.already_open", owner=str(owner or "another process"))
                self._refused = already_open(self._name, owner)
                self._changed.notify_all()
            if self._stopping.wait(_FREED_SECONDS):
                break
        self._refused = None


def _end(process: subprocess.Popen[bytes], timeout: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _read(path: Path) -> Address | None:
    try:
        found = json.loads(path.read_text())
        return Address(
            str(found["host"]), int(found["port"]), str(found["account"]), str(found["user"]),
            str(found["password"]), int(found["pid"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return None
