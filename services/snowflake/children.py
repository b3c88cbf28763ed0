"""Starts the children that run a spoke's code: forked off a process with Snowflake's clients loaded, where one can be.

See ``spoke_kit/warm.py``. Elsewhere than on Linux, and whenever that process fails, a child is started by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from services.core.logging import logger
from spoke_kit.warm import ENVIRONMENT, PACKET

ROOT = Path(__file__).resolve().parents[2]
# As long as an import may take on a slow machine, several times over.
_ANSWER_SECONDS = 120.0

log = logger(__name__)


class Child(Protocol):
    """What both kinds of a child have; the names are those of subprocess.Popen."""

    stdin: IO[str] | None
    stdout: IO[str] | None
    stderr: IO[str] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Forked:
    """A child that the process with the clients has forked; of its end nothing is known but that it came."""

    def __init__(self, descriptor: int, stdin: int, stdout: int, stderr: int) -> None:
        self._descriptor = descriptor
        self.stdin: IO[str] | None = os.fdopen(stdin, "w")
        self.stdout: IO[str] | None = os.fdopen(stdout)
        self.stderr: IO[str] | None = os.fdopen(stderr)

    def poll(self) -> int | None:
        """0 once it has ended, None before."""
        return 0 if self._ended(0.0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; TimeoutExpired after ``timeout`` seconds."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired("spoke_kit.deploy", timeout or 0.0)
        return 0

    def _ended(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def kill(self) -> None:
        """End it; nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self.stdin, self.stdout, self.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        os.close(self._descriptor)


class Children:
    """Thread-safe. The process with the clients begins with the first child and ends by itself when it has rested for
    ``rest`` seconds, or with this process. Where it has failed once, it is not tried again.
    """

    def __init__(self, rest: float = 60.0) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._environment: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._usable = hasattr(os, "pidfd_open")

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """One run of ``spoke_kit.deploy`` with these arguments and this environment."""
        with self._lock:
            if self._usable and (child := self._fork_or_not(arguments, environment)):
                return child
        command = [sys.executable, "-m", "spoke_kit.deploy", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(  # noqa: S603 - the program is this interpreter
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=dict(environment)
        )

    def close(self) -> None:
        """End the process with the clients and what it has forked, and wait for that; a next child begins another."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        if self._control is None:
            return
        self._control.close()
        self._control = None
        assert self._process is not None
        try:
            self._process.wait(_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _fork_or_not(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked | None:
        # It may have gone to rest just before: nothing has run yet.
        for _ in range(2):
            try:
                return self._fork(arguments, environment)
            except (OSError, ValueError) as error:
                told = f"{type(error).__name__}: {error}"
                self._leave()
        log.warning("children.not_forked", error=told)
        self._usable = False
        return None

    def _fork(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
        if self._control is not None and self._environment != environment:
            self._leave()
        control = self._control = self._control or self._begin(environment)
        # Standard input is read by the child, the other two are written.
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        try:
            try:
                socket.send_fds(control, [json.dumps(list(arguments)).encode()], theirs)
                answer, descriptors, _, _ = socket.recv_fds(control, PACKET, 1)
            finally:
                for one in theirs:
                    os.close(one)
            if not descriptors:
                raise ProcessLookupError(json.loads(answer)["refused"] if answer else "it is gone")
            return Forked(descriptors[0], *ours)
        except BaseException:
            for one in ours:
                os.close(one)
            raise

    def _begin(self, environment: Mapping[str, str]) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWER_SECONDS)
        self._environment = dict(environment)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - the program is this interpreter
                [sys.executable, "-m", "spoke_kit.warm", str(theirs.fileno()), str(self._rest)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env={**environment, **ENVIRONMENT},
            )
        # It ends by itself, and would else be in the table of processes until the next child.
        threading.Thread(target=self._process.wait, name="clients-end", daemon=True).start()
        return ours
