"""The tutorials as programs: their commands, what each is said to print, and the service and shell they run in.

Every ``bash`` block is run, in one shell from the first tutorial to the last. A ``text`` block after it is the whole
output, in which … stands for anything. Blocks of ``sh`` are for the reader alone.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("[0-9]*.md"))
_FENCE = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE = 180


@dataclass(frozen=True)
class Block:
    """One command; ``said`` is what the tutorial shows of its output, None when it shows nothing."""

    command: str
    said: str | None

    def agrees(self, output: str) -> bool:
        """Whether this is what the tutorial says."""
        if self.said is None:
            return True
        parts = (re.escape(part) for part in self.said.strip().split("…"))
        return re.fullmatch(".*?".join(parts), output.strip(), re.DOTALL) is not None


def blocks(tutorial: Path) -> list[Block]:
    """The commands of a tutorial in order."""
    found: list[Block] = []
    fences = [(match[1], match[2]) for match in _FENCE.finditer(tutorial.read_text(encoding="utf-8"))]
    for at, (kind, text) in enumerate(fences):
        if kind == "bash":
            after = fences[at + 1] if at + 1 < len(fences) else ("", "")
            found.append(Block(text, after[1] if after[0] == "text" else None))
    return found


def start_command() -> dict[str, str]:
    """The variables that the first tutorial sets before it starts the service."""
    text = TUTORIALS[0].read_text(encoding="utf-8")
    found = re.search(r"^```sh\nexport (.*)\nmake run\n```$", text, re.MULTILINE)
    assert found is not None, "the first tutorial starts the service with `make run`"
    return dict(part.split("=", 1) for part in shlex.split(found[1]))


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """The service as the first tutorial starts it, over a folder and a port of its own; its address."""
    command = [str(Path(sys.executable).parent / "spokehub"), "serve", "--port", "0", "--data", str(folder)]
    with (folder.parent / "spokehub.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **start_command()}
        )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next((found[0] for line in lines if (found := re.search(r"http://\S+", line))), "")
        assert address, (folder.parent / "spokehub.log").read_text()
        wait_until_ready(address)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def wait_until_ready(address: str) -> None:
    """Return when the service and its account answer."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{address} is not ready")


class Shell:
    """One bash in the project's folder, which ends with the first command that fails."""

    _MARK = "@@ the block is over @@"

    def __init__(self, address: str) -> None:
        self._process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=ROOT, env={**os.environ, "SPOKEHUB_URL": address}, start_new_session=True,
        )  # fmt: skip
        self._send("set -e\n")

    def run(self, block: Block) -> str:
        """What the block prints; AssertionError when a command of it failed."""
        self._send(f"{{\n{block.command}\n}} < /dev/null\necho '{self._MARK}'\n")
        guard = threading.Timer(_PATIENCE, self.close)
        guard.start()
        printed = []
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                if line.rstrip("\n").endswith(self._MARK):
                    printed.append(line.rstrip("\n").removesuffix(self._MARK))
                    return "".join(printed)
                printed.append(line)
        finally:
            guard.cancel()
        raise AssertionError(f"{block.command}failed:\n{''.join(printed)}")

    def close(self) -> None:
        """End it, and what it runs."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise AssertionError("A command before this one failed, and ended the shell") from None
