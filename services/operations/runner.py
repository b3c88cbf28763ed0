"""Runs operations: turns the queue's call into steps, and what steps raise into states."""

import hashlib
import json
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, SpokehubError
from services.core.logging import logger
from services.operations import queue
from services.operations.context import (
    OperationCancelled,
    ServiceStopping,
    StepContext,
    Surroundings,
    jsonable,
)
from services.operations.identifiers import derived_id
from services.operations.journal import Journal, StepStart
from services.operations.queries import Queries
from services.operations.registry import OperationKind, Params, Registry
from services.operations.submissions import NewOperation, Submissions
from services.operations.types import OperationError, OperationState, OperationView, StepState
from services.snowflake.connection import ConnectionSource
from services.snowflake.failures import is_connection_failure, translate

# Who starts what runs by itself; nobody did anything that an audit would tell of.
SCHEDULE = "schedule"
_RETRY_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
_CHILD_POLL = (0.05, 0.5)
_ROOT = Path(__file__).resolve().parents[2]

#: Reads parts of the account anew, as far as they are there; its second argument tells it when to stop.
Settle = Callable[[Sequence[str], "Stopping"], object]

log = logger(__name__)


class Stopping:
    """``check`` raises ServiceStopping once the service stops."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def check(self) -> None:
        if self._event.is_set():
            raise ServiceStopping


class ChildFailed(SpokehubError):
    """An operation that this one started did not succeed; ``detail`` names it."""

    code, status, title = "child_failed", 500, "A part of the operation failed"


class Runner:
    """The body of every run, and the way to start one."""

    def __init__(
        self,
        registry: Registry,
        submissions: Submissions,
        journal: Journal,
        queries: Queries,
        source: ConnectionSource | None,
        clock: Clock = utc_now,
        stopping: threading.Event | None = None,
        settle: Settle | None = None,
    ) -> None:
        self.registry = registry
        self.submissions = submissions
        self.journal = journal
        self.queries = queries
        self.stopping = stopping or threading.Event()
        self._settle = settle
        self.around = Surroundings(
            journal, queries, clock, source, self.stopping, self.run_child, self.start_child
        )

    def new(self, kind: OperationKind[Any], params: Params, actor: str, operation_id: str) -> NewOperation:
        """What to write for an operation of this kind."""
        spoke, environment = kind.target_of(params)
        values = params.model_dump(mode="json")
        return NewOperation(
            id=operation_id,
            kind=kind.kind,
            title=kind.title_of(params),
            actor=actor,
            spoke=spoke,
            environment=environment,
            queue_key=kind.queue_key(params),
            params=values,
            fingerprint=_fingerprint(kind.kind, values),
            audited=not (kind.routine and actor == SCHEDULE),
            steps=tuple((step.name, step.title) for step in kind.steps_of(params)),
        )

    def begin(self, operation_id: str) -> list[str]:
        """The queue's turn for this operation; the names of its steps, none when it is over already."""
        if self.stopping.is_set():
            raise ServiceStopping
        if self.journal.begin(operation_id).final:
            return []
        log.info("operation.started", id=operation_id)
        return [step.name for step in self.queries.get(operation_id).steps]

    def step(self, operation_id: str, name: str) -> str:
        """Do one step unless it is done. Returns the state the step is in at the end."""
        start = self.journal.begin_step(operation_id, name)
        if start.state != StepState.RUNNING and not start.cancelling:
            return str(start.state)
        view = self.queries.get(operation_id)
        outcome, result = (
            ("cancelled", None) if start.cancelling else self._try(view, name, start, self._call)
        )
        if outcome == "succeeded":
            self.journal.finish_step(operation_id, name, result)
        if outcome != "cancelled":
            return outcome
        ended, _ = self._try(view, name, replace(start, cancelling=True), self._cancel)
        if ended != "succeeded":
            return ended
        self._read_changes(view)
        self.journal.cancel_step(operation_id, name)
        return outcome

    def _try(
        self,
        view: OperationView,
        name: str,
        start: StepStart,
        work: Callable[[OperationView, str, StepContext], Any],
    ) -> tuple[str, Any]:
        """Do it, again after a lost connection; how it ended, and what it returned. A failure is written."""
        for wait in (*_RETRY_WAITS, None):
            try:
                return "succeeded", work(view, name, self._context(view, name, start))
            except OperationCancelled:
                return "cancelled", None
            except Exception as error:
                described = describe(error)
                away = is_connection_failure(error)
                if wait is None or not away:
                    if not away:
                        self._read_changes(view)
                    self.journal.fail_step(view.id, name, described)
                    log.warning("operation.step_failed", id=view.id, step=name, exc_info=error)
                    return "failed", None
                again = self.journal.retry_step(view.id, name, described, wait)
                start = replace(again, cancelling=start.cancelling)
                if self.stopping.wait(wait):
                    raise ServiceStopping from error
        raise AssertionError("the last try either returns or fails")

    def finish(self, operation_id: str) -> None:
        """All steps are done: keep the result."""
        view = self.queries.get(operation_id)
        if view.state.final:
            return
        kind = self.registry.get(view.kind)
        result = view.steps[-1].result
        if kind.result is not None:
            context = self._context(view, view.steps[-1].name, StepStart(StepState.RUNNING))
            result = jsonable(kind.result(context, kind.params.model_validate(view.params)))
        self._read_changes(view)
        self.journal.finish(operation_id, result)
        log.info("operation.succeeded", id=operation_id, kind=view.kind)

    def _read_changes(self, view: OperationView) -> None:
        """Whoever looks once the operation is over sees what it did. Not being able to read fails nothing."""
        if self._settle is None:
            return
        try:
            kind = self.registry.get(view.kind)
            self._settle(kind.touches_of(kind.params.model_validate(view.params)), Stopping(self.stopping))
        except Exception as error:
            log.warning("operation.changes_not_read", id=view.id, exc_info=error)

    def broke(self, operation_id: str, error: Exception) -> None:
        """Something outside of the steps failed; of what was interrupted it is written by whoever goes on with it."""
        if self.stopping.is_set():
            return
        self.journal.fail(operation_id, describe(error))

    def run_child(
        self, context: StepContext, kind_name: str, params: Params | dict[str, Any], name: str | None
    ) -> Any:
        """Start, find again or resume a child of a step, and wait for it."""
        return self._await(context, self.start_child(context, kind_name, params, name, context.step))

    def start_child(
        self,
        context: StepContext,
        kind_name: str,
        params: Params | dict[str, Any],
        name: str | None,
        step: str,
    ) -> str:
        """Start, find again or resume the child that ``step`` runs; its id."""
        kind = self.registry.get(kind_name)
        checked = kind.params.model_validate(params) if isinstance(params, dict) else params
        child_id = derived_id(context.operation_id, step, kind_name, name or "")
        child = self.queries.find(child_id)
        if child is None:
            self._refuse_deadlock(context, kind, checked)
            kind.validate(checked)
            new = self.new(kind, checked, context.actor, child_id)
            parts = {f: getattr(new, f) for f in new.__dataclass_fields__}
            parts.update(parent_id=context.operation_id, parent_step=step, run=context.run)
            self.submissions.create(NewOperation(**parts))
        elif child.state.final and child.state != OperationState.SUCCEEDED and child.run < context.run:
            self.journal.resume(child_id, context.actor, context.run)
        child = self.queries.get(child_id)
        if not child.state.final:
            queue.enqueue(child_id, child.run, kind.queue_key(checked))
        return child_id

    def _await(self, context: StepContext, child_id: str) -> Any:
        pause, revision = _CHILD_POLL[0], -1
        while True:
            child = self.queries.get(child_id)
            if child.state == OperationState.SUCCEEDED:
                return child.result
            if child.state == OperationState.CANCELLED:
                if self.queries.state(context.operation_id)[1]:
                    raise OperationCancelled
                raise ChildFailed(f"{child.title} was cancelled", detail={"operation_id": child_id})
            if child.state == OperationState.FAILED:
                raise _child_failure(child)
            if context.cancelled():
                # Cancelling reached the child as well; it may need a moment to stop.
                self._cancel_quietly(child_id, context.actor)
            elif child.revision != revision:
                revision = child.revision
                context.progress(child.progress, _what(child))
            if self.stopping.wait(pause):
                raise ServiceStopping
            pause = min(pause * 1.5, _CHILD_POLL[1])

    def _cancel_quietly(self, child_id: str, actor: str) -> None:
        if not self.queries.state(child_id)[1]:
            try:
                self.journal.request_cancel(child_id, actor)
            except Conflict:
                return

    def _refuse_deadlock(self, context: StepContext, kind: OperationKind[Any], params: Params) -> None:
        key = kind.queue_key(params)
        if key in self.queries.queue_keys(context.operation_id):
            raise SpokehubError(
                f"{kind.kind} would wait for the operation that starts it: both queue as {key!r}",
                hint="Give one of the two kinds another queue key.",
                code="queue_deadlock",
            )

    def _call(self, view: OperationView, name: str, context: StepContext) -> Any:
        context.check()
        return jsonable(self._done(view, context, self.registry.get(view.kind).step(name).function))

    def _cancel(self, view: OperationView, name: str, context: StepContext) -> None:
        undo = self.registry.get(view.kind).step(name).cancel
        if undo is not None:
            self._done(view, context, undo)

    def _done(
        self, view: OperationView, context: StepContext, function: Callable[[StepContext, Any], Any]
    ) -> Any:
        params = self.registry.get(view.kind).params.model_validate(view.params)
        try:
            return function(context, params)
        except (SpokehubError, OperationCancelled):
            raise
        except Exception as error:
            translated = translate(error)
            if translated is None:
                raise
            raise translated from error

    def _context(self, view: OperationView, step: str, start: StepStart) -> StepContext:
        return StepContext(
            self.around,
            operation_id=view.id,
            actor=view.actor,
            run=view.run,
            step=step,
            attempt=start.attempt,
            spoke=view.spoke,
            environment=view.environment,
            written=start.written,
            cancellable=not start.cancelling,
        )


def _fingerprint(kind: str, params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([kind, params], sort_keys=True).encode()).hexdigest()


def describe(error: Exception) -> OperationError:
    """``error`` as it is kept and shown: its own words, and where it was raised."""
    if isinstance(error, SpokehubError):
        return OperationError(error.code, error.message, error.hint, jsonable(error.detail))
    where = _where(error)
    return OperationError(
        "step_error",
        f"{type(error).__name__}: {error}".strip().rstrip(":"),
        "This is a fault of the service. The log of the service has the whole story.",
        {"type": type(error).__name__, "where": where},
    )


def _where(error: Exception) -> str | None:
    """The innermost line of the project's own code that the error passed."""
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            found = f"{path.relative_to(_ROOT)}:{frame.lineno} in {frame.name}"
    return found


def _what(child: OperationView) -> str:
    running = next((step for step in child.steps if step.state == StepState.RUNNING), None)
    if running is None:
        return child.title
    return f"{running.title}: {running.message}" if running.message else running.title


def _child_failure(child: OperationView) -> ChildFailed:
    error = child.error or OperationError("step_error", "It failed without a reason")
    return ChildFailed(
        f"{child.title}: {error.message}",
        hint=error.hint,
        code=error.code,
        detail={"operation_id": child.id, "detail": error.detail},
    )


def wait_until(check: Callable[[], bool], timeout: float, pause: float = 0.05) -> bool:
    """Whether ``check()`` came true within ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not check():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True
