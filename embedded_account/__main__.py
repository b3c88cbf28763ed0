"""`python -m embedded_account`: serve one account until told to stop."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from embedded_account import data_format, memory
from embedded_account.ownership import HELD_EXIT_CODE, Claim, HeldError, Process

LONGEST_DELAY = 7 * 86_400
# Without a job for so long, the compute gives its memory back, as a warehouse is suspended.
_REST_SECONDS = 600.0


def delay(text: str) -> timedelta:
    """Raises ValueError unless it is a number of seconds up to a week's."""
    value = float(text)
    if not 0 <= value <= LONGEST_DELAY:
        raise ValueError(text)
    return timedelta(seconds=value)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("embedded_account", description="Serve an embedded Snowflake account.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the account's files")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8124, help="0 takes a free one")
    parser.add_argument(
        "--ready-file", type=Path, help="written with the connection when the account answers"
    )
    parser.add_argument("--default-warehouse", help="the administrator's warehouse, made if missing")
    parser.add_argument(
        "--usage-delay",
        type=delay,
        default=timedelta(),
        metavar="SECONDS",
        help="how old a thing is before ACCOUNT_USAGE shows it (0)",
    )
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")
    return parser.parse_args()


def lock(data: Path, parent_pid: int | None) -> Claim:
    """One process at a time may open the files. Ends this one when another has them, or its parent is gone."""
    parent = Process.of(parent_pid) if parent_pid else None
    if parent_pid and parent is None:
        sys.exit(f"Process {parent_pid}, which started this account, is gone.")
    try:
        return Claim(data / "lock", "embedded_account", parent)
    except HeldError as error:
        print(f"The account in {data} is already open by {error}. Stop it, or choose another --data.",  # noqa: T201
              file=sys.stderr)  # fmt: skip
        sys.exit(HELD_EXIT_CODE)


def follow_parent(pid: int) -> None:
    """End with the parent: by the kernel's signal on Linux, by looking elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == pid:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def write_ready(path: Path, connection: dict[str, object]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(connection))
    temporary.chmod(0o600)
    temporary.replace(path)


def main() -> None:
    options = arguments()
    memory.begin()
    claim = lock(options.data, options.parent_pid)
    if options.parent_pid:
        # From here on: a parent that dies while the files are being opened must not leave this one behind.
        follow_parent(options.parent_pid)
    try:
        data_format.require(options.data)
    except data_format.OtherFormatError as error:
        sys.exit(str(error))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        sys.exit(f"Cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port.")
    port = listener.getsockname()[1]

    # What modules leave behind stays: looking for garbage among it is time lost.
    gc.disable()
    import uvicorn

    from embedded_account import files
    from embedded_account.account import Account
    from embedded_account.compute import ComputePool
    from embedded_account.security.logins import give_default_warehouse
    from embedded_account.server import create_app
    from embedded_account.start import start

    account = Account(options.data, options.host, port)
    account.usage_delay = options.usage_delay
    files.remove_orphans(account)
    compute = account.compute = ComputePool(start=False, rest_seconds=_REST_SECONDS)
    account.on_close.append(compute.close)
    start(account)
    if options.default_warehouse:
        give_default_warehouse(account, options.default_warehouse)
    config = uvicorn.Config(
        create_app(account), log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    server = uvicorn.Server(config)
    gc.freeze()
    gc.enable()

    def announce() -> None:
        while not server.started:
            time.sleep(0.01)
        connection = {
            "host": options.host,
            "port": port,
            "account": "embedded",
            "user": account.user,
            "password": secrets.token_urlsafe(12),
            "pid": os.getpid(),
        }
        if options.ready_file:
            write_ready(options.ready_file, connection)
        # Preloading takes a processor for seconds: whoever started this needs it for his own start.
        if account.has_python():
            account.expect_python()

    threading.Thread(target=announce, daemon=True).start()
    server.run(sockets=[listener])
    claim.release()


if __name__ == "__main__":
    main()
