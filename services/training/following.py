"""Starts a run of a graph once, and follows it to its end, telling what each task does.

EXECUTE TASK returns no run: a request id in its CONFIG tells which one it is, so that a step which is done
again finds the run that it started.
"""

from __future__ import annotations

import json
from typing import Any

from services.core.errors import Conflict
from services.operations import OperationCancelled, StepContext
from services.snowflake.failures import cause
from services.snowflake.identifiers import literal
from services.snowflake.scope import Scope
from services.training.types import Graph, GraphRun

_POLL = (0.15, 1.0)
# How long the account may take to tell of a run that it was asked for.
_PATIENCE_SECONDS = 30.0


class RunFailed(Conflict):
    """The run of a graph did not succeed; ``detail`` names it and its first failed task."""

    code, title = "run_failed", "The run failed"


def start(
    context: StepContext, scope: Scope, graph: str, config: dict[str, Any] | None = None
) -> dict[str, Any]:
    """EXECUTE TASK, unless this operation's run is there already; the run's id."""
    training = context.services.training
    request = context.operation_id
    if training.find(scope, graph, request) is None:
        merged = json.dumps({**(config or {}), "request_id": request}, sort_keys=True)
        with context.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"EXECUTE TASK {scope.own(graph)} USING CONFIG = {literal(merged)}")
    waited, pause = 0.0, _POLL[0]
    while (run := training.find(scope, graph, request)) is None:
        if waited > _PATIENCE_SECONDS:
            raise RunFailed(
                f"{graph} was asked to run, and the account tells of no run",
                hint="Look at the graph's runs, then resume the operation.",
            )
        context.sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, _POLL[1])
    context.log(f"Run {run.run_id} of {graph}")
    return {"graph": graph, "run_id": run.run_id}


def follow(context: StepContext, scope: Scope, graph: str, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run; its tasks and what they returned.

    Raises RunFailed with the failing task's error. When the step is done again, because a person resumed the
    operation or the service was interrupted (and the embedded account with it), what failed is run again.
    Cancelling the operation cancels the run.
    """
    try:
        return _follow(context, scope, graph, run_id)
    except OperationCancelled:
        cancel(context, scope, graph)
        raise


def _follow(context: StepContext, scope: Scope, graph: str, run_id: str) -> dict[str, Any]:
    training = context.services.training
    declared: Graph = training.require(scope.spoke, scope.environment, graph)
    run: GraphRun = training.run(scope.spoke, scope.environment, graph, run_id)
    if run.state.startswith(("FAILED", "CANCELLED")) and context.attempt > 1:
        retry(context, scope, graph)
        run = _await_attempt(context, scope, run, run.attempt + 1)
    told: set[tuple[str, int, str]] = set()
    pause = _POLL[0]
    while run.state not in ("SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"):
        if _tell(context, declared, run, told):
            pause = _POLL[0]
        context.sleep(pause)
        pause = min(pause * 1.3, _POLL[1])
        run = training.run(scope.spoke, scope.environment, graph, run_id)
    _tell(context, declared, run, told)
    if run.state != "SUCCEEDED":
        raise _failure(run)
    return {
        "graph": graph,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "state": run.state,
        "tasks": {_short(task.name): task.state for task in run.tasks},
        "returned": {_short(task.name): _value(task.return_value) for task in run.tasks if task.return_value},
    }


def retry(context: StepContext, scope: Scope, graph: str) -> None:
    """Run the failed part of the last run again."""
    with context.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"EXECUTE TASK {scope.own(graph)} RETRY LAST")
    context.log(f"Retrying the last run of {graph}")


def cancel(context: StepContext, scope: Scope, graph: str) -> None:
    """Stop what runs of a graph.

    https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
    """
    with context.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS(%s)", (str(scope.own(graph)),))


def _await_attempt(context: StepContext, scope: Scope, run: GraphRun, attempt: int) -> GraphRun:
    pause, waited = _POLL[0], 0.0
    while run.attempt < attempt and waited < _PATIENCE_SECONDS:
        context.sleep(pause)
        waited += pause
        run = context.services.training.run(scope.spoke, scope.environment, run.graph, run.run_id)
    return run


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
