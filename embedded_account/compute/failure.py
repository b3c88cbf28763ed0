"""An exception of user code as the account reports it: a traceback that starts at the handler."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import Any

_OWN = str(Path(__file__).parent)
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_LONGEST_LINE = 200
_LONGEST_MESSAGE = 2_000
_LONGEST_TRACEBACK = 4_000
_IMPORT_SYSTEM = ("<frozen importlib", "<frozen zipimport")


def describe(error: BaseException, home: Path) -> dict[str, Any]:
    """The error as JSON: class, message, the user's line where it arose, and the traceback without the runner's own
    frames and directories. Each is bounded: pickled code is one line of many kilobytes.
    """
    trace = traceback.TracebackException.from_exception(error, compact=True)
    _cut(trace)

    def shown(text: str) -> str:
        for folder in ("code", "imports"):
            text = text.replace(f"{home}/{folder}/", "")
        return text.rstrip("\n")

    return {
        "type": type(error).__name__,
        "message": _bounded(str(error), _LONGEST_MESSAGE),
        "where": shown("".join(traceback.format_list(_users(trace.stack)[-1:]))),
        "traceback": _bounded(shown("".join(trace.format())), _LONGEST_TRACEBACK),
    }


def _cut(trace: traceback.TracebackException | None) -> None:
    while trace is not None:
        user = [_short(frame) for frame in trace.stack if not _of_runner(frame.filename)]
        trace.stack = traceback.StackSummary.from_list(user)
        if issubclass(trace.exc_type or object, SyntaxError) and int(trace.end_offset or 0) > _LONGEST_LINE:
            # It quotes its line, with a mark as long as what is wrong.
            trace.text, trace.offset = _shortened(str(trace.text)), 0
        if trace.__context__ is not trace.__cause__:
            _cut(trace.__context__)
        trace = trace.__cause__


def _short(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    if len(frame.line or "") <= _LONGEST_LINE:
        return frame
    return traceback.FrameSummary(frame.filename, frame.lineno, frame.name, line=_shortened(frame.line or ""))


def _shortened(line: str) -> str:
    return line.strip()[:_LONGEST_LINE] + "…"


def _bounded(text: str, most: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters …\n{text[-half:]}"


def _users(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The frames outside of libraries, if there are any."""
    return [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)] or frames


def _of_runner(filename: str) -> bool:
    return filename.startswith((_OWN, *_IMPORT_SYSTEM)) or filename.endswith("/importlib/__init__.py")
