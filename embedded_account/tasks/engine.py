"""Runs graphs: on a schedule, by EXECUTE TASK, again after a failure, and again after a crash.

A crash leaves rows in the state EXECUTING. When the account opens, a task run that was executing has failed, with a
message that says so, and its graph goes on from there: other branches, then, if nothing else failed, one automatic
retry more than declared. A run that waited still waits.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from embedded_account.errors import SnowflakeError, does_not_exist
from embedded_account.names import ObjectName
from embedded_account.session import Session
from embedded_account.tasks import attempts, failures, store
from embedded_account.tasks import graph as graphs
from embedded_account.tasks import runs as states
from embedded_account.tasks.active import ActiveRun
from embedded_account.tasks.body import new_row, run_task
from embedded_account.tasks.definition import (
    ALL_OVERLAP,
    CHILD_OVERLAP,
    TaskDefinition,
    now,
)
from embedded_account.tasks.graph import Graph
from embedded_account.tasks.progress import ERRORS, final_state, next_step
from embedded_account.tasks.runs import GraphRun, RunStore, TaskRun
from embedded_account.tasks.scheduler import Scheduler
from embedded_account.tasks.workers import Workers

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)
PARALLEL_TASKS = 16
CLOSE_SECONDS = 10.0
MOST_INTERRUPTIONS = 10
_FINALIZED = (states.SUCCEEDED, states.FAILED, states.CANCELLED)


class TaskEngine:
    """One for each open account. `start` begins to run what is due; `close` leaves what runs for the next start."""

    def __init__(self, account: Account, parallel: int = PARALLEL_TASKS) -> None:
        self.account = account
        self.runs = RunStore(account)
        self.scheduler = Scheduler(account, self.run_scheduled)
        self._deadlines = account.deadlines
        self._workers = Workers(parallel)
        self._active: dict[tuple[int, int], ActiveRun] = {}
        self._waiting: dict[ObjectName, deque[ActiveRun]] = {}
        # Guards the two above; never taken while a run's own lock is wanted.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closing = False

    # ----- opening and closing

    def start(self) -> None:
        self.runs.interrupt_live_tasks()
        for row in self.runs.live_graph_runs():
            graph = graphs.loads(self.runs.version(row.root_id, row.version))
            run = ActiveRun(row, graph, self.runs.task_runs(row.group))
            self._admit(run)
        self.scheduler.start()

    def close(self) -> None:
        """Abort what runs. Its rows stay as they are: the next start treats them as after a crash."""
        self._closing = True
        self.scheduler.close()
        with self._lock:
            running = [session for run in self._active.values() for session in run.sessions.values()]
        for session in running:
            self._deadlines.hasten(session)
        self._workers.close(CLOSE_SECONDS)
        self.runs.close()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no graph runs or waits to run."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._active and not any(self._waiting.values()), seconds
            )

    # ----- starting runs

    def graph_of(self, name: ObjectName) -> Graph:
        """The graph under a root task as it is defined now.

        Raises:
            SnowflakeError: if there is no such task, or it is not a root.
        """
        tasks = store.read_schema(self.account, name.parent)
        task = tasks.get(name.name)
        if task is None:
            raise does_not_exist("Task", str(name))
        if not task.is_root:
            raise SnowflakeError(
                f"Execute task cannot be called on non-root task {name}. Call EXECUTE TASK on the root task of its "
                "graph instead.",
                91110,
                "0A000",
            )
        return graphs.build(name.name, tasks)

    def cut_version(self, graph: Graph) -> int:
        """The graph's version number, a new one if it has changed since the last was cut."""
        version = self.runs.version_of(graph.root.id, graph.dumps())
        if version != graph.root.version:
            store.committed(self.account, graph.everything, graph.root, version)
        return version

    def execute(self, name: ObjectName, config: str | None = None) -> tuple[int, int]:
        """EXECUTE TASK: start a run, or have it wait for one that it may not overlap. Answers (group, attempt)."""
        return self._begin(self.graph_of(name), attempts.MANUAL, now(), config)

    def run_scheduled(self, name: ObjectName, task_id: str, moment: datetime) -> None:
        """Run a root whose time has come; not at all if a run is still going that it may not overlap."""
        task = store.read(self.account, name)
        if task is None or task.id != task_id or not task.started:
            return
        with self._lock:
            if not self._may_start(task) or self._waiting.get(name):
                return
        self._begin(self.graph_of(name), attempts.SCHEDULE, moment, None)

    def _begin(self, graph: Graph, trigger: str, moment: datetime, config: str | None) -> tuple[int, int]:
        row = attempts.first(
            graph.root,
            self.runs.next_group(),
            self.cut_version(graph),
            trigger,
            moment,
            config,
            last=self.runs.last_success(graph.root.id),
            following=self.scheduler.next_time(graph.root.name),
        )
        self._admit(ActiveRun(row, graph), new=True)
        return row.group, row.attempt

    def retry(self, name: ObjectName, group: str | None = None) -> tuple[int, int]:
        """EXECUTE TASK … RETRY LAST, or RETRY GRAPH RUN GROUP: run again what failed, and what comes after it."""
        graph = self.graph_of(name)
        last = self.runs.last_attempt(name, group)
        if last is None:
            missing = "it has not run" if group is None else f"it has no graph run group '{group}'"
            raise attempts.not_retried(name, missing)
        if last.state not in (states.FAILED, states.CANCELLED):
            raise attempts.not_retried(name, f"the state of its run is {last.state}, not FAILED or CANCELLED")
        if last.root_id != graph.root.id or self.runs.version(last.root_id, last.version) != graph.dumps():
            raise attempts.not_retried(name, "its graph was modified after that run")
        if now() - self.runs.first_scheduled(last.group) > attempts.RETRY_WITHIN:
            raise attempts.not_retried(name, "its first attempt was more than 14 days ago")
        row = replace(attempts.following(last, attempts.MANUAL_RETRY), state=states.SCHEDULED, started=None)
        self._admit(ActiveRun(row, graph, self.runs.task_runs(row.group)), new=True)
        return row.group, row.attempt

    # ----- overlap

    def _may_start(self, root: TaskDefinition) -> bool:
        others = [run for run in self._active.values() if run.row.root_name == root.name]
        if root.effective_overlap == ALL_OVERLAP:
            return True
        if root.effective_overlap == CHILD_OVERLAP:
            return not any(run.root_running for run in others)
        return not others

    def _admit(self, run: ActiveRun, new: bool = False) -> None:
        """Start a run now, or when the runs before it allow. A new run is stored first."""
        with self._lock:
            name = run.row.root_name
            resumed = run.row.state == states.EXECUTING
            admitted = resumed or not (self._waiting.get(name) or not self._may_start(run.graph.root))
            if new and admitted:
                attempts.begin(run.row)
            if new:
                replaced = None if admitted else self._displaced(run)
                self.runs.add_graph_run(run.row, None if replaced is None else replaced.row)
                if replaced is not None:
                    self._waiting[name].remove(replaced)
            elif admitted and not resumed:
                attempts.begin(run.row)
                self.runs.update_graph_run(run.row)
            if not admitted:
                self._waiting.setdefault(name, deque()).append(run)
                return
            self._active[run.key] = run
        self._advance(run)

    def _displaced(self, run: ActiveRun) -> ActiveRun | None:
        """The run of EXECUTE TASK that waits, whose place a further one takes.

        https://docs.snowflake.com/en/sql-reference/sql/execute-task
        """
        queue = self._waiting.get(run.row.root_name, deque())
        same = [one for one in queue if one.row.scheduled_from == run.row.scheduled_from == attempts.MANUAL]
        return same[0] if same else None

    def _admit_waiting(self, name: ObjectName) -> None:
        with self._lock:
            queue = self._waiting.get(name)
            if not queue or self._closing or not self._may_start(queue[0].graph.root):
                return
            run = queue.popleft()
            if not queue:
                del self._waiting[name]
            attempts.begin(run.row)
            self.runs.update_graph_run(run.row)
            self._active[run.key] = run
        self._advance(run)

    # ----- advancing a run

    def _advance(self, run: ActiveRun) -> None:
        with run.lock:
            if run.finished or self._closing:
                return
            step = next_step(run.graph, run.states)
            finalizer = run.graph.finalizer
            if step.skip:
                self._skip(run, step.skip)
            for name in step.ready:
                self._submit(run, run.graph.tasks[name])
            if step.busy or (finalizer and run.states.get(finalizer.name.name) == states.EXECUTING):
                return
            self._conclude(run)

    def _skip(self, run: ActiveRun, names: list[str]) -> None:
        rows = []
        for name in names:
            row = new_row(run, run.graph.tasks[name], states.SKIPPED)
            row.completed = now()
            row.error_message = "All predecessors of the task were skipped."
            run.states[name] = states.SKIPPED
            run.rows[name] = row
            rows.append(row)
        self.runs.add_task_runs(rows)

    def _submit(self, run: ActiveRun, task: TaskDefinition) -> None:
        run.states[task.name.name] = states.EXECUTING
        self._workers.submit(lambda: self._run_logged(run, task))

    def _run_logged(self, run: ActiveRun, task: TaskDefinition) -> None:
        """In a thread of the pool, whose errors nobody else would see."""
        try:
            self._run(run, task)
        except Exception:
            log.exception("the run of the graph with root task %s cannot go on", run.row.root_name)

    def _run(self, run: ActiveRun, task: TaskDefinition) -> None:
        name = task.name.name
        try:
            row = self._run_in_session(run, task)
        except Exception:
            log.exception("task %s could not be run", task.name)
            row = new_row(run, task, states.FAILED)
            row.started = row.completed = now()
            row.error_code, row.error_message = "000603", "SQL execution internal error."
        if self._closing and row.state != states.SUCCEEDED:
            return
        with run.lock:
            if name in run.rows:
                self.runs.update_task_run(row)
            else:
                self.runs.add_task_runs([row])
            run.rows[name] = row
            run.states[name] = row.state
            run.sessions.pop(name, None)
        if task.is_root:
            self._admit_waiting(run.row.root_name)
        self._advance(run)

    def _run_in_session(self, run: ActiveRun, task: TaskDefinition) -> TaskRun:
        def begun(row: TaskRun) -> None:
            with run.lock:
                self.runs.add_task_runs([row])
                run.rows[row.name] = row

        session = Session(self.account, task.owner)
        try:
            with run.lock:
                run.sessions[task.name.name] = session
            return run_task(session, run, task, self._deadlines, begun)
        finally:
            session.close()

    # ----- ending a run

    def _conclude(self, run: ActiveRun) -> None:
        """Nothing runs any more: retry, or run the finalizer, or end."""
        state = final_state(run.graph, run.states)
        root, finalizer = run.graph.root, run.graph.finalizer
        retries = root.auto_retry or 0
        declared = run.row.scheduled_from != attempts.MANUAL_RETRY and run.row.attempt <= retries
        # Bounded, because it may be the task itself that ends the account.
        interrupted = _interrupted(run) and run.row.attempt <= retries + MOST_INTERRUPTIONS
        if state == states.FAILED and (interrupted or (declared and not _finalizer_ran(run))):
            self._end(run, state, attempts.following(run.row, attempts.AUTOMATIC_RETRY))
        elif finalizer and finalizer.started and not _finalizer_ran(run) and state in _FINALIZED:
            self._submit(run, finalizer)
        else:
            self._end(run, state)

    def _end(self, run: ActiveRun, state: str, retry: GraphRun | None = None) -> None:
        row = run.row
        row.state, row.completed = state, now()
        failed = [r for r in run.rows.values() if r.state in ERRORS]
        first = min(failed, key=lambda r: r.completed or now()) if failed else None
        if first is not None:
            row.first_error_task, row.first_error_code = first.name, first.error_code
            row.first_error_message = first.error_message
        marked = None
        if retry is None and failures.counted(self.account, run.row, state) and first is not None:
            first.state = states.FAILED_AND_SUSPENDED
            marked = first
            self.scheduler.changed(row.root_name)
        run.finished = True
        self.runs.finish(row, retry, marked)
        with self._changed:
            self._active.pop(run.key, None)
            if retry is not None:
                again = ActiveRun(retry, run.graph, self.runs.task_runs(row.group))
                self._active[again.key] = again
            self._changed.notify_all()
        if retry is not None:
            self._advance(again)
        else:
            self._admit_waiting(row.root_name)

    # ----- what others ask

    def cancel(self, task: TaskDefinition) -> int:
        """Cancel this task where it executes, and no other task of its graph; in how many runs it does."""
        name = task.name.name
        with self._lock:
            active = list(self._active.values())
        count = 0
        for run in active:
            with run.lock:
                # A task that was replaced since is another one.
                if run.states.get(name) != states.EXECUTING or run.graph.task(name).id != task.id:
                    continue
                run.cancelled.add(name)
                session = run.sessions.get(name)
            count += 1
            if session is not None:
                self._deadlines.hasten(session)
        return count


def _interrupted(run: ActiveRun) -> bool:
    """Whether nothing failed but what the account's own end cut off, which is no fault of the graph's."""
    failed = [row for row in run.rows.values() if row.state in ERRORS]
    return bool(failed) and all(row.error_message == states.INTERRUPTED for row in failed)


def _finalizer_ran(run: ActiveRun) -> bool:
    """After the finalizer nothing is retried by itself."""
    finalizer = run.graph.finalizer
    return finalizer is not None and finalizer.name.name in run.states


def open_engine(account: Account) -> TaskEngine:
    """Give the account its task engine, started; it ends when the account closes."""
    engine = TaskEngine(account)
    account.tasks = engine
    account.on_close.append(engine.close)
    engine.start()
    return engine
