"""What two failures have in common."""

from __future__ import annotations

from services.history.fingerprint import fingerprint

TRACE = (
    'Python Interpreter Error:\nDataMissing: {what} knows nothing of {day}\n  File "x-{bundle}.zip/a.py", line 58\n'
    'Traceback (most recent call last):\n  File "x-{bundle}.zip/b.py", line 7, in f\nDataMissing: as above'
)


def test_another_day_and_another_bundle_are_the_same_failure() -> None:
    one = fingerprint("G$T", "100357", TRACE.format(what="LEVELS", day="2025-07-04", bundle="a1c8"))
    assert one == fingerprint("G$T", "100357", TRACE.format(what="LEVELS", day="2025-07-09", bundle="ff00"))
    assert one != fingerprint("G$T", "100357", TRACE.format(what="TIDES", day="2025-07-04", bundle="a1c8"))
    assert one != fingerprint("G$U", "100357", TRACE.format(what="LEVELS", day="2025-07-04", bundle="a1c8"))
    assert one != fingerprint("G$T", None, TRACE.format(what="LEVELS", day="2025-07-04", bundle="a1c8"))
    assert fingerprint("G$T", None, None) == fingerprint("G$T", "", "")
