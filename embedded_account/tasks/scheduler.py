"""Starts root tasks when their time comes, and lets dynamic tables refresh by their lag."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from embedded_account.names import ObjectName
from embedded_account.tasks import store
from embedded_account.tasks.definition import TaskDefinition, now
from embedded_account.tasks.schedule import Schedule

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)
REFRESH_SECONDS = 5.0
Due = Callable[[ObjectName, str, datetime], None]


@dataclass
class Entry:
    task_id: str
    schedule: Schedule
    at: datetime


class Scheduler:
    """Schedules are read when the account opens and whenever a task changes; times missed while it was shut are not
    made up for, and an interval begins anew when the account opens."""

    def __init__(self, account: Account, due: Due) -> None:
        self._account = account
        self._due = due
        self._entries: dict[ObjectName, Entry] = {}
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="task-scheduler", daemon=True),
            threading.Thread(target=self._refresh, name="refresh-scheduler", daemon=True),
        ]

    def start(self) -> None:
        with contextlib.closing(self._account.cursor()) as connection:
            for database in self._account.databases():
                for task in store.in_database(self._account, connection, database):
                    self._note(task)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(10)

    def changed(self, name: ObjectName) -> None:
        """Read a task's schedule and state again."""
        task = store.read(self._account, name)
        with self._changed:
            if task is None:
                self._entries.pop(name, None)
            else:
                self._note(task)
            self._changed.notify_all()

    def _note(self, task: TaskDefinition) -> None:
        if task.schedule is None or not task.started or not task.is_root:
            self._entries.pop(task.name, None)
            return
        schedule = Schedule.of(task.schedule)
        known = self._entries.get(task.name)
        if known is None or known.task_id != task.id or known.schedule != schedule:
            self._entries[task.name] = Entry(task.id, schedule, schedule.after(now()))

    def next_time(self, name: ObjectName) -> datetime | None:
        """When the task runs next by its schedule; None while it is suspended or has none."""
        with self._changed:
            entry = self._entries.get(name)
        return entry.at if entry else None

    def upcoming(self) -> list[tuple[TaskDefinition, datetime]]:
        """The next scheduled run of each root."""
        with self._changed:
            entries = list(self._entries.items())
        found = []
        for name, entry in entries:
            task = store.read(self._account, name)
            if task is not None and task.id == entry.task_id and task.started:
                found.append((task, entry.at))
        return found

    def _run(self) -> None:
        while not self._closed.is_set():
            moment = now()
            with self._changed:
                due = [(name, entry) for name, entry in self._entries.items() if entry.at <= moment]
            for name, entry in due:
                self._fire(name, entry)
            with self._changed:
                times = [entry.at for entry in self._entries.values()]
                wait = (min(times) - now()).total_seconds() if times else None
                if not self._closed.is_set() and (wait is None or wait > 0):
                    # At most a minute, so that a changed clock of the machine is noticed.
                    self._changed.wait(min(wait, 60.0) if wait is not None else None)

    def _fire(self, name: ObjectName, entry: Entry) -> None:
        try:
            task = store.read(self._account, name)
            if task is None or task.id != entry.task_id or not task.started:
                with self._changed:
                    self._entries.pop(name, None)
                return
            at, moment = entry.at, now()
            following = entry.schedule.after(at)
            entry.at = following if following > moment else entry.schedule.after(moment)
            self._due(name, entry.task_id, at)
        except Exception:
            log.exception("scheduled run of task %s could not be started", name)

    def _refresh(self) -> None:
        while not self._closed.wait(REFRESH_SECONDS):
            for refresh in list(self._account.refresh_due):
                try:
                    refresh(self._account, now())
                except Exception:
                    log.exception("scheduled refresh failed")
