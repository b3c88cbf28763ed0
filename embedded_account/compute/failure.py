"""An exception of user code as the account reports it: a traceback that starts at the handler."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

_OWN = str(Path(__file__).parent)
_IMPORT_SYSTEM = ("<frozen importlib", "<frozen zipimport")


def describe(error: BaseException, home: Path) -> dict[str, Any]:
    """The error as JSON: class, message, and the traceback without the runner's own frames and
    directories.
    """
    trace = traceback.TracebackException.from_exception(error, compact=True)
    _cut(trace)
    text = "".join(trace.format())
    for folder in ("code", "imports"):
        text = text.replace(f"{home}/{folder}/", "")
    return {"type": type(error).__name__, "message": str(error), "traceback": text.rstrip("\n")}


def _cut(trace: traceback.TracebackException | None) -> None:
    while trace is not None:
        user = [frame for frame in trace.stack if not _of_runner(frame.filename)]
        trace.stack = traceback.StackSummary.from_list(user)
        if trace.__context__ is not trace.__cause__:
            _cut(trace.__context__)
        trace = trace.__cause__


def _of_runner(filename: str) -> bool:
    return filename.startswith((_OWN, *_IMPORT_SYSTEM)) or filename.endswith("/importlib/__init__.py")
