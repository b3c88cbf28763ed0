"""Both files of rows beside the history, kept at what it says: by what a commit tells of itself, or made anew."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import structlog

from services.history.row_file import Cells, RowFile, microseconds, moment_of
from services.history.row_index import CELLS, ROOM, RowIndex
from services.history.task_index import TaskChange, TaskIndex, read_changes, read_parts

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RunsChange:
    """What a commit changed: ``cells`` are all attempts of ``runs`` now, and ``tasks`` is of the task runs."""

    runs: set[str]
    cells: Sequence[Cells]
    tasks: TaskChange

    def __bool__(self) -> bool:
        return bool(self.runs) or bool(self.tasks)


class RowFiles:
    """``runs`` and ``tasks`` may be asked at any time; the rest is for the history, which holds ``writing`` meanwhile.

    ``reading`` gives a cursor of the history. Where it is not ``writable()``, or these are not ``wanted``, nothing is
    made.
    """

    def __init__(
        self,
        path: Path,
        reading: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]],
        writing: threading.RLock,
        writable: Callable[[], bool],
        wanted: bool,
    ) -> None:
        self.runs = RowIndex(path.with_suffix(".runs.sqlite"), self._renew)
        self.tasks = TaskIndex(path.with_suffix(".tasks.sqlite"), self._renew)
        self._reading = reading
        self._writing = writing
        self._writable = writable
        self._wanted = wanted
        # What the index of task runs does not have yet, with the token of each commit.
        self._behind: list[tuple[str, TaskChange]] = []
        self._building: threading.Thread | None = None
        self._due = False

    def open(self) -> None:
        """Use what is on the disk where it is of the last commit."""
        if self._wanted:
            token = self._token()
            if not all([self.runs.open(token), self.tasks.open(token)]):
                self._build()

    def close(self) -> None:
        """Close both; what is in them stays."""
        self.runs.close()
        self.tasks.close()
        self._behind.clear()

    def follow(self, token: str, change: RunsChange | None) -> None:
        """After a commit of this token; None: what it changed is not known."""
        if change is not None:
            self._replace(self.runs, lambda: self.runs.replace(token, change.runs, change.cells))
            self._follow_tasks(token, change.tasks)
        else:
            self.runs.stale()
            self.tasks.stale()
            self._behind.clear()
        if self._wanted and not (self.runs.current and self.tasks.current):
            self._build()

    def wait(self) -> None:
        """Until nothing is being made."""
        building = self._building
        if building is not None:
            building.join()

    def _follow_tasks(self, token: str, change: TaskChange) -> None:
        if self._behind or (change.groups is None and self.tasks.current):
            self._behind.append((token, change))
            self.tasks.stale()
        else:
            self._replace(self.tasks, lambda: self.tasks.replace(token, change))

    def _replace(self, file: RowFile, replace: Callable[[], None]) -> None:
        if file.current:
            try:
                replace()
            except sqlite3.Error as error:
                log.warning("rows.not_written", file=file.path.name, error=str(error))
                file.stale()

    def _renew(self) -> None:
        """In a thread of its own, as whoever found it damaged need not wait for who writes."""
        threading.Thread(target=self._build, name="history-row-files", daemon=True).start()

    def _build(self) -> None:
        """Make what is not current, in a thread: until it is there, the history itself is asked."""
        with self._writing:
            self._due = True
            if self._building is None:
                self._building = threading.Thread(
                    target=self._make_due, name="history-row-files", daemon=True
                )
                self._building.start()

    def _make_due(self) -> None:
        while True:
            with self._writing:
                if not self._due or not self._writable():
                    self._due = False
                    self._building = None
                    return
                self._due = False
                behind = list(self._behind) if self.runs.current else []
                try:
                    if not behind:
                        self._make()
                except Exception:
                    log.exception("rows.not_built", note="the history itself is asked")
            if behind:
                self._catch_up(behind)

    def _catch_up(self, behind: Sequence[tuple[str, TaskChange]]) -> None:
        """Write what was put off into the index of task runs, while others write the history."""
        try:
            with self._reading() as cursor:
                change = read_changes(cursor, [one for _, one in behind])
            with self._writing:
                # Otherwise what is behind is no longer so, as all is made anew.
                if self._behind[: len(behind)] == behind:
                    self.tasks.replace(behind[-1][0], change)
                    # Of what came meanwhile some was read already, which may be written twice.
                    del self._behind[: len(behind)]
                    if not self._behind:
                        self.tasks.caught_up()
        except Exception:
            log.exception("rows.not_caught_up", note="they are made anew")
            with self._writing:
                self._behind.clear()
                self._due = True

    def _make(self) -> None:
        token = self._token()
        with self._reading() as cursor:
            if not self.runs.current:
                floor = cursor.execute(
                    f"SELECT scheduled_at FROM graph_runs ORDER BY scheduled_at DESC LIMIT 1 OFFSET {ROOM}"
                ).fetchone()
                since = floor[0] if floor else datetime.min  # noqa: DTZ901  as the history keeps them
                answer = cursor.execute(f"SELECT {CELLS} FROM graph_runs WHERE scheduled_at > ?", [since])
                self.runs.build(token, _fetched(answer), _aware(floor[0]) if floor else None)
            if not self.tasks.current:
                self._behind.clear()
                parts = read_parts(cursor)
                floors = (_aware(parts.floor), _aware(parts.unsuccessful_floor))
                self.tasks.build(token, parts.groups, parts.unsuccessful, *floors)

    def _token(self) -> str:
        with self._reading() as cursor:
            row = cursor.execute("SELECT max(token) FROM runs_token").fetchone()
        return str(row[0]) if row else ""


def _aware(found: datetime | None) -> datetime | None:
    return moment_of(microseconds(found))


def _fetched(answer: duckdb.DuckDBPyConnection) -> Iterator[list[Cells]]:
    while rows := answer.fetchmany(2000):
        yield rows
