"""A connection that reports each statement it ran, and the Snowpark session on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.snowpark import Session

#: Called with the statement's text, its query id, seconds and rows.
Report = Callable[[str, str | None, float, int | None], None]


class ReportingCursor(SnowflakeCursor):
    """A cursor that reports what it executed; describing a query is not reported."""

    def execute(self, command: str, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        result = super().execute(command, *args, **kwargs)
        quiet = kwargs.get("_describe_only") or kwargs.get("_is_internal")
        if not quiet and isinstance(self.connection, ReportingConnection):
            seconds = time.perf_counter() - started
            self.connection.report(str(command), self.sfqid, seconds, self.rowcount)
        return result


class ReportingConnection(SnowflakeConnection):
    """A connector connection whose cursors report. Set ``report`` after connecting."""

    report: Report = staticmethod(lambda text, query_id, seconds, rows: None)

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> SnowflakeCursor:
        """A cursor of ``cursor_class``; the plain class becomes the reporting one."""
        plain = cursor_class is SnowflakeCursor
        return super().cursor(ReportingCursor if plain else cursor_class)


def open_session(parameters: Mapping[str, Any], report: Report) -> Session:
    """A Snowpark session with the connector's ``parameters`` whose statements go to ``report``."""
    connection = ReportingConnection(**{"paramstyle": "qmark", **parameters})
    connection.report = report
    return Session.builder.configs({"connection": connection}).create()
