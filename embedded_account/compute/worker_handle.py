"""The account's side of one worker: ask it, wait for the answer, kill it, clear up after it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Any, Literal

from embedded_account.compute import channel, request
from embedded_account.compute.channel import ChannelClosedError
from embedded_account.compute.jobs import Job, Outcome

# How often a wait looks at the cancel event.
_SLICE = 0.05
# How long a killed worker may take to be gone; the kernel needs milliseconds.
_GRACE = 10.0


class Stopped(Exception):
    """The caller's timeout or cancellation came first; the worker is dead."""

    def __init__(self, kind: Literal["timeout", "cancelled"], stdout: str = "", stderr: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.stdout = stdout
        self.stderr = stderr


class Ended(Exception):
    """The worker ended without an answer: exit status (negative: signal), peak memory in bytes, a reason if
    there is one.
    """

    def __init__(self, status: int, max_rss: int, reason: str = "") -> None:
        super().__init__(reason or status)
        self.status = status
        self.max_rss = max_rss
        self.reason = reason
        self.started = True
        self.stdout = ""
        self.stderr = ""


class WorkerHandle:
    """One worker; used by one thread at a time."""

    def __init__(self, sock: socket.socket, home: Path) -> None:
        self._sock = sock
        self._home = home
        self._requests = 0
        self._end: Ended | None = None
        self.used = time.monotonic()

    def ask(
        self, job: Job, deadline: float | None, cancel: threading.Event | None
    ) -> tuple[Outcome | None, Path]:
        """Have the worker run ``job``. Gives the outcome, None if unreadable, and the request's directory.

        Raises Stopped after killing the worker, Ended when it ended by itself.
        """
        self._requests += 1
        folder = self._home / str(self._requests)
        request.write_request(folder, job)
        try:
            channel.send(self._sock, {"folder": self._requests})
            while True:
                message = self._receive(deadline, cancel)
                if "exit" in message:
                    raise self._ended(message)
                if message.get("done") == self._requests:
                    self.used = time.monotonic()
                    return request.read_outcome(folder), folder
        except Stopped as stop:
            self._kill()
            stop.stdout, stop.stderr = request.read_output(folder)
            raise
        except Ended as ended:
            self._fill(ended, folder)
            raise
        except ChannelClosedError as error:
            last = self._last_message() or Ended(-9, 0, "the compute fork server is gone")
            self._fill(last, folder)
            raise last from error

    def wait_end(self) -> Ended:
        """Wait for the process to be gone; it is killed if it lingers."""
        try:
            while self._end is None:
                self._sock.settimeout(_GRACE)
                message = channel.receive(self._sock)
                if "exit" in message:
                    self._end = self._ended(message)
        except TimeoutError:
            self._kill()
        except (ChannelClosedError, OSError):
            self._end = Ended(-9, 0, "the compute fork server is gone")
        return self._end or Ended(-9, 0, "it had to be killed")

    def alive(self) -> bool:
        """Whether the connection is still open, without waiting."""
        self._sock.setblocking(False)
        try:
            message = channel.receive(self._sock)
        except BlockingIOError:
            return True
        except (ChannelClosedError, OSError):
            return False
        return "exit" not in message

    def close(self) -> None:
        """Kill the worker if it still runs, and wipe its directory."""
        if self._end is None:
            self._kill()
        self._sock.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _fill(self, ended: Ended, folder: Path) -> None:
        # job.json disappears when the worker takes the request up.
        ended.started = not (folder / "job.json").exists()
        ended.stdout, ended.stderr = request.read_output(folder)
        failure = self._home / "failure.txt"
        if not ended.reason and failure.is_file():
            ended.reason = failure.read_text(errors="replace")[:500]

    def _receive(self, deadline: float | None, cancel: threading.Event | None) -> dict[str, Any]:
        while True:
            if cancel is not None and cancel.is_set():
                raise Stopped("cancelled")
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise Stopped("timeout")
            slices = [value for value in (left, _SLICE if cancel is not None else None) if value is not None]
            self._sock.settimeout(min(slices) if slices else None)
            try:
                return channel.receive(self._sock)
            except TimeoutError:
                continue

    def _ended(self, message: dict[str, Any]) -> Ended:
        self._end = Ended(
            int(message["exit"]), int(message.get("max_rss", 0)), str(message.get("reason", ""))
        )
        return self._end

    def _last_message(self) -> Ended | None:
        try:
            self._sock.settimeout(_GRACE)
            while True:
                message = channel.receive(self._sock)
                if "exit" in message:
                    return self._ended(message)
        except (ChannelClosedError, OSError):
            return None

    def _kill(self) -> None:
        """Hang up our sending side, at which the fork server kills the group; wait until it is gone."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return
        self._end = self._last_message() or self._end
