"""Puts runs into a history, as its writer would, for the tests of what tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from services.core.errors import NotFound
from services.costs.repository import Credits
from services.db.engine import Database
from services.health.service import Health
from services.history import History
from services.history.fingerprint import fingerprint
from services.history.store import naive

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
FINAL = ("SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED")


class NoGraphs:
    """A spoke of which the catalogue knows nothing."""

    def name_of(self, spoke: str, environment: str, graph: str) -> str:
        return graph

    def graph(self, spoke: str, environment: str, graph: str, runs: int = 30) -> Any:
        raise NotFound("There is none")


class Operations:
    """One operation is known."""

    queries = SimpleNamespace(
        find=lambda wanted: SimpleNamespace(id=wanted, title="Run it") if wanted == "op-1" else None
    )


@dataclass
class Place:
    """Runs are put in with their tasks, as the writer of the history would."""

    history: History
    database: Database
    now: datetime = NOW
    count: int = field(default=0)
    root_id: str | None = "root-1"
    _writing: Any = None

    @contextmanager
    def at_once(self) -> Iterator[Any]:
        """Whatever is put in within this is one commit, after each of which the files of rows are made anew."""
        if self._writing is not None:
            yield self._writing
            return
        with self.history.write() as db:
            self._writing = db
            try:
                yield db
            finally:
                self._writing = None

    def health(self) -> Health:
        made = Health(
            self.history,
            self.database,
            NoGraphs(),
            Operations(),
            Credits(self.history).of_run,
            lambda: self.now,  # type: ignore[arg-type]
        )
        made._courses.forget()
        return made

    def run(
        self,
        ago: timedelta = HOUR,
        state: str = "SUCCEEDED",
        *,
        spoke: str | None = "tides",
        environment: str | None = "DEV",
        graph: str = "DAILY",
        run_id: str | None = None,
        attempt: int = 1,
        attempts: int = 1,
        seconds: float = 10.0,
        queue: float = 1.0,
        trigger: str = "SCHEDULE",
        message: str | None = None,
        code: str | None = None,
        config: Mapping[str, Any] | str | None = None,
        version: int = 1,
        tasks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> str:
        """A run due so long ago; ``tasks`` by name after the dollar sign, each with what is not as usual."""
        self.count += 1
        run_id = run_id or f"run-{self.count:03d}"
        due = self.now - ago
        begin = due + queue * SECOND if state not in ("SCHEDULED", "SKIPPED") else None
        end = begin + seconds * SECOND if begin and state in FINAL else None
        failed = state.startswith("FAILED")
        error = (message or "It broke") if failed else None
        broken = next((name for name, one in (tasks or {}).items() if one.get("state") == "FAILED"), "LOAD")
        whole = any(one.get("whole") for one in (tasks or {}).values())
        first = (broken if whole else f"{graph}${broken}") if failed else None
        text = config if isinstance(config, str) or config is None else json.dumps(config)
        request = config.get("request_id") if isinstance(config, Mapping) else None
        with self.at_once() as db:
            self._insert(
                db, "graph_runs", spoke=spoke, environment=environment, database_name="DB",
                schema_name=f"{spoke}_{environment}", graph=graph, root_id=self.root_id, graph_version=version,
                run_id=run_id, attempt=attempt, attempts=attempts, state=state, scheduled_from=trigger,
                scheduled_at=due, started_at=begin, completed_at=end, queue_seconds=queue if begin else None,
                run_seconds=seconds if end else None, tasks=len(tasks or {}), tasks_failed=int(failed),
                first_error_task=first, first_error_code=code if failed else None, first_error_message=error,
                fingerprint=fingerprint(first or "", code, error) if failed else None, config=text,
                request_id=request, source="live", seen_at=self.now,
            )  # fmt: skip
            for name, given in (tasks or {}).items():
                self.task(
                    db, spoke, environment, graph, name, run_id, attempt, begin or due, trigger, dict(given)
                )
        return run_id

    def task(
        self, db: Any, spoke: Any, environment: Any, graph: str, name: str, run_id: str, attempt: int,
        begin: datetime, trigger: str, given: dict[str, Any],
    ) -> None:  # fmt: skip
        state, wait, took = given.get("state", "SUCCEEDED"), given.get("wait", 0.5), given.get("took", 2.0)
        ran = state not in ("SKIPPED", "CANCELLED")
        called = name if given.get("whole") else f"{graph}${name}" if name else graph
        start = begin + (given.get("at", 0.0) + wait) * SECOND
        self._insert(
            db, "task_runs", spoke=spoke, environment=environment, database_name="DB",
            schema_name=f"{spoke}_{environment}", graph=graph, name=called,
            root_id=self.root_id, run_id=run_id, attempt=attempt, state=state, scheduled_from=trigger,
            scheduled_at=begin + given.get("at", 0.0) * SECOND, started_at=start if ran else None,
            completed_at=start + took * SECOND if ran and state != "EXECUTING" else None,
            query_id=given.get("query", f"q-{run_id}-{name}") if ran else None, query_text="CALL IT()",
            return_value=given.get("returned"), error_code=given.get("code"), error_message=given.get("message"),
            source="live", seen_at=self.now,
        )  # fmt: skip

    def roll_up(self) -> None:
        """The days of all runs."""
        with self.at_once() as db:
            db.execute("DELETE FROM runs_daily")
            db.execute(
                "INSERT INTO runs_daily SELECT scheduled_at::DATE, spoke, environment, database_name, schema_name,"
                " graph, count(*), count(*) FILTER (state = 'SUCCEEDED'),"
                " count(*) FILTER (starts_with(state, 'FAILED')),"
                " count(*) FILTER (state = 'CANCELLED'), count(*) FILTER (state = 'SKIPPED'),"
                " NULL, NULL, NULL, NULL, coalesce(sum(run_seconds), 0) FROM graph_runs GROUP BY ALL"
            )

    def _insert(self, db: Any, table: str, **values: Any) -> None:
        bound = [naive(value) if isinstance(value, datetime) else value for value in values.values()]
        marks = ", ".join("?" * len(values))
        db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", bound)
