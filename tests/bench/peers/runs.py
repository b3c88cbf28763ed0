"""The runs that all have, and the questions that all are asked.

They are graph runs of a synthetic history of Spokehub. The newest of them are written to a file, from which each other
program's store is filled: a spoke is an experiment of MLflow's and a job of Dagster's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from pathlib import Path

import duckdb

LIMIT = 50
_ONCE = 20_000
_RUNS = """
    SELECT run_id, attempt, spoke, environment, graph, state, scheduled_from AS trigger, run_seconds AS seconds,
        epoch_us(scheduled_at) // 1000 AS scheduled,
        epoch_us(started_at) // 1000 AS started,
        epoch_us(completed_at) // 1000 AS completed,
        first_error_message AS error, config
    FROM graph_runs ORDER BY scheduled_at DESC, run_id, attempt DESC LIMIT ?
"""


@dataclass(frozen=True)
class Question:
    """The latest runs: of a spoke or of all, those before a moment (UTC) or all."""

    spoke: str | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Runs:
    """``file`` has a JSON object a line, oldest first; ``known`` is how many runs Spokehub has."""

    file: Path
    known: int
    # Of each line the spoke and when it was scheduled, in milliseconds (UTC).
    scheduled: Sequence[tuple[str, int]]

    def spokes(self) -> list[str]:
        return sorted({spoke for spoke, _ in self.scheduled})

    def answer(self, question: Question) -> list[int]:
        """When the runs were scheduled that a question is to find, newest first."""
        before = inf if question.before is None else milliseconds(question.before)
        fit = (
            at for spoke, at in reversed(self.scheduled) if question.spoke in (None, spoke) and at < before
        )
        return list(islice(fit, LIMIT))


def copy_runs(history: Path, wanted: int, file: Path) -> Runs:
    """Write the newest graph runs of a history. ValueError when it has fewer."""
    with duckdb.connect(str(history), read_only=True) as store:
        ((known,),) = store.execute("SELECT count(*) FROM graph_runs").fetchall()
        if known < wanted:
            raise ValueError(f"the history has {known:,} graph runs, {wanted:,} are wanted: generate more")
        store.execute(f"CREATE TEMP TABLE copied AS {_RUNS}", [wanted])
        found = store.execute("SELECT * FROM copied ORDER BY scheduled, run_id, attempt")
        names = [column[0] for column in found.description or ()]
        scheduled: list[tuple[str, int]] = []
        with file.open("w") as written:
            while rows := found.fetchmany(10_000):
                runs = [dict(zip(names, row, strict=True)) for row in rows]
                written.writelines(json.dumps(run) + "\n" for run in runs)
                scheduled += [(run["spoke"], run["scheduled"]) for run in runs]
    return Runs(file, known, scheduled)


def milliseconds(moment: datetime) -> int:
    """Since 1970; a moment without a zone is UTC."""
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def ways(runs: Runs) -> dict[str, Sequence[Question]]:
    """Name → what is asked in turn. The first is always the same; the last are so many that none is asked twice."""
    spokes = runs.spokes()
    return {
        f"latest {LIMIT} runs": [Question()],
        f"latest of a spoke ({len(spokes)})": [Question(spoke) for spoke in spokes],
        "older ones, each once": older(runs, spokes),
    }


def older(runs: Runs, spokes: Sequence[str]) -> list[Question]:
    """Different spokes and seconds of the last half of the time that the runs are of."""
    chance = random.Random(1)
    last = runs.scheduled[-1][1] // 1000
    middle = (runs.scheduled[0][1] // 1000 + last) // 2
    # Of a short time there are not so many.
    wanted = min(_ONCE, (last - middle) * len(spokes) // 2)
    found: dict[Question, None] = {}
    while len(found) < wanted:
        moment = datetime.fromtimestamp(chance.randrange(middle, last), UTC)
        found[Question(chance.choice(spokes), moment.replace(tzinfo=None))] = None
    return list(found)
