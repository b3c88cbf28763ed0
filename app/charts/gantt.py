"""Where a run's time went: each task's wait and work as bars on one axis, in per cent of the run's length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.training.types import TaskRun

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Bar:
    """One task. Offsets and lengths are per cent of the axis; lengths in seconds beside them."""

    name: str
    state: str
    queue_from: float
    queue_width: float
    run_from: float
    run_width: float
    queue_seconds: float | None
    run_seconds: float | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Gantt:
    """The bars in order of start, and the axis in seconds after the first task was due."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    seconds: float


def gantt(tasks: Sequence[TaskRun], now: datetime, whole: Sequence[TaskRun] | None = None) -> Gantt:
    """Lay out the task runs; what still runs reaches to `now`, what never began has no bar and comes last.

    `whole` are all of the run when `tasks` are some: the axis is theirs.
    """
    whole = tasks if whole is None else whole
    begins = [task.scheduled_at or task.started_at for task in whole if task.scheduled_at or task.started_at]
    if not begins:
        return Gantt((), (), 0.0)
    origin = min(begin for begin in begins if begin)
    end = max(_end(task, now) or origin for task in whole)
    total = max((end - origin).total_seconds(), 0.1)
    bars = tuple(_bar(task, origin, total, now) for task in sorted(tasks, key=_order))
    return Gantt(bars, _ticks(total), total)


def _order(task: TaskRun) -> tuple[bool, datetime | str, str]:
    begin = task.started_at or task.scheduled_at
    return (begin is None, begin.isoformat() if begin else "", task.name)


def _end(task: TaskRun, now: datetime) -> datetime | None:
    if task.completed_at:
        return task.completed_at
    if task.state == "EXECUTING":
        return max(now, task.started_at or now)
    return task.started_at or task.scheduled_at


def _bar(task: TaskRun, origin: datetime, total: float, now: datetime) -> Bar:
    due = task.scheduled_at or task.started_at
    begin = task.started_at or (task.completed_at if task.state != "SKIPPED" else due)
    end = _end(task, now)

    def share(moment: datetime | None) -> float:
        return (moment - origin).total_seconds() / total * 100 if moment else 0.0

    queued = (begin - due).total_seconds() if begin and due and begin > due else 0.0
    ran = (end - task.started_at).total_seconds() if task.started_at and end else None
    return Bar(
        name=task.name,
        state=task.state,
        queue_from=round(share(due), 3),
        queue_width=round(queued / total * 100, 3),
        run_from=round(share(task.started_at), 3),
        run_width=round((ran or 0.0) / total * 100, 3),
        queue_seconds=queued if due else None,
        run_seconds=ran,
        attempt=task.attempt,
    )


def _ticks(total: float) -> tuple[Tick, ...]:
    step = next((candidate for candidate in _STEPS if total / candidate <= 6), 86400.0)
    count = int(total / step)
    return tuple(
        Tick(round(index * step / total * 100, 3), _label(index * step, step)) for index in range(count + 1)
    )


def _label(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f} s"
    if step < 60:
        return f"{seconds:.0f} s"
    if step < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
