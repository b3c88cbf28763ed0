"""Files into tables through an ordinary Snowflake connection: stage, upload, copy, in transactions."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from mock_data.config import GENERATOR_VERSION, NetworkConfig
from mock_data.errors import ConcurrentChange, MockDataError, SeededDifferently
from mock_data.tables import Statements

# Object does not exist or not authorized; schema does not exist.
_MISSING = {2003, 2043}
# Another transaction holds the lock: https://docs.snowflake.com/en/sql-reference/parameters#lock-timeout
_LOCKED = 625


class Loader:
    """Runs the statements of one schema. Not thread-safe: one cursor, one transaction at a time."""

    def __init__(self, connection: SnowflakeConnection, schema: str) -> None:
        self.statements = Statements(schema)
        self._cursor: Any = connection.cursor()

    def run(self, statement: str) -> int:
        """Execute; returns the number of rows changed, where the statement has one."""
        self._execute(statement)
        return int(self._cursor.rowcount or 0)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._execute(query)
        return [tuple(row) for row in self._cursor.fetchall()]

    def _execute(self, statement: str) -> None:
        """Raises ConcurrentChange when another transaction kept a lock for longer than LOCK_TIMEOUT."""
        try:
            self._cursor.execute(statement)
        except ProgrammingError as error:
            if error.errno != _LOCKED:
                raise
            raise ConcurrentChange(
                "Another change of the simulation is still open.",
                "If its client is gone, the account ends it within minutes: try again later.",
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements within become visible together, or none does."""
        self.run("BEGIN")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    @contextmanager
    def staged(self, files: Mapping[str, Path]) -> Iterator[str]:
        """Upload one file a table to a temporary stage and give its name.

        Used before a transaction begins: creating a stage would commit one.
        """
        stage = f"MOCK_DATA_{uuid.uuid4().hex[:12].upper()}"
        self.run(self.statements.create_stage(stage))
        try:
            for path in files.values():
                self.run(self.statements.put(str(path), stage))
            yield stage
        finally:
            self.run(self.statements.drop_stage(stage))

    def copy(self, table: str, stage: str, expected: int) -> None:
        """Load one table's file; raises MockDataError unless exactly the expected rows arrive."""
        self._execute(self.statements.copy(table, stage))
        names = [column[0].lower() for column in self._cursor.description]
        results = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
        loaded = sum(int(result.get("rows_loaded") or 0) for result in results)
        if loaded != expected:
            raise MockDataError(
                f"{table}: {loaded} of {expected} rows were loaded.", f"COPY answered {results}."
            )

    def seeded_with(self) -> tuple[NetworkConfig, int] | None:
        """Configuration and revision of the seeded network, or None when there is none.

        Raises SeededDifferently when a generator of another version made it.
        """
        try:
            rows = self.rows(self.statements.select_config())
        except ProgrammingError as error:
            if error.errno in _MISSING:
                return None
            raise
        if not rows:
            return None
        fingerprint, text, revision = rows[0]
        config = NetworkConfig.from_json(text)
        if config.fingerprint != fingerprint:
            raise SeededDifferently(
                f"The network was seeded by another version of the generator than {GENERATOR_VERSION}.",
                "Seed again with reset.",
            )
        return config, int(revision)
