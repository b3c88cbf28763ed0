"""What a function over rows raises. DuckDB keeps only its text, so the code and the SQLSTATE stand in it."""

from __future__ import annotations

import re

from embedded_account.errors import SnowflakeError

_FORM = re.compile(r"\[sf:(\d+):(\w{5})\] ([^\n]*)")


class FunctionError(Exception):
    def __init__(self, message: str, code: int, sqlstate: str) -> None:
        super().__init__(form(message, code, sqlstate))


def form(message: str, code: int, sqlstate: str) -> str:
    """The text that `read` understands, also for DuckDB's `error(…)`."""
    return f"[sf:{code}:{sqlstate}] {message}"


def read(text: str) -> SnowflakeError | None:
    """The Snowflake error inside what DuckDB says, if there is one."""
    found = _FORM.search(text)
    if found is None:
        return None
    return SnowflakeError(found.group(3), int(found.group(1)), found.group(2))
