"""The process that preloads the libraries once and forks a fresh worker for each job.

It runs no user code and stays single-threaded. The account holds the other end of its control connection;
when that closes it kills every worker, removes the work directory and ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_account import memory
from embedded_account.compute import channel, preload


@dataclass
class _Worker:
    pid: int
    pidfd: int
    # A second end of the worker's connection, to see the account leave and to tell it how the worker ended.
    sock: socket.socket


class ForkServer:
    """One loop over the control connection and, for each worker, its process and its connection."""

    def __init__(self, control: socket.socket, root: Path) -> None:
        self._control = control
        self._root = root
        self._poll = select.poll()
        self._by_fd: dict[int, _Worker] = {}

    def run(self) -> None:
        """Preload, then serve until the account goes."""
        started = time.monotonic()
        try:
            # What modules leave behind stays: looking for garbage among it is a third of the time.
            gc.disable()
            missing = preload.load(self._check_account)
            # In the parent so that workers inherit it: their own modules and the packages' metadata.
            importlib.import_module("embedded_account.compute.worker")
            from embedded_account.compute import packages

            packages.warm()
            gc.collect()
            memory.release()
            gc.freeze()
            gc.enable()
            ready = {
                "ready": True,
                "seconds": time.monotonic() - started,
                "threads": preload.threads(),
                "missing": missing,
            }
            channel.send(self._control, ready)
            self._poll.register(self._control, select.POLLIN)
            while True:
                for fd, event in self._poll.poll():
                    self._handle(fd, event)
        except channel.ChannelClosedError:
            self._end()

    def _check_account(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if not self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                raise channel.ChannelClosedError("the account is gone")

    def _handle(self, fd: int, event: int) -> None:
        if fd == self._control.fileno():
            message, fds = channel.receive_with_fds(self._control, 1)
            self._spawn(message, fds[0])
            return
        worker = self._by_fd.get(fd)
        if worker is None:
            return
        if fd == worker.pidfd:
            self._reap(worker)
        else:
            # The account hung up: it cancelled, timed out, or ended.
            self._poll.unregister(fd)
            self._kill(worker)

    def _spawn(self, message: dict[str, Any], fd: int) -> None:
        sock = socket.socket(fileno=fd)
        threads = preload.threads()
        if threads != 1:
            self._tell(sock, {"exit": -1, "reason": f"the fork server has {threads} threads and cannot fork"})
            sock.close()
            return
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(sock, {"exit": -1, "reason": f"no worker could be started: {error}"})
            sock.close()
            return
        if pid == 0:
            _child(fd, message, parent)
        worker = _Worker(pid, os.pidfd_open(pid), sock)
        self._by_fd[worker.pidfd] = self._by_fd[fd] = worker
        self._poll.register(worker.pidfd, select.POLLIN)
        self._poll.register(fd, select.POLLRDHUP)

    def _kill(self, worker: _Worker) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)

    def _reap(self, worker: _Worker) -> None:
        # Before the process is collected its number still names its group, which nobody else can have taken.
        self._kill(worker)
        _, status, usage = os.wait4(worker.pid, 0)
        self._poll.unregister(worker.pidfd)
        fd = worker.sock.fileno()
        with contextlib.suppress(KeyError):
            self._poll.unregister(fd)
        del self._by_fd[worker.pidfd], self._by_fd[fd]
        os.close(worker.pidfd)
        self._kill_orphans()
        self._tell(
            worker.sock, {"exit": os.waitstatus_to_exitcode(status), "max_rss": usage.ru_maxrss * 1024}
        )
        worker.sock.close()

    def _kill_orphans(self) -> None:
        """End processes that user code left behind in sessions of their own; the kernel made them our
        children.
        """
        known = {worker.pid for worker in self._by_fd.values()}
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        for pid in map(int, children.read_text().split()) if children.exists() else ():
            if pid not in known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    @staticmethod
    def _tell(sock: socket.socket, message: dict[str, Any]) -> None:
        with contextlib.suppress(channel.ChannelClosedError, OSError):
            channel.send(sock, message)

    def _end(self) -> None:
        for worker in {worker.pid: worker for worker in self._by_fd.values()}.values():
            self._reap(worker)
        shutil.rmtree(self._root, ignore_errors=True)


def _child(fd: int, message: dict[str, Any], parent: int) -> None:
    status = 70
    try:
        from embedded_account.compute import worker

        status = worker.main(fd, message, parent)
    except BaseException as error:  # noqa: BLE001 - nothing may return into the fork server's loop
        with contextlib.suppress(BaseException):
            (Path(message["home"]) / "failure.txt").write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def main() -> None:
    """Serve the control connection whose descriptor, with the work directory, is the argument."""
    options = json.loads(sys.argv[1])
    # An interrupt at the terminal reaches the whole group; the account decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _become_subreaper()
    ForkServer(socket.socket(fileno=options["control"]), Path(options["root"])).run()


def _become_subreaper() -> None:
    import ctypes

    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
