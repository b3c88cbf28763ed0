"""The life of a forked worker: give up what it inherited, run what it is asked, answer in files.

A request is a directory inside the worker's own: ``job.json``, perhaps ``arguments.arrow``; the answer is
``result.json``, perhaps ``result.arrow``. One-shot workers end after one request, a model's worker when it
has been idle.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from embedded_account.compute import (
    channel,
    failure,
    functions,
    isolation,
    models,
    procedures,
    sql_types,
    table_functions,
)
from embedded_account.compute.handler import RefusedError
from embedded_account.compute.jobs import Limits


def main(descriptor: int, spec: dict[str, Any], parent: int) -> int:
    """Serve ``descriptor``; gives the exit status. Called in the child right after the fork."""
    home = Path(spec["home"])
    limits = Limits(**spec["limits"])
    os.setsid()
    isolation.die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    isolation.close_descriptors(descriptor)
    isolation.clean_environment(home)
    isolation.restrict_files(home, spec["readable"])
    isolation.drop_privileges()
    isolation.apply_limits(limits)
    isolation.hide_ourselves()
    # The state of numpy's generator was copied from the fork server: the same in every worker.
    np.random.seed()
    for stream in (sys.stdout, sys.stderr):
        # What was printed before a kill is kept.
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sock = socket.socket(fileno=descriptor)
    sock.settimeout(spec["idle"])
    _serve(sock, home, limits, once=spec["once"])
    return 0


def _serve(sock: socket.socket, home: Path, limits: Limits, once: bool) -> None:
    method: models.ModelMethod | None = None
    while True:
        try:
            request = channel.receive(sock)
        except (channel.ChannelClosedError, TimeoutError):
            return
        isolation.allow_cpu(limits.cpu_seconds)
        folder = home / str(request["folder"])
        _redirect_output(folder)
        answer: dict[str, Any]
        try:
            job = json.loads((folder / "job.json").read_bytes())
            (folder / "job.json").unlink()
            if job["kind"] == "model" and method is None:
                method = models.ModelMethod(Path(job["model_dir"]), job["handler"])
            answer = _run(job, home, folder, method)
        except (RefusedError, sql_types.UnsupportedTypeError) as error:
            answer = {
                "error": {
                    "kind": "refused",
                    "type": type(error).__name__,
                    "message": str(error),
                    "traceback": "",
                }
            }
        except BaseException as error:  # noqa: BLE001 - user code may raise SystemExit too
            answer = {"error": {"kind": "handler", **failure.describe(error, home)}}
        _answer(folder, answer)
        try:
            channel.send(sock, {"done": request["folder"]})
        except channel.ChannelClosedError:
            return
        if once:
            return


def _run(job: dict[str, Any], home: Path, folder: Path, method: models.ModelMethod | None) -> dict[str, Any]:
    value, table = None, None
    match job["kind"]:
        case "procedure":
            value, table = procedures.run(job, home)
        case "function":
            table = functions.run(job, home, read_arrow(folder / "arguments.arrow"))
        case "table_function":
            table = table_functions.run(job, home, read_arrow(folder / "arguments.arrow"))
        case "model":
            assert method is not None
            table = method.run(read_arrow(folder / "arguments.arrow"), job["partitions"])
        case other:
            raise RefusedError(f"Unknown kind of job {other!r}.")
    if table is not None:
        with (
            pa.OSFile(str(folder / "result.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    return {"value": value, "table": table is not None}


def read_arrow(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _redirect_output(folder: Path) -> None:
    for stream, descriptor, name in ((sys.stdout, 1, "stdout"), (sys.stderr, 2, "stderr")):
        if stream is not None:
            stream.flush()
        target = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(target, descriptor)
        os.close(target)


def _answer(folder: Path, answer: dict[str, Any]) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            # User code may have closed or replaced its streams.
            continue
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer["max_rss"] = used.ru_maxrss * 1024
    try:
        text = json.dumps(answer)
    except (TypeError, ValueError) as error:
        text = json.dumps(
            {"error": {"kind": "handler", "type": "TypeError", "message": str(error), "traceback": ""}}
        )
    (folder / "result.json").write_text(text)
