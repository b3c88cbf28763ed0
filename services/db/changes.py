"""What other processes commit to the catalogue, noticed without a query for each request."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from services.db.engine import Database

# A value of SQLite's own that another connection's commit changes; it costs no lock.
# https://www.sqlite.org/pragma.html#pragma_data_version
_SQLITE = "PRAGMA data_version"
# The transactions that are over and under way: no two moments with a commit between them have the same.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
_POSTGRESQL = "SELECT CAST(pg_current_snapshot() AS text)"


class Changes:
    """``poll`` bumps the database's revision when anything was committed since the last time.

    This process's own commits count, too: their revision is bumped a second time, which costs a rendering.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: PoolProxiedConnection | None = None
        self._seen: object = None
        self._lock = threading.Lock()

    def poll(self) -> None:
        """Look. A database that does not answer tells nothing, and whoever reads it will say so."""
        with self._lock:
            try:
                found = self._ask()
            except (DBAPIError, *self._errors()):
                self._forget()
                return
            if self._seen is not None and found != self._seen:
                self._database.revision.bump()
            self._seen = found

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._forget()

    def _ask(self) -> object:
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
        dialect = self._database.engine.dialect.name
        cursor = self._connection.cursor()
        try:
            cursor.execute(_SQLITE if dialect == "sqlite" else _POSTGRESQL)
            row = cursor.fetchone()
        finally:
            cursor.close()
        # Each look is a transaction of its own: within one, nothing would ever change.
        self._connection.rollback()
        return (id(self._connection), *(row or ())) if dialect == "sqlite" else row

    def _errors(self) -> tuple[Any, ...]:
        return (self._database.engine.dialect.loaded_dbapi.Error,)

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
