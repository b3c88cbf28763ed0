"""Starts a run of a graph once, follows it to its end, runs again what failed of it, and cancels it.

EXECUTE TASK returns no run: a request id in its CONFIG tells which one it is, so that a step which is done
again finds the run that it started. https://docs.snowflake.com/en/sql-reference/sql/execute-task
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from services.core.errors import Conflict, NotFound, SnowflakeFailed
from services.operations import StepContext
from services.snowflake.failures import cause, translate
from services.snowflake.identifiers import literal
from services.snowflake.scope import Scope
from services.training.history import FINAL
from services.training.service import Training
from services.training.types import Graph, GraphRun

# How often a run is looked for that may not have been asked for.
_LOOKS = 4


class RunFailed(Conflict):
    """The run of a graph did not succeed; ``detail`` names it and its first failed task."""

    code, title = "run_failed", "The run failed"


class Follower:
    """What the steps of an operation do with a run; ``training`` says what the account knows of it."""

    def __init__(self, training: Training) -> None:
        self._training = training

    def start(
        self,
        context: StepContext,
        scope: Scope,
        graph: str,
        config: dict[str, Any] | None = None,
        wait: bool = False,
    ) -> dict[str, Any]:
        """EXECUTE TASK, unless this operation's run is there already; the run's id.

        While another run executes: GraphBusy, or with ``wait`` its end is waited for. A further EXECUTE TASK
        would wait in the account, where the next one takes its place.
        """
        request = context.operation_id
        if self._training.find(scope, graph, request) is None:
            self._until_free(context, scope, graph, wait)
            merged = json.dumps({**(config or {}), "request_id": request}, sort_keys=True)
            with context.connect() as connection, connection.cursor() as cursor:
                cursor.execute(f"EXECUTE TASK {scope.own(graph)} USING CONFIG = {literal(merged)}")
        for pause in self._training.pace.waits(self._training.pace.patience):
            run_id = self._training.find(scope, graph, request)
            if run_id is not None:
                context.log(f"Run {run_id} of {graph}")
                return {"graph": graph, "run_id": run_id}
            context.sleep(pause)
        raise RunFailed(
            f"{graph} was asked to run, and the account tells of no run",
            hint="Look at the graph's runs, then resume the operation.",
        )

    def _until_free(self, context: StepContext, scope: Scope, graph: str, wait: bool) -> None:
        for pause in self._training.pace.pauses():
            busy = self._training.busy(scope, graph)
            if busy is None:
                return
            if not wait:
                raise self._training.refused_as_busy(scope, busy)
            context.log(f"Waiting for run {busy.run_id} of {graph}")
            context.sleep(pause)

    def follow(self, context: StepContext, scope: Scope, graph: str, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run, through the attempts that the account makes by itself; what its tasks returned.

        Raises RunFailed with the failing task's error. When a person resumed the operation, which may have been
        cancelled before this step began, or the step is done again because the service was interrupted (and the
        embedded account with it), what failed is run again.
        """
        declared: Graph = self._training.require(scope.spoke, scope.environment, graph)
        run: GraphRun = self._training.told(scope, graph, run_id)
        if run.failed and (context.attempt > 1 or context.run > 1):
            run = self.retry(context, scope, run)
        told: set[tuple[str, int, str]] = set()
        following: GraphRun | None = run
        while following is not None:
            run = self._until_final(
                context, scope, following, lambda run: _tell(context, declared, run, told)
            )
            following = self._next_attempt(context, scope, run)
            if following is not None:
                context.log(f"Attempt {following.attempt} of run {run_id}", "warning")
        if run.state != "SUCCEEDED":
            raise _failure(run)
        return {
            "graph": graph,
            "run_id": run.run_id,
            "attempt": run.attempt,
            "state": run.state,
            "tasks": {_short(task.name): task.state for task in run.tasks},
            "returned": {
                _short(task.name): _value(task.return_value) for task in run.tasks if task.return_value
            },
        }

    def _until_final(
        self, context: StepContext, scope: Scope, run: GraphRun, tell: Callable[[GraphRun], bool]
    ) -> GraphRun:
        if run.state == "SCHEDULED":
            context.log(f"Run {run.run_id} waits for the run before it")
        pauses = self._training.pace.pauses()
        while run.state not in FINAL:
            if tell(run):
                pauses = self._training.pace.pauses()
            context.sleep(next(pauses))
            run = self._training.observe(scope, run)
        tell(run)
        return run

    def _next_attempt(self, context: StepContext, scope: Scope, run: GraphRun) -> GraphRun | None:
        """The attempt that the account makes by itself after one that failed, or None.

        https://docs.snowflake.com/en/user-guide/tasks-intro, "Automatically retry failed task runs"
        """
        if not run.state.startswith("FAILED") or run.scheduled_from == "MANUAL RETRY":
            return None
        if run.attempt > self._training.retries(scope, run.graph):
            return None
        if (
            run.completed_at
            and (context.now() - run.completed_at).total_seconds() > self._training.pace.patience
        ):
            return None
        return self._await_attempt(context, scope, run)

    def retry(self, context: StepContext, scope: Scope, run: GraphRun) -> GraphRun:
        """Run the failed part of exactly this run again; the attempt that begins.

        Conflict when the account refuses, as after a change of the graph.
        """
        statement = f"EXECUTE TASK {scope.own(run.graph)} RETRY GRAPH RUN GROUP {literal(run.run_id)}"
        try:
            with context.connect() as connection, connection.cursor() as cursor:
                cursor.execute(statement)
        except Exception as error:
            translated = translate(error)
            if isinstance(translated, SnowflakeFailed):
                raise self._training.changed(scope, run, translated.message) from error
            raise
        context.log(f"Retrying run {run.run_id} of {run.graph}")
        begun = self._await_attempt(context, scope, run)
        if begun is None:
            raise RunFailed(
                f"Run {run.run_id} of {run.graph} was retried, and the account tells of no further attempt",
                hint="Look at the graph's runs, then resume the operation.",
            )
        return begun

    def _await_attempt(self, context: StepContext, scope: Scope, run: GraphRun) -> GraphRun | None:
        pace = self._training.pace
        for pause in pace.waits(pace.patience):
            found: GraphRun = self._training.observe(scope, run)
            if found.attempt > run.attempt:
                return found
            context.sleep(pause)
        return None

    def stop(self, context: StepContext, scope: Scope, graph: str, run_id: str | None = None) -> None:
        """Cancel each task of a run that executes, until nothing of the run is to come.

        Without a ``run_id`` the run of this operation, if it began one. The function reaches the named task
        only, so that the next ones have to be caught as they begin, the finalizer among them.
        https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
        """
        run_id = run_id or self._look_for(context, scope, graph)
        if run_id is None:
            return
        try:
            run: GraphRun | None = self._training.told(scope, graph, run_id)
        except NotFound:
            return
        for pause in self._training.pace.waits(self._training.pace.ending):
            if run is None or (
                run.state in FINAL and (run := self._next_attempt(context, scope, run)) is None
            ):
                context.log(f"Run {run_id} of {graph} is over")
                return
            executing = [task.name for task in run.tasks if task.state == "EXECUTING"]
            if executing:
                with context.connect() as connection, connection.cursor() as cursor:
                    for name in executing:
                        function = "SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS(%s)"
                        cursor.execute(function, (str(scope.own(name)),))
            context.sleep(pause)
            run = self._training.observe(scope, run)
        raise Conflict(
            f"Run {run_id} of {graph} was cancelled, and goes on all the same",
            hint="Look at its tasks in the account. Resume the operation to follow the run, or cancel it again.",
            code="not_cancelled",
        )

    def _look_for(self, context: StepContext, scope: Scope, graph: str) -> str | None:
        pauses = self._training.pace.pauses()
        for _ in range(_LOOKS):
            run_id: str | None = self._training.find(scope, graph, context.operation_id)
            if run_id is not None:
                return run_id
            context.sleep(next(pauses))
        return None


def _tell(context: StepContext, declared: Graph, run: GraphRun, told: set[tuple[str, int, str]]) -> bool:
    """Log each new state of a task and say how far the run is; whether anything was new."""
    new = False
    for task in run.tasks:
        mark = (task.name, task.attempt, task.state)
        if mark in told or task.name == run.graph:
            continue
        told.add(mark)
        new = True
        # A state that was not seen is not told: only what lasts is worth a line.
        if task.state == "EXECUTING":
            continue
        seconds = ""
        if task.started_at and task.completed_at:
            seconds = f" in {(task.completed_at - task.started_at).total_seconds():.1f} s"
        line = f"{_short(task.name)} {task.state.lower()}{seconds}"
        context.log(line, "error" if task.state.startswith("FAILED") else "info")
    done = sum(task.state not in ("EXECUTING", "SCHEDULED") for task in run.tasks)
    now = [_short(task.name) for task in run.tasks if task.state == "EXECUTING"]
    context.progress(min(done / max(len(declared.tasks), 1), 1.0), ", ".join(now) or None)
    return new


def _failure(run: GraphRun) -> RunFailed:
    task = _short(run.first_error_task or run.graph)
    reason = cause(run.first_error_message or "") or f"it is {run.state}"
    return RunFailed(
        f"{task} of {run.graph} failed: {reason}",
        hint="Mend the cause, then resume the operation: it runs again what failed.",
        detail={
            "graph": run.graph,
            "run_id": run.run_id,
            "attempt": run.attempt,
            "task": run.first_error_task,
            "error_code": run.first_error_code,
            "error_message": run.first_error_message,
        },
    )


def _short(task: str) -> str:
    return task.partition("$")[2] or task


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
