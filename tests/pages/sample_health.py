"""Runs in a real history, as the sample has them: those of the sample's graphs, and a month of another spoke's."""

from __future__ import annotations

import atexit
import random
import sys
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sample_account import now
from sample_runs import Training

from services.core.revision import Revision
from services.costs.repository import Credits
from services.db.engine import Database
from services.db.records import Record
from services.health.service import Health
from services.history import History
from services.training.types import GraphRun
from tests.services.health.filling import Operations, Place

TIDES = {"LOAD": {}, "FIT": {"at": 3.0, "took": 20.0}, "CHECK": {"at": 24.0}}


def health(training: Training, empty: bool = False) -> Health:
    """The service over a history that tells what ``training`` does."""
    place = _place(training.state, empty)
    return Health(place.history, place.database, training, Operations(), Credits(place.history).of_run, now)  # type: ignore[arg-type]


@cache
def _place(state: str, empty: bool) -> Place:
    folder = tempfile.TemporaryDirectory(prefix="sample-health-")
    atexit.register(folder.cleanup)
    revision = Revision()
    history = History(Path(folder.name) / "history.duckdb", revision)
    history.open()
    atexit.register(history.close)
    database = Database(f"sqlite:///{folder.name}/catalogue.sqlite", revision=revision)
    Record.metadata.create_all(database.engine)
    place = Place(history, database, now(), root_id=None)
    if not empty:
        with place.at_once():
            for graph in Training(state).graphs("pudo", "DEV"):
                for run in graph.runs:
                    _put(place, run)
            _month(place)
            place.roll_up()
    return place


def _put(place: Place, run: GraphRun) -> None:
    """A run of the sample's, each of its attempts."""
    first = run.started_at or run.scheduled_at
    marks = run.attempts or (None,)
    for mark in marks:
        tasks = {}
        for task in run.tasks if mark in (None, marks[0]) else ():
            due = task.scheduled_at or first
            start = task.started_at
            tasks[task.name] = {
                "state": task.state, "at": (due - first).total_seconds(),
                "wait": (start - due).total_seconds() if start else 0.0,
                "took": (task.completed_at - start).total_seconds() if start and task.completed_at else 0.0,
                "returned": task.return_value, "code": task.error_code, "message": task.error_message,
                "query": task.query_id, "whole": True,
            }  # fmt: skip
        place.run(
            place.now - run.scheduled_at, mark.state if mark else run.state, spoke="pudo", graph=run.graph,
            run_id=run.run_id, attempt=mark.attempt if mark else 1, attempts=len(marks),
            seconds=run.seconds or 10.0, queue=(first - run.scheduled_at).total_seconds(),
            trigger=run.scheduled_from or "SCHEDULE", message=run.first_error_message, code=run.first_error_code,
            config=run.config, tasks=tasks,
        )  # fmt: skip


def _month(place: Place) -> None:
    rng = random.Random(11)
    for back in range(45):
        failed = back in (2, 9, 10)
        tasks = dict(TIDES)
        if failed:
            tasks["FIT"] = {
                **TIDES["FIT"],
                "state": "FAILED",
                "code": "100357",
                "message": "ValueError: no levels",
            }
            tasks["CHECK"] = {"state": "SKIPPED"}
        place.run(
            timedelta(days=back, hours=3), "FAILED" if failed else "SUCCEEDED", spoke="tides",
            environment="PROD" if back % 3 else "DEV", graph="DAILY", seconds=25 + rng.random() * 20,
            queue=rng.random() * 4, message="Traceback (most recent call last):\nValueError: no levels for 17 gauges",
            code="100357", trigger="EXECUTE TASK" if back % 7 == 0 else "SCHEDULE", tasks=tasks,
        )  # fmt: skip
