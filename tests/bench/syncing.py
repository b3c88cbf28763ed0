"""How long the service takes over 100,000 new task runs that the account tells: ``python -m tests.bench.syncing``.

The account is a table in memory; the history is a real file. The time is the service's own: columns, stitching,
writing, deriving graph runs. Seconds, of the first reading and of the same once more.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from services.history import History
from services.history.runs import RunWriter
from services.sync.repository import Readings
from services.sync.sources import TASKS, UsageView
from services.sync.stitching import Stitching

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
PARTS, TASKS_OF_RUN = 50_000, 10


class Told:
    """An account that tells as many task runs of 50 spokes, all within a week; no two tell the same ones."""

    def __init__(self, rows: int) -> None:
        self.statements = 0
        self._first_run = time.time_ns() // 1000
        step = timedelta(days=6) / rows
        self.table = pa.Table.from_pylist(
            [self._row(number, NOW - timedelta(days=6, hours=12) + number * step) for number in range(rows)]
        )

    def _row(self, number: int, due: datetime) -> dict[str, Any]:
        run, task = divmod(number, TASKS_OF_RUN)
        run_id = self._first_run + run
        failed = number % 97 == 0
        return {
            "NAME": "G" if task == 0 else f"G$T{task}", "DATABASE_NAME": "HUB", "SCHEMA_NAME": f"S{run % 50}_DEV",
            "STATE": "FAILED" if failed else "SUCCEEDED", "QUERY_ID": f"01b2c3d4-{run_id}-{task}",
            "QUERY_TEXT": "CALL TRAIN()", "CONDITION_TEXT": None, "RETURN_VALUE": '{"rows": 1}',
            "ERROR_CODE": "100132" if failed else None, "ERROR_MESSAGE": f"row {number} is bad" if failed else None,
            "SCHEDULED_TIME": due, "QUERY_START_TIME": due + timedelta(seconds=3),
            "COMPLETED_TIME": due + timedelta(seconds=40), "ROOT_TASK_ID": f"root-{run % 50}", "GRAPH_VERSION": 1,
            "RUN_ID": run_id, "SCHEDULED_FROM": "SCHEDULE", "ATTEMPT_NUMBER": 1, "CONFIG": None,
            "GRAPH_RUN_GROUP_ID": f"{run_id}",
        }  # fmt: skip

    def now(self) -> datetime:
        return NOW

    def graphs(self, database: str, schema: str | None) -> list[dict[str, Any]]:
        return []

    def task_history(
        self, database: str, schema: str | None, start: datetime, end: datetime | None
    ) -> list[dict[str, Any]]:
        return []

    def refreshes(self, database: str, start: datetime, end: datetime | None) -> list[dict[str, Any]]:
        return []

    def usage(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[list[dict[str, Any]]]:
        return iter(())

    def usage_tables(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
    ) -> Iterator[pa.Table]:
        for first in range(0, len(self.table) if end is None else 0, PARTS):
            yield self.table[first : first + PARTS]

    def usage_by_day(
        self, view: UsageView, databases: Sequence[str], start: datetime, end: datetime
    ) -> dict[date, tuple[int, float]]:
        return {}


def main(rows: int = 100_000) -> None:
    """Read them twice, and say how long that took."""
    told = Told(rows)
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "history.duckdb")
        history.open()
        stitching = Stitching(
            Readings(history),
            RunWriter(history),
            lambda _, schema: (schema.removesuffix("_DEV").lower(), "DEV"),
            ("HUB",),
            lambda: NOW,
            (TASKS,),
        )
        for turn in ("new", "again"):
            begin = time.perf_counter()
            cpu = time.process_time()
            [reading, *_] = stitching.usage(told, 7, False, lambda *_: None)
            print(
                f"{turn}: {reading.rows:,} rows, {reading.new:,} new, {time.perf_counter() - begin:.2f} s, "
                f"{time.process_time() - cpu:.2f} s of processors"
            )
        history.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
