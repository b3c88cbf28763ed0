"""Copies of the history's file for other processes: DuckDB lets one process alone have a file that is written.

Beside ``history.duckdb`` lies a folder ``history.snapshots`` with the copies, with ``current``, which names the one to
read, and with a file for each reader, locked while it lives. A copy is whole before ``current`` names it, whenever the
writer ends; what was begun and not ended is removed with the next one. A reader that has a removed one open keeps it.
https://duckdb.org/docs/current/connect/concurrency
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from services.core.errors import Unavailable
from services.history.store import History

# A change is published after so long; a copy that takes long, after so many times its own time.
_PAUSE_SECONDS = 2.0
_PAUSE_FACTOR = 20.0
_COPY_SECONDS = 600.0
_SUFFIX = ".duckdb"


class Snapshots:
    """The folder beside a history's file."""

    def __init__(self, path: Path) -> None:
        self.folder = path.with_name(path.stem + ".snapshots")
        self._pointer = self.folder / "current"
        self._reader: int | None = None

    def current(self) -> Path | None:
        """The copy to read; None while there is none."""
        try:
            found = self.folder / self._pointer.read_text().strip()
        except OSError:
            return None
        return found if found.suffix == _SUFFIX and found.is_file() else None

    def ask(self) -> None:
        """Be known as a reader until ``leave`` or the end of this process."""
        if self._reader is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self.folder / f"reader-{os.getpid()}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_SH)
        self._reader = file

    def leave(self) -> None:
        """Be no reader any more."""
        if self._reader is not None:
            os.close(self._reader)
            self._reader = None
            (self.folder / f"reader-{os.getpid()}").unlink(missing_ok=True)

    def wanted(self) -> bool:
        """Whether a process that lives reads copies; removes what dead ones left."""
        found = False
        for file in self.folder.glob("reader-*"):
            if _locked(file):
                found = True
            else:
                file.unlink(missing_ok=True)
        return found

    def add(self, file: Path) -> None:
        """Copy a file that nobody writes meanwhile, and let readers have it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        before = self.current()
        number = 1 + max((_number(one) for one in self.folder.glob(f"history-*{_SUFFIX}")), default=0)
        target = self.folder / f"history-{number}{_SUFFIX}"
        partial = target.with_suffix(".partial")
        # By another process: to close the file in this one would give up the lock that DuckDB has on it.
        copy = ["cp", "--reflink=auto", "--", str(file), str(partial)]
        done = subprocess.run(copy, capture_output=True, text=True, timeout=_COPY_SECONDS, check=False)  # noqa: S603
        if done.returncode:
            partial.unlink(missing_ok=True)
            raise Unavailable(
                f"The history cannot be copied for readers: {done.stderr.strip()}", hint="Is the disk full?"
            )
        os.replace(partial, target)
        named = self._pointer.with_suffix(".partial")
        named.write_text(target.name)
        os.replace(named, self._pointer)
        self._remove_all_but({target, before})

    def _remove_all_but(self, kept: set[Path | None]) -> None:
        for one in self.folder.iterdir():
            if one.suffix in (_SUFFIX, ".partial") and one not in kept:
                one.unlink(missing_ok=True)


class Publisher:
    """Makes copies of an open history while somebody reads them and something has changed."""

    def __init__(self, history: History, snapshots: Snapshots) -> None:
        self._history = history
        self._snapshots = snapshots
        self._published = -1
        self._not_before = 0.0

    def publish(self, *, now: bool = False) -> bool:
        """A copy, if it is time for one, which it is ``now``."""
        if not now and (time.monotonic() < self._not_before or not self._snapshots.wanted()):
            return False
        if self._published == self._history.commits and self._snapshots.current() is not None:
            return False
        begun = time.monotonic()
        with self._history.still() as commits:
            self._snapshots.add(self._history.path)
        self._published = commits
        took = time.monotonic() - begun
        self._not_before = time.monotonic() + max(_PAUSE_SECONDS, took * _PAUSE_FACTOR)
        return True


def _locked(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _number(file: Path) -> int:
    with suppress(ValueError):
        return int(file.stem.partition("-")[2])
    return 0
