"""Who has a folder: a lock that the kernel releases with its process, and in the locked file who that process is.

The number of a process may be given to another once it is gone, so a process is known by number and start time.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

# The exit code of an account whose folder another one has: sysexits' EX_TEMPFAIL.
HELD_EXIT_CODE = 75
_RECORD_SECONDS = 2.0


@dataclass(frozen=True)
class Process:
    """`started` is the kernel's word for when; it tells apart two processes that were given the same number."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this number now; None when it is gone."""
        started = _started(pid)
        return cls(pid, started) if started else None

    @property
    def alive(self) -> bool:
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal this process and no other; nothing if it is gone."""
        with suppress(ProcessLookupError):
            if not hasattr(os, "pidfd_open"):
                if self.alive:
                    os.kill(self.pid, number)
                return
            # Once the handle is open the number cannot pass to another process unnoticed.
            handle = os.pidfd_open(self.pid)
            try:
                if self.alive:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)


@dataclass(frozen=True)
class Owner:
    """The holder of a lock. `parent` is the process that it ends with, if any."""

    process: Process
    command: str
    since: str
    parent: Process | None = None

    def __str__(self) -> str:
        return f"process {self.process.pid} (`{self.command}`, since {self.since})"

    @property
    def orphaned(self) -> bool:
        """Whether this is, for certain, a process that lives on although the one it belongs to is gone."""
        return self.process.alive and self.parent is not None and not self.parent.alive


class HeldError(Exception):
    """Another process has the lock. `owner` is None when it did not say who it is."""

    def __init__(self, owner: Owner | None) -> None:
        super().__init__(str(owner) if owner else "another process")
        self.owner = owner


class Claim:
    """A lock that this process holds until `release` or its end.

    Raises:
        HeldError: another process has it.
    """

    def __init__(self, path: Path, command: str, parent: Process | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + _RECORD_SECONDS
        while not _acquire(descriptor):
            owner = holder(path)
            # Nobody may have it by now: others look whether it is held by taking it for a moment.
            if owner is not None or time.monotonic() > end:
                os.close(descriptor)
                raise HeldError(owner)
        self._descriptor = descriptor
        own = Process.of(os.getpid())
        assert own is not None
        record = asdict(Owner(own, command, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", parent))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode(), 0)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def held(path: Path) -> bool:
    """Whether any process has the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _acquire(descriptor)
    finally:
        os.close(descriptor)


def holder(path: Path) -> Owner | None:
    """Who has the lock; None when nobody has it, or the one who has it cannot be known."""
    end = time.monotonic() + _RECORD_SECONDS
    while held(path):
        owner = _read(path)
        # What the last holder wrote stands there until the new one has written.
        if owner is not None and owner.process.alive:
            return owner
        if time.monotonic() > end:
            return None
        time.sleep(0.02)
    return None


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Owner | None:
    try:
        found = json.loads(path.read_text())
        parent = Process(**found["parent"]) if found["parent"] else None
        return Owner(Process(**found["process"]), str(found["command"]), str(found["since"]), parent)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _started(pid: int) -> str:
    """When the process started, as text that no other process with this number has; empty when it is gone."""
    if sys.platform != "linux":
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in parentheses, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    state, ticks = fields[0], fields[19]
    return "" if state in "ZX" else f"{boot} {ticks}"
