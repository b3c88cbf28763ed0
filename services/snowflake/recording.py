"""A connector connection that tells of each statement it executes.

Everything above the connector (Snowpark, snowflake-ml) executes through its cursors, so one place sees
all. Imported only when a connection is opened: the connector takes seconds to load.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor

# text, query_id, seconds, rows, error
Recorder = Callable[[str, str | None, float | None, int | None, str | None], None]
_LONGEST = 100_000


class RecordedConnection(SnowflakeConnection):
    """A connection whose cursors report to ``recorder``."""

    recorder: Recorder | None = None
    # Which start of the embedded account it leads to, and since which renewal.
    embedded_start = 0
    era = 0

    def cursor(self, cursor_class: Any = SnowflakeCursor) -> Any:
        if self.recorder is None:
            return super().cursor(cursor_class)
        return super().cursor(_recorded(cursor_class))


@cache
def _recorded(base: Any) -> Any:
    class RecordedCursor(base):
        """``base``, reporting each statement with its time as the client saw it."""

        def execute(self, command: str, *arguments: Any, **options: Any) -> Any:
            report = self.connection.recorder
            if report is None or options.get("_describe_only") or options.get("_is_internal"):
                return super().execute(command, *arguments, **options)
            begin = time.perf_counter()
            try:
                result = super().execute(command, *arguments, **options)
            except Exception as error:
                text = " ".join(str(error).split())
                report(_text(command), getattr(error, "sfqid", None), time.perf_counter() - begin, None, text)
                raise
            seconds = time.perf_counter() - begin
            report(_text(command), self.sfqid, round(seconds, 4), self.rowcount, None)
            return result

    RecordedCursor.__name__ = f"Recorded{base.__name__}"
    return RecordedCursor


def _text(command: Any) -> str:
    return str(command).strip()[:_LONGEST]
