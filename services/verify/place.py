"""Where probes work: a schema of their own in the verification's database, and what they ask it with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.snowflake.connection import ConnectionSource
from services.snowflake.identifiers import QualifiedName, quote
from services.snowflake.scope import Scope

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.errors import Error

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The account's error: its number, SQLSTATE and first line."""

    errno: int
    sqlstate: str
    message: str

    def __str__(self) -> str:
        return f"{self.errno:06d} ({self.sqlstate}): {self.message}"


class Refused(Exception):
    """Raised where a probe needed an answer and got an error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass
class Place:
    """``schema`` is the probes' own, ``scope`` the example spoke that was set up beside it.

    ``pace`` is how long to wait between two looks at something that runs, in seconds.
    """

    source: ConnectionSource
    scope: Scope
    schema: QualifiedName
    warehouse: str
    pace: float
    patience: float
    statements: list[str] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)
    _connection: SnowflakeConnection | None = None

    def rows(self, text: str, connection: SnowflakeConnection | None = None) -> list[Row]:
        """The rows of one statement, each as a dict by column name.

        Raises:
            Refused: the account's error.
        """
        from snowflake.connector.errors import Error

        self.statements.append(text)
        try:
            with (connection or self._own()).cursor() as cursor:
                cursor.execute(text)
                names = [column.name for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except Error as error:
            raise Refused(_refusal(error)) from error

    def value(self, text: str, connection: SnowflakeConnection | None = None) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(text, connection)
        return next(iter(found[0].values())) if found else None

    def refusal(self, text: str, connection: SnowflakeConnection | None = None) -> Refusal | None:
        """The error that a statement gets; None when it is answered."""
        try:
            self.rows(text, connection)
        except Refused as refused:
            return refused.refusal
        return None

    def name(self, name: str) -> QualifiedName:
        """A name in the probes' schema."""
        return QualifiedName(name, self.schema.name, self.schema.schema)

    @contextmanager
    def without_warehouse(self) -> Iterator[SnowflakeConnection]:
        """A connection with no active warehouse, whatever the user's default is: that of a dropped one."""
        lost = f"{self.warehouse}_LOST"
        with self.source.open(database=self.schema.schema, schema=self.schema.name) as connection:
            self.rows(
                f"CREATE OR REPLACE WAREHOUSE {quote(lost)} WAREHOUSE_SIZE = XSMALL INITIALLY_SUSPENDED = TRUE",
                connection,
            )
            self.rows(f"USE WAREHOUSE {quote(lost)}", connection)
            self.rows(f"DROP WAREHOUSE IF EXISTS {quote(lost)}", connection)
            yield connection

    def wait(self, ended: Callable[[], bool]) -> bool:
        """Look until it has ended or patience has; whether it has."""
        end = time.monotonic() + self.patience
        while not ended():
            if time.monotonic() > end:
                return False
            time.sleep(self.pace)
        return True

    def close(self) -> None:
        self._connection = None
        self._open.close()

    def _own(self) -> SnowflakeConnection:
        """One connection for all probes; a failed statement leaves it as it was."""
        if self._connection is None:
            opened = self.source.open(
                database=self.schema.schema, schema=self.schema.name, warehouse=self.warehouse
            )
            self._connection = self._open.enter_context(opened)
        return self._connection


def _refusal(error: Error) -> Refusal:
    text = str(error.raw_msg or error.msg or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line not in ("SQL compilation error:", "SQL execution error:")]
    message = " ".join(told or lines)
    return Refusal(int(error.errno or 0), str(error.sqlstate or ""), message[:300])
