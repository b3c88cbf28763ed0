"""The account's handle on its fork server: start it, ask it for workers, end it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

from embedded_account.compute import channel, preload

_PACKAGE_ROOT = Path(__file__).parents[2]


class ForkServerProcess:
    """One running fork server with a private work directory, which ends with this process or with ``close``.

    ``parent`` is where the work directory is made; None takes the system's temporary directory.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="compute-", dir=parent))  # mkdtemp gives mode 0700
        self.ready_message: dict[str, Any] = {}
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._control, theirs = channel.pair()
        self._errors = self.root / "forkserver.log"
        options = json.dumps({"control": theirs.fileno(), "root": str(self.root)})
        with theirs, self._errors.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "embedded_account.compute.forkserver", options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env=_environment(self.root),
                cwd=self.root,
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, name="compute-forkserver", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Whether the preload is finished and the server still there; waits for it at most ``timeout``
        seconds.
        """
        self._ready.wait(timeout)
        return bool(self.ready_message) and self.alive

    def spawn(self, message: dict[str, Any]) -> socket:
        """Fork a worker; gives the account's end of its connection. Before the preload is finished the worker
        waits for it.

        Raises ChannelClosedError when the fork server is gone.
        """
        ours, theirs = channel.pair()
        with theirs:
            try:
                with self._lock:
                    channel.send(self._control, message, theirs.fileno())
            except (OSError, channel.ChannelClosedError) as error:
                ours.close()
                raise channel.ChannelClosedError(self.last_words()) from error
        return ours

    def last_words(self) -> str:
        """Why it ended, as far as it said."""
        try:
            text = self._errors.read_text(errors="replace").strip()
        except OSError:
            text = ""
        return f"the compute fork server is not running{': ' + text[-2000:] if text else ''}"

    def close(self) -> None:
        """End it with all its workers; the work directory goes with it."""
        if not self._ready.is_set():
            # Still importing, so without workers: nothing that it would have to end.
            self._process.kill()
        with contextlib.suppress(OSError):
            self._control.shutdown(SHUT_RDWR)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        self._control.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _listen(self) -> None:
        try:
            while True:
                self.ready_message = channel.receive(self._control)
                self._ready.set()
        except (OSError, channel.ChannelClosedError):
            self._ready.set()


def _environment(home: Path) -> dict[str, str]:
    """What the fork server, and so every worker, may inherit: no variable of the account's own."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV") if name in os.environ
    }
    return {
        **kept,
        **preload.ENVIRONMENT,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": str(os.cpu_count() or 1),
        "PYTHONPATH": str(_PACKAGE_ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "ignore",
    }
