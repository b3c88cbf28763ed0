"""What is known of runs, of all spokes and for as long as the history goes back. Times are aware, lengths in seconds.

Functions (`services.health`):

- `runs(RunFilter(...), sort="-started", limit=50, cursor=None) -> RunPage`: one row for each attempt at a graph's
  run; Invalid 422 for a bad filter, sort or cursor.
- `tasks(RunFilter(...), limit=50, cursor=None) -> TaskPage`: task runs, newest first.
- `export(RunFilter(...), sort="-started") -> Iterator[GraphRunRow]`: at most ``MOST_EXPORTED`` of them.
- `daily(RunFilter(...)) -> tuple[DayOfRuns, ...]`: the runs of a filter by day and state.
- `statistics(spoke=None, environment=None, graph=None) -> tuple[GraphStatistics, ...]`.
- `graph(spoke, environment, graph, ...) -> GraphHealth`, `run(spoke, environment, graph, run_id, attempt=None)
  -> RunHealth`: NotFound 404.
- `glance() -> tuple[SpokeHealth, ...]`: each spoke and environment.
- `as_of() -> datetime | None`: when the account last told of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.history.types import GraphRunRow as GraphRunRow
from services.training.types import Attempt, Task, TaskRun

MOST_EXPORTED = 100_000
FAILED_STATES = ("FAILED", "FAILED_AND_AUTO_SUSPENDED")
# Of the graph functions and of TASK_HISTORY.
STATES = (
    "SUCCEEDED",
    "FAILED",
    "FAILED_AND_AUTO_SUSPENDED",
    "CANCELLED",
    "SKIPPED",
    "EXECUTING",
    "SCHEDULED",
)


@dataclass(frozen=True, slots=True)
class TaskRunRow:
    """One execution of one task."""

    spoke: str | None
    environment: str | None
    graph: str
    name: str
    run_id: str
    attempt: int
    state: str
    scheduled_from: str | None
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    query_id: str | None
    return_value: str | None
    error_code: str | None
    error_message: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A part of a list."""

    items: tuple[GraphRunRow, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A part of a list."""

    items: tuple[TaskRunRow, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DayOfRuns:
    """How many attempts were due on a day (UTC), by what became of them; ``other`` go on or wait."""

    day: date
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """How a graph runs: success of what ended well or failed, lengths of what succeeded.

    ``run_p50`` and ``run_p95`` are of the last 7 days, the baseline of the 28 days before those; None of nothing.
    """

    spoke: str | None
    environment: str | None
    graph: str
    runs_7: int
    runs_30: int
    success_7: float | None
    success_30: float | None
    run_p50: float | None
    run_p95: float | None
    queue_p50: float | None
    queue_p95: float | None
    baseline_p50: float | None
    baseline_p95: float | None
    last_run_at: datetime | None
    last_state: str | None

    @property
    def ratio(self) -> float | None:
        """The median against its baseline."""
        if self.run_p50 is None or not self.baseline_p50:
            return None
        return self.run_p50 / self.baseline_p50

    @property
    def typical(self) -> float | None:
        """What a run takes as a rule."""
        return self.baseline_p50 if self.baseline_p50 is not None else self.run_p50


@dataclass(frozen=True, slots=True)
class GridTask:
    """A row of the grid: ``cells`` as long as the grid's runs, each (state, seconds) or None for no execution."""

    name: str
    cells: tuple[tuple[str, float | None] | None, ...]
    failed: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Runs, oldest first, against tasks; ``total`` tasks there are, from ``first`` on these are shown."""

    runs: tuple[GraphRunRow, ...] = ()
    tasks: tuple[GridTask, ...] = ()
    total: int = 0
    first: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the account told last of a graph's root task: started or suspended, its schedule, its next run."""

    state: str | None
    text: str | None
    next_run_at: datetime | None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GraphHealth:
    """One graph. ``shape`` is empty when nobody knows its tasks; ``declared`` ones can be changed from here."""

    spoke: str
    environment: str
    graph: str
    grid: Grid
    recent: tuple[GraphRunRow, ...]
    statistics: GraphStatistics | None
    schedule: Schedule | None
    shape: tuple[Task, ...] = ()
    last_tasks: Mapping[str, TaskRun] | None = None
    declared: bool = False
    deployed: bool = False
    trains: str | None = None
    predicts: str | None = None
    comment: str = ""
    default_config: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A value that is not what it was; None: it is not there."""

    name: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class TaskChange:
    """A task against the last good run. Lengths in seconds; ``missing``: it did not run this time, or not before."""

    name: str
    run_before: float | None
    run_now: float | None
    queue_before: float | None
    queue_now: float | None
    missing: str | None = None

    @property
    def ratio(self) -> float | None:
        if self.run_now is None or not self.run_before:
            return None
        return self.run_now / self.run_before


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different from the newest earlier run that succeeded. The largest changes first."""

    good: GraphRunRow
    version_before: int | None
    version_now: int | None
    config: tuple[Changed, ...]
    returned: tuple[Changed, ...]
    tasks: tuple[TaskChange, ...]

    @property
    def nothing(self) -> bool:
        same = self.version_before == self.version_now
        return same and not (self.config or self.returned or self.tasks)


@dataclass(frozen=True, slots=True)
class RunHealth:
    """One attempt at a run. ``credits`` are of the run with all its attempts, None while the account has not told."""

    row: GraphRunRow
    config: Mapping[str, Any] | None
    attempts: tuple[Attempt, ...]
    tasks: tuple[TaskRun, ...]
    credits: float | None
    difference: Difference | None
    statistics: GraphStatistics | None
    operation_id: str | None = None
    operation_title: str | None = None


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run in a strip. ``seconds`` is None while it goes on."""

    graph: str
    run_id: str
    attempt: int
    state: str
    started_at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SpokeHealth:
    """A spoke in an environment at a glance. ``runs`` are the last 30, oldest first.

    ``slowest`` is the graph that is furthest above its baseline, the longest one where none has a baseline;
    ``failed_graphs`` how many graphs' newest ended run failed.
    """

    spoke: str
    environment: str
    runs: tuple[RunMark, ...]
    success_7: float | None
    success_30: float | None
    slowest: GraphStatistics | None
    next_run_at: datetime | None
    last_run_at: datetime | None
    failed_graphs: int
