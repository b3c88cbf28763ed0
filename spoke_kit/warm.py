"""A process that has Snowflake's clients loaded and forks one off for each deployment.

Loading them takes seconds, a fork milliseconds. ``python -m spoke_kit.warm FD [SECONDS]`` serves the Unix socket FD, of
whole packets: a request is the arguments of ``spoke_kit.deploy`` as a list of JSON, with the descriptors for standard
input, output and error; the answer is ``{"pid": …}`` with a descriptor of the process (pidfd), or ``{"refused": …}``.
It loads what a request's stage needs and runs no code of a spoke itself. It ends after SECONDS without work, or when
the socket is closed: then with all that it has forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from spoke_kit import deploy

#: Bytes of a request at most.
PACKET = 64 * 1024
#: For the environment that it is started with: native libraries start no threads while they load.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_REST_SECONDS = 60.0
_STREAMS = 3
_LOADED = {
    "tables": ("spoke_kit.deployment",),
    "features": ("spoke_kit.features", "spoke_kit.shared_deployment"),
    "graphs": ("spoke_kit.graphs",),
}


class Warm:
    """One loop over the socket and the processes that were forked."""

    def __init__(self, control: socket.socket, rest: float) -> None:
        self._control = control
        self._rest = rest
        self._children: dict[int, int] = {}

    def run(self) -> None:
        """Serve until nobody is there or there was nothing to do for long."""
        try:
            while ready := self._wait():
                for descriptor in ready:
                    if descriptor != self._control.fileno():
                        self._reap(descriptor)
                    elif not self._answer():
                        return
        finally:
            for pid in self._children.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _wait(self) -> list[int]:
        poll = select.poll()
        for descriptor in (self._control.fileno(), *self._children):
            poll.register(descriptor, select.POLLIN)
        return [ready for ready, _ in poll.poll(None if self._children else self._rest * 1000)]

    def _reap(self, descriptor: int) -> None:
        os.waitpid(self._children.pop(descriptor), 0)
        os.close(descriptor)

    def _answer(self) -> bool:
        request, streams, _, _ = socket.recv_fds(self._control, PACKET, _STREAMS)
        if not request:
            return False
        arguments = json.loads(request)
        self._load(deploy.arguments(arguments).stage)
        # Of a fork only the thread that forks is left: what the others held stays locked for ever.
        if (threads := len(os.listdir("/proc/self/task"))) > 1:
            self._control.send(json.dumps({"refused": f"it has {threads} threads"}).encode())
        elif (pid := os.fork()) == 0:
            self._become(arguments, streams)
        else:
            descriptor = os.pidfd_open(pid)
            self._children[descriptor] = pid
            socket.send_fds(self._control, [json.dumps({"pid": pid}).encode()], [descriptor])
        for stream in streams:
            os.close(stream)
        return True

    def _load(self, stage: str) -> None:
        wanted = [name for part, names in _LOADED.items() if stage in (part, "all") for name in names]
        if any(name not in sys.modules for name in wanted):
            for name in wanted:
                importlib.import_module(name)
            gc.collect()
            # Collecting garbage would otherwise touch, and so copy, every page that a fork shares.
            gc.freeze()

    def _become(self, arguments: Sequence[str], streams: Sequence[int]) -> NoReturn:
        status = 1
        try:
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            for descriptor in (self._control.fileno(), *streams, *self._children):
                os.close(descriptor)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if "numpy" in sys.modules:
                # Its generator's state was copied: the same in every fork.
                sys.modules["numpy"].random.seed()
            status = deploy.main(list(arguments))
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - the caller reads why
            traceback.print_exc()
        finally:
            # Nothing may return into the loop.
            os._exit(status)


def main(control: str, rest: str = str(_REST_SECONDS)) -> None:
    # An interrupt at the terminal reaches the whole group; the forks and the socket's other end see to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Warm(socket.socket(fileno=int(control)), float(rest)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
