"""Operations as the rest of the program sees them: submit, look, cancel, resume."""

import itertools
import json
import threading
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, Invalid, Unavailable
from services.core.logging import logger
from services.core.texts import refusal
from services.db.engine import Database
from services.knowledge.remembered import Remembered
from services.operations import queue
from services.operations.context import until
from services.operations.identifiers import new_id
from services.operations.journal import Journal
from services.operations.queries import Queries
from services.operations.registry import Params, Registry
from services.operations.runner import Runner, Settle, wait_until
from services.operations.submissions import Submissions
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationError,
    OperationFilter,
    OperationView,
    Page,
)
from services.snowflake.connection import ConnectionSource

MAX_PAGE = 5000
# The queue's library takes half a second to load; pages that are waited for come before it.
_AFTER_PAGES = 0.25
_START_WAITS = (0.5, 1.0, 2.0, 5.0)

log = logger(__name__)


class Operations:
    """Long work, durable. One for each process; ``start`` takes up what was interrupted.

    ``settle(parts, context)`` reads what an operation changed, before it is over.
    """

    def __init__(
        self,
        registry: Registry,
        database: Database,
        *,
        url: str,
        source: ConnectionSource | None = None,
        settle: Settle | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.registry = registry
        self.queries = Queries(database)
        self.submissions = Submissions(database, clock)
        self.journal = Journal(database, clock)
        stopping = threading.Event()
        # What runs has time: a database that is locked for a while is no reason to fail.
        patient = database.patient(until(stopping))
        self.runner = Runner(
            registry,
            Submissions(patient, clock),
            Journal(patient, clock),
            Queries(patient),
            source,
            clock,
            stopping,
            settle,
        )
        self._remembered = Remembered(database.revision)
        self._url = url
        self._clock = clock
        self._accepting = self._started = self._elsewhere = False
        self._starter: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether what is submitted is worked on by now."""
        return self._started or self._elsewhere

    @property
    def at_rest(self) -> bool:
        """Whether no step runs here, not even one that should have stopped."""
        return queue.at_rest()

    def start(self) -> None:
        """Begin to work, with what an earlier process left first."""
        self._accepting = True
        queue.start(self._url, self.runner)
        self._started = True
        # What is written before this is found here, what is written after it was handed to the queue.
        for view in self.queries.open():
            self._take_up(view)

    def start_soon(self) -> None:
        """``start`` in a thread of its own, again while it fails. What is submitted meanwhile is worked on then.

        Also after ``stop``, once it is ``at_rest``.
        """
        self._accepting = True
        self._stop_asking(_START_WAITS[-1])
        self.runner.stopping.clear()
        self._starter = threading.Thread(target=self._start_patiently, name="operations-start", daemon=True)
        self._starter.start()

    def start_elsewhere(self) -> None:
        """Accept what is submitted, for another process to work on; ``start_soon`` when that has ended."""
        self._accepting = self._elsewhere = True
        queue.ask(self._url)
        # What was submitted while this process stopped working.
        for view in self.queries.open():
            declared = self.registry.get(view.kind)
            queue.hand_over(view.id, view.run, declared.queue_key(_params(declared.params, view.params)))

    def _stop_asking(self, timeout: float) -> None:
        if self._elsewhere:
            queue.stop_asking(timeout)
            self._elsewhere = False

    def _start_patiently(self) -> None:
        if self.runner.stopping.wait(_AFTER_PAGES):
            return None
        for wait in itertools.chain(_START_WAITS, itertools.repeat(_START_WAITS[-1])):
            try:
                return self.start()
            except Exception:
                log.exception("operations.not_started", again_in=wait)
                self._started = False
                queue.discard()
            if self.runner.stopping.wait(wait):
                return None
        return None

    def stop(self, timeout: float = 10.0) -> bool:
        """Stop working; what is interrupted goes on at the next start. Returns whether all ended in time."""
        if not self._accepting:
            return True
        self._accepting = False
        self.runner.stopping.set()
        self._stop_asking(timeout)
        if self._starter is not None:
            self._starter.join()
        if not self._started:
            return True
        self._started = False
        return queue.stop(timeout)

    def submit(
        self,
        kind: str,
        params: Params | dict[str, Any],
        *,
        actor: str,
        idempotency_key: str | None = None,
        operation_id: str | None = None,
    ) -> OperationView:
        """Check, write and queue an operation; returns it, pending.

        Raises Invalid for parameters of the wrong form, what the kind's ``validate`` raises, and Conflict
        when the key was used for another request. A repeated key returns what it started, unchecked, and so
        does an ``operation_id`` that exists: give one (``derived_id``) for what must never run twice. Whoever
        asks for what is queued or running already, kind and parameters alike, is given that.
        """
        if not self._accepting:
            raise Unavailable("The service is stopping or not yet started", hint="Try again in a moment.")
        if operation_id is not None and (known := self.queries.find(operation_id)) is not None:
            return known
        declared = self.registry.get(kind)
        checked = _params(declared.params, params)
        _check_text(checked)
        new = self.runner.new(declared, checked, actor, operation_id or new_id(self._clock()))
        key = None if idempotency_key is None else _key(idempotency_key)
        before = self.submissions.known(new, key)
        if before is None:
            declared.validate(checked)
        found, created = (before, False) if before else self.submissions.create(new, key)
        view = self.queries.get(found)
        if not view.state.final:
            queue.hand_over(found, view.run, declared.queue_key(checked))
        if created:
            log.info("operation.submitted", id=found, kind=kind, actor=actor)
        return view

    def get(self, operation_id: str) -> OperationView:
        """One operation; NotFound."""
        return self.queries.get(operation_id)

    def list(
        self, where: OperationFilter | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[OperationView]:
        """Operations, newest first; Invalid for a cursor that is not ours."""
        most = min(max(limit, 1), MAX_PAGE)
        return self.queries.list(where or OperationFilter(), most, cursor, self.registry.routine)

    def latest(
        self, kind: str, spoke: str | None = None, environment: str | None = None
    ) -> OperationView | None:
        """The newest operation of a kind, or None."""
        page = self.list(OperationFilter(kind=kind, spoke=spoke, environment=environment), limit=1)
        return page.items[0] if page.items else None

    def running(self) -> tuple[OperationView, ...]:
        """What is pending or running, newest first, without children and without what runs by itself."""
        routine = self.registry.routine
        views = self._remembered.get("open", self.queries.open)
        found = [view for view in views if view.parent_id is None and view.kind not in routine]
        return tuple(reversed(found))

    def open(self, kind: str) -> OperationView | None:
        """The oldest of this kind that is pending or running."""
        return next((view for view in self.queries.open() if view.kind == kind), None)

    def forget(self, kind: str, before: datetime) -> int:
        """Delete the operations of a routine kind that ended before, whole; how many. Failed ones, too."""
        if not self.registry.get(kind).routine:
            raise ValueError(f"{kind} is no routine: what it did is kept")
        gone = self.submissions.forget(kind, before)
        if self._started and gone:
            queue.forget([f"{one}:{run}" for one, last in gone for run in range(1, last + 1)])
        return len(gone)

    def log(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[LogLine]:
        """Log lines after a number; NotFound."""
        return self.queries.log(operation_id, after, min(max(limit, 1), MAX_PAGE))

    def sql(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[ExecutedSql]:
        """Executed statements after a number; NotFound."""
        return self.queries.sql(operation_id, after, min(max(limit, 1), MAX_PAGE))

    def revision(self, operation_id: str) -> int:
        """Grows with each visible change; NotFound."""
        return self.queries.revision(operation_id)

    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """(kind, state, number)."""
        return self.queries.counts()

    def cancel(self, operation_id: str, actor: str) -> OperationView:
        """Cancel: at once when pending, at the next safe point when running. Conflict when it is over."""
        self.journal.request_cancel(operation_id, actor)
        return self.queries.get(operation_id)

    def resume(self, operation_id: str, actor: str) -> OperationView:
        """Go on from the step that failed or was cancelled; one that was resumed and goes on is found.

        Conflict in every other state.
        """
        view = self.queries.get(operation_id)
        if view.parent_id is not None:
            raise Conflict(
                "This operation is a part of another one",
                hint=f"Resume {view.parent_id}; it goes on with this one.",
                code="not_resumable",
            )
        declared = self.registry.get(view.kind)
        params = _params(declared.params, view.params)
        try:
            run = self.journal.resume(operation_id, actor)
        except Conflict:
            view = self.queries.get(operation_id)
            if view.state.final or view.cancelling or view.run == 1:
                raise
            run = view.run
        queue.hand_over(operation_id, run, declared.queue_key(params))
        return self.queries.get(operation_id)

    def wait(self, operation_id: str, timeout: float = 60.0) -> OperationView:
        """Wait for the end; returns the operation as it then is, over or not."""
        wait_until(lambda: self.queries.state(operation_id)[0].final, timeout)
        return self.queries.get(operation_id)

    def _take_up(self, view: OperationView) -> None:
        """Queue what is open but unknown to the queue: the process died between the two writes."""
        state = queue.status(view.id, view.run)
        if state in ("ERROR", "SUCCESS", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
            error = OperationError("interrupted", "The run ended without a result", "Resume the operation.")
            self.journal.fail(view.id, error)
        elif state is None:
            declared = self.registry.get(view.kind)
            params = _params(declared.params, view.params)
            queue.enqueue(view.id, view.run, declared.queue_key(params))


def _params(model: type[Params], params: Params | dict[str, Any]) -> Params:
    if isinstance(params, model):
        return params
    try:
        return model.model_validate(params)
    except ValidationError as error:
        faults = [
            {"field": ".".join(map(str, fault["loc"])), "message": refusal(fault)} for fault in error.errors()
        ]
        # What is wrong with several fields together has no field.
        said = ": ".join(part for part in faults[0].values() if part)
        raise Invalid(said, code="invalid_params", detail=faults) from None


def _check_text(params: Params) -> None:
    """Invalid for what no database and no answer can hold: half of a character, NaN, what is nested without end."""
    try:
        json.dumps(params.model_dump(), default=str, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"The parameters cannot be written down: {_reason(error)}", code="invalid_params"
        ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "they contain half of a character, a lone surrogate"
    return "they are nested too deeply" if isinstance(error, RecursionError) else str(error)


def _key(key: str) -> str:
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise Invalid("An Idempotency-Key has 1 to 200 printable characters", code="bad_idempotency_key")
    return key
