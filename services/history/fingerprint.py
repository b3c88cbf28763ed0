"""What two failures have in common: the task, the error's code, and its cause without what differs each time."""

from __future__ import annotations

import hashlib
import re

from services.snowflake.failures import cause

_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|0x[0-9a-f]+|\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?|\d+(?:\.\d+)?",
    re.IGNORECASE,
)


def fingerprint(task: str, code: str | None, message: str | None) -> str:
    """Sixteen hexadecimal digits; the same for failures of one task that differ in ids, times and numbers only."""
    text = " ".join(_VARYING.sub("#", cause(message or "")).split())
    return hashlib.sha256(f"{task}\n{code or ''}\n{text}".encode()).hexdigest()[:16]
