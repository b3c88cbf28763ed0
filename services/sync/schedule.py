"""Reads the account by itself: a thread that submits ``sync.run`` when it is due, and less often while that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.core.clock import Clock, utc_now
from services.core.errors import SpokehubError
from services.core.logging import logger
from services.core.settings import SyncSettings
from services.operations import OperationFilter, Operations, OperationState
from services.operations.runner import SCHEDULE
from services.sync.marks import Mark
from services.sync.repository import Readings
from services.sync.sources import DAY, HOUR, KIND, LIVE_REFRESHES, TASKS

_KEPT = 2 * DAY
_LONGEST_PAUSE = timedelta(minutes=15)
# How often it is looked whether the one before has ended, or this process may begin.
_LOOK = timedelta(seconds=15)
_AWAY = "account_unavailable"
# What was begun when it was due has read a little later.
_SLACK = timedelta(minutes=1)

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Intervals:
    """How long after one reading the next is due: of what is free, of what needs a warehouse, of Account Usage."""

    free: timedelta
    warehouse: timedelta
    usage: timedelta

    @classmethod
    def of(cls, settings: SyncSettings, embedded: bool) -> Intervals | None:
        """Those of the settings; None when nothing is to be read by itself."""
        if settings.every is None:
            return None
        free = timedelta(seconds=settings.every)
        warehouse = free if embedded else max(free, HOUR)
        if settings.warehouse is not None:
            warehouse = max(free, timedelta(seconds=settings.warehouse))
        return cls(free, warehouse, warehouse)


@dataclass(frozen=True, slots=True)
class Due:
    """When the next reading is due, and what it reads; ``at`` may have passed."""

    at: datetime
    params: dict[str, Any]


def due(
    intervals: Intervals,
    marks: dict[str, Mark],
    begun_at: datetime | None,
    failures: int,
    warm: bool,
    now: datetime,
) -> Due:
    """What is due next.

    ``begun_at`` is when the last reading was submitted, ``failures`` how many failed since one did not,
    ``warm`` whether the warehouse may run because something else used it just now.
    """
    live, usage = _as_of(marks, LIVE_REFRESHES), _as_of(marks, TASKS.name)
    at = now if begun_at is None else begun_at + _pause(intervals.free, failures)
    moment = max(at, now)
    its_turn = live is None or moment - live >= intervals.warehouse - _SLACK
    usage_due = its_turn and (usage is None or moment - usage >= intervals.usage - _SLACK)
    checked = marks[TASKS.name].checked_at if TASKS.name in marks else None
    params = {
        "reach": "all" if its_turn or warm else "free",
        "if_running": warm and not its_turn,
        "usage": usage_due,
        "check": usage_due and (checked is None or moment - checked >= DAY),
    }
    return Due(at, params)


def _pause(free: timedelta, failures: int) -> timedelta:
    return free if failures == 0 else min(free * 2 ** min(failures, 16), max(_LONGEST_PAUSE, free))


def _as_of(marks: dict[str, Mark], source: str) -> datetime | None:
    return marks[source].as_of if source in marks else None


class Schedule:
    """The thread. ``holds()`` says whether this process is the one that reads."""

    def __init__(
        self,
        readings: Readings,
        operations: Operations,
        intervals: Intervals | None,
        warm_for: timedelta,
        holds: Callable[[], bool] = lambda: True,
        clock: Clock = utc_now,
    ) -> None:
        self._readings = readings
        self._operations = operations
        self._intervals = intervals
        self._warm_for = warm_for
        self._holds = holds
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._begun_at: datetime | None = None
        self._last: str | None = None
        self._counted: str | None = None
        self._tidied_at: datetime | None = None

    def start(self) -> None:
        """Begin, unless nothing is to be read by itself."""
        if self._intervals is None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="sync-schedule", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End; what was submitted goes on."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def next(self) -> tuple[datetime, datetime] | None:
        """When the next reading is due, and the next that needs a warehouse; None when nothing is scheduled."""
        if self._intervals is None or self._thread is None:
            return None
        now = self._clock()
        marks = self._readings.marks()
        soonest = due(self._intervals, marks, self._begun_at, self._failures, False, now).at
        live = _as_of(marks, LIVE_REFRESHES)
        return soonest, soonest if live is None else max(soonest, live + self._intervals.warehouse)

    def turn(self) -> timedelta:
        """Submit what is due; how long to wait for the next turn."""
        intervals = self._intervals
        assert intervals is not None
        if not self._holds():
            return _LOOK
        now = self._clock()
        if not self._settled():
            return _LOOK
        self._tidy(now)
        marks = self._readings.marks()
        found = due(intervals, marks, self._begun_at, self._failures, self._warm(now), now)
        if found.at > now:
            return found.at - now
        self._begun_at = now
        self._last = self._operations.submit(KIND, found.params, actor=SCHEDULE).id
        return _LOOK

    def _run(self) -> None:
        # The first pages come before the first reading.
        pause = _LOOK
        while not self._stopping.wait(pause.total_seconds()):
            try:
                pause = self.turn()
            except SpokehubError as error:
                pause = _LOOK
                log.warning("sync.not_scheduled", error=error.message)
            except Exception:
                pause = _LONGEST_PAUSE
                log.exception("sync.not_scheduled")

    def _settled(self) -> bool:
        """Whether the last reading has ended; counts those that failed since one did not.

        An account that does not answer is asked as often as one that does: that costs nothing there.
        """
        if self._last is None:
            known = self._operations.latest(KIND)
            if known is None:
                return True
            self._last, self._begun_at = known.id, known.created_at
        if self._last == self._counted:
            return True
        view = self._operations.queries.find(self._last)
        if view is not None and not view.state.final:
            return False
        failed = view is not None and view.state == OperationState.FAILED
        if failed and view is not None and view.error is not None and view.error.code == _AWAY:
            failed = False
        self._failures = self._failures + 1 if failed else 0
        self._counted = self._last
        return True

    def _warm(self, now: datetime) -> bool:
        """Whether other work was under way just now, so that the warehouse may well be running."""
        newest = self._operations.list(OperationFilter(routine=False), limit=1).items
        if not newest or newest[0].kind == KIND:
            return False
        return newest[0].ended_at is None or now - newest[0].ended_at <= self._warm_for

    def _tidy(self, now: datetime) -> None:
        """Once an hour, forget readings of long ago."""
        if self._tidied_at is None or now - self._tidied_at >= HOUR:
            self._operations.forget(KIND, now - _KEPT)
            self._tidied_at = now
