"""What a table remembers of the files loaded into it: 64 days, by name and content, in the loading transaction.

https://docs.snowflake.com/en/user-guide/data-load-considerations-load#load-metadata
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from embedded_account.files import StagedFile
from embedded_account.functions import virtual_table
from embedded_account.names import ObjectName
from embedded_account.objects import table_records
from embedded_account.result import Result, rows_result
from embedded_account.session import Session

KEPT = timedelta(days=64)
LOADED, PARTIALLY_LOADED, LOAD_FAILED = "LOADED", "PARTIALLY_LOADED", "LOAD_FAILED"
_TEMPORARY = "temp.main.__loads"


@dataclass(frozen=True)
class Outcome:
    """What COPY tells of one file."""

    file: str
    status: str
    rows_parsed: int = 0
    rows_loaded: int = 0
    error_limit: int = 1
    errors_seen: int = 0
    first_error: str | None = None
    first_error_line: int | None = None
    first_error_character: int | None = None
    first_error_column_name: str | None = None


class LoadHistory:
    """The loads of one table."""

    def __init__(self, session: Session, table: ObjectName) -> None:
        self._session = session
        self._key = [table.schema, table.name]
        if table_records.is_temporary(session, table):
            self._loads, self._key = _TEMPORARY, ["", str(table)]
            session.duck.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS {_TEMPORARY.split('.')[-1]} (schema_name VARCHAR, name VARCHAR, "
                "file VARCHAR, etag VARCHAR, loaded_at TIMESTAMPTZ, outcome VARCHAR)"
            )
        else:
            self._loads = session.account.catalog_of(table.database).loads
        rows = session.duck.execute(
            f"SELECT file, etag, loaded_at, outcome FROM {self._loads} WHERE schema_name = ? AND name = ?",
            self._key,
        ).fetchall()
        self._known = {
            file: (etag, moment, json.loads(outcome)["status"]) for file, etag, moment, outcome in rows
        }

    def is_loaded(self, file: StagedFile) -> bool:
        """Whether this very content came from this file less than 64 days ago."""
        etag, moment, status = self._known.get(key_of(self._session, file), ("", None, LOAD_FAILED))
        return (
            status != LOAD_FAILED
            and moment is not None
            and datetime.now(UTC) - moment < KEPT
            and etag == etag_of(file.path)
        )

    def is_uncertain(self, file: StagedFile) -> bool:
        """Whether the file may have been loaded so long ago that this is no longer known."""
        long_ago = datetime.now(UTC) - KEPT
        first = min((moment for _, moment, _ in self._known.values()), default=None)
        return file.modified < long_ago and first is not None and first < long_ago

    def remember(self, file: StagedFile, outcome: Outcome) -> None:
        """Write down what became of a file, inside the caller's transaction."""
        key = key_of(self._session, file)
        connection = self._session.duck
        connection.execute(
            f"DELETE FROM {self._loads} WHERE schema_name = ? AND name = ? AND file = ?", [*self._key, key]
        )
        connection.execute(
            f"INSERT INTO {self._loads} VALUES (?, ?, ?, ?, ?, ?)",
            [*self._key, key, etag_of(file.path), datetime.now(UTC), json.dumps(asdict(outcome))],
        )


def forget(session: Session, table: ObjectName) -> None:
    """After TRUNCATE every file may be loaded again: https://docs.snowflake.com/en/sql-reference/sql/truncate-table"""
    if not table_records.is_temporary(session, table):
        session.account.catalog_of(table.database).forget_loads(session.duck, table.schema, table.name)
        return
    LoadHistory(session, table)
    session.duck.execute(f"DELETE FROM {_TEMPORARY} WHERE name = ?", [str(table)])


def key_of(session: Session, file: StagedFile) -> str:
    """A file's place; a stage that was made anew has another one."""
    return file.path.resolve().relative_to(session.account.data.resolve()).as_posix()


def etag_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@virtual_table("INFORMATION_SCHEMA.LOAD_HISTORY")
def load_history(session: Session, database: str) -> Result:
    """https://docs.snowflake.com/en/sql-reference/info-schema/load_history"""
    rows = session.duck.execute(
        f"SELECT schema_name, name, loaded_at, outcome FROM {session.account.catalog_of(database).loads}"
    ).fetchall()
    found = []
    for schema, name, moment, text in rows:
        outcome = Outcome(**json.loads(text))
        found.append(
            (
                schema,
                outcome.file,
                name,
                moment,
                outcome.status,
                outcome.rows_loaded,
                outcome.rows_parsed,
                outcome.first_error,
                outcome.first_error_line,
                outcome.first_error_character,
                outcome.first_error_column_name,
                outcome.errors_seen,
                outcome.error_limit,
            )
        )
    return rows_result(
        [
            ("SCHEMA_NAME", "text"),
            ("FILE_NAME", "text"),
            ("TABLE_NAME", "text"),
            ("LAST_LOAD_TIME", "timestamp_ltz"),
            ("STATUS", "text"),
            ("ROW_COUNT", "fixed"),
            ("ROW_PARSED", "fixed"),
            ("FIRST_ERROR_MESSAGE", "text"),
            ("FIRST_ERROR_LINE_NUMBER", "fixed"),
            ("FIRST_ERROR_CHARACTER_POSITION", "fixed"),
            ("FIRST_ERROR_COL_NAME", "text"),
            ("ERROR_COUNT", "fixed"),
            ("ERROR_LIMIT", "fixed"),
        ],
        found,
        0x1000,
    )
