"""A history and a catalogue in which failures are put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.core.revision import Revision
from services.db.engine import Database
from services.db.records import Record
from services.failures.service import Failures
from services.history import History
from services.history.fingerprint import fingerprint
from services.history.store import naive

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)
_COLUMNS = (
    "spoke, environment, database_name, schema_name, graph, run_id, attempt, attempts, state, scheduled_at,"
    " started_at, completed_at, tasks, tasks_failed, first_error_task, first_error_code, first_error_message,"
    " fingerprint, source, seen_at"
)


@dataclass
class Place:
    """What the tests of failures are about."""

    history: History
    database: Database
    now: datetime = NOW
    runs: int = field(default=0)

    def failures(self) -> Failures:
        return Failures(self.history, self.database, lambda: self.now, {("DB", "FS"): "DEV"})

    def run(
        self,
        ago: timedelta,
        message: str | None = "Object 'ALERTS' does not exist",
        *,
        spoke: str = "tides",
        environment: str = "DEV",
        graph: str = "DAILY",
        task: str = "DAILY$ALERT",
        code: str = "2003",
    ) -> str:
        """A run that ended so long ago; it failed unless ``message`` is None."""
        self.runs += 1
        at = naive(self.now - ago)
        failed = message is not None
        values = [
            spoke, environment, "DB", f"{spoke}_{environment}", graph, f"run-{self.runs}", 1, 1,
            "FAILED" if failed else "SUCCEEDED", at - timedelta(minutes=1), at - timedelta(minutes=1), at, 3,
            int(failed), task if failed else None, code if failed else None, message,
            fingerprint(task, code, message) if failed else None, "live", at,
        ]  # fmt: skip
        with self.history.write() as db:
            db.execute(f"INSERT INTO graph_runs ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
        return f"run-{self.runs}"

    def refresh(
        self,
        ago: timedelta,
        state: str,
        message: str | None = None,
        name: str = "LEVELS$V1",
        spoke: str | None = "tides",
        schema: str = "FS",
    ) -> None:
        at = naive(self.now - ago)
        with self.history.write() as db:
            db.execute(
                "INSERT INTO refreshes (spoke, environment, database_name, schema_name, name, state, state_code,"
                " state_message, query_id, started_at, ended_at, source, seen_at)"
                " VALUES (?, ?, 'DB', ?, ?, ?, '000904', ?, 'q', ?, ?, 'live', ?)",
                [spoke, spoke and "DEV", schema, name, state, message, at, at, at],
            )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    revision = Revision()
    history = History(tmp_path / "history.duckdb", revision)
    history.open()
    database = Database(f"sqlite:///{tmp_path / 'catalogue.sqlite'}", revision=revision)
    Record.metadata.create_all(database.engine)
    yield Place(history, database)
    history.close()
    database.close()
