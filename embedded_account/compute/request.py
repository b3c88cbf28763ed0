"""One request to a worker on disk: what the job needs, written down; what the worker answered, read with
distrust.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from embedded_account.compute.handler import INLINE_MODULE
from embedded_account.compute.jobs import (
    FunctionJob,
    ImportFile,
    Job,
    JobError,
    ModelMethodJob,
    Outcome,
    ProcedureJob,
    TableFunctionJob,
)

OUTPUT_TAIL = 64 * 1024


def write_home(home: Path, job: Job) -> None:
    """Make the worker's directory, with the code that it shall run."""
    for folder in (home, home / "code", home / "imports"):
        folder.mkdir(mode=0o700)
    if isinstance(job, ModelMethodJob):
        return
    if job.source is not None:
        (home / "code" / f"{INLINE_MODULE}.py").write_text(job.source, encoding="utf-8")
    copy_imports(home / "imports", job.imports)


def copy_imports(target: Path, imports: Sequence[ImportFile]) -> None:
    """Copies, not links: user code may write to them, and the stage's files stay what they are."""
    for file in imports:
        name = Path(file.name).name
        if not name or name in {".", ".."}:
            raise ValueError(f"IMPORTS holds a file without a name: {file.name!r}")
        if file.path.is_dir():
            shutil.copytree(file.path, target / name)
        else:
            shutil.copyfile(file.path, target / name)


def write_request(folder: Path, job: Job) -> None:
    """Write job.json and the arguments into ``folder``, which is made."""
    folder.mkdir(mode=0o700)
    (folder / "job.json").write_text(json.dumps(_specification(job)))
    if not isinstance(job, ProcedureJob):
        with (
            pa.OSFile(str(folder / "arguments.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, job.table.schema) as writer,
        ):
            writer.write_table(job.table)


def _specification(job: Job) -> dict[str, Any]:
    match job:
        case ModelMethodJob():
            own: dict[str, Any] = {
                "kind": "model",
                "model_dir": str(job.model_dir.resolve()),
                "partitions": _list(job.partitions),
            }
            return {**own, "handler": job.handler}
        case ProcedureJob():
            connection = None if job.connection is None else dict(job.connection)
            own = {
                "kind": "procedure",
                "arguments": list(job.arguments),
                "connection": connection,
                "returns": job.returns,
            }
        case FunctionJob():
            own = {"kind": "function", "vectorized": job.vectorized, "max_batch_size": job.max_batch_size}
            own["returns"] = job.returns
        case TableFunctionJob():
            own = {
                "kind": "table_function",
                "partitions": _list(job.partitions),
                "returns": list(job.returns),
            }
    own["argument_types"] = list(job.argument_types)
    return {**own, "handler": job.handler, "inline": job.source is not None, "packages": list(job.packages)}


def _list(numbers: Sequence[int] | None) -> list[int] | None:
    return None if numbers is None else list(numbers)


def read_outcome(folder: Path) -> Outcome | None:
    """What the worker answered, or None when it left no answer that can be read."""
    try:
        answer = json.loads(_read(folder / "result.json"))
        error = JobError(**answer["error"]) if answer.get("error") else None
        table = _read_table(folder / "result.arrow") if answer.get("table") else None
        rss = int(answer.get("max_rss", 0))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException):
        return None
    return Outcome(answer.get("value"), table, error, *read_output(folder), max_rss=rss)


def read_output(folder: Path) -> tuple[str, str]:
    """The end of what the worker printed, as (stdout, stderr)."""
    return _tail(folder / "stdout"), _tail(folder / "stderr")


def _read_table(path: Path) -> pa.Table:
    # Into memory first: a file mapped from a worker's directory could shrink under us.
    table = pa.ipc.open_file(pa.py_buffer(_read(path))).read_all()
    table.validate(full=True)
    return table


def _open(path: Path) -> int:
    """Open a regular file, never following a link that user code may have put in its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is not a file")
    return descriptor


def _read(path: Path) -> bytes:
    with open(_open(path), "rb") as file:
        return file.read()


def _tail(path: Path) -> str:
    try:
        with open(_open(path), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - OUTPUT_TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def limits_message(job: Job) -> dict[str, Any]:
    return asdict(job.limits)
