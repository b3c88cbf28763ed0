"""Writes what happens to operations: the one place that changes their records.

The journal, not the queue's own database, says what was done. Each method is one transaction, so a
process that dies leaves either the whole change or none of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, NotFound
from services.db.engine import Database
from services.db.records import (
    AuditEventRecord,
    IdempotencyKeyRecord,
    LogLineRecord,
    OperationRecord,
    SqlRecord,
    StepRecord,
)
from services.operations.types import OperationError, OperationState, StepState


@dataclass(frozen=True, slots=True)
class NewOperation:
    """What is written when an operation is submitted. ``steps`` are (name, title)."""

    id: str
    kind: str
    title: str
    actor: str
    spoke: str | None
    environment: str | None
    queue_key: str
    params: dict[str, Any]
    steps: tuple[tuple[str, str], ...]
    parent_id: str | None = None
    parent_step: str | None = None
    run: int = 1


@dataclass(frozen=True, slots=True)
class StepStart:
    """What the runner finds when it turns to a step: ``state`` says whether to run it.

    ``written`` counts the (level, message) lines that earlier attempts of this run wrote.
    """

    state: StepState
    attempt: int = 0
    written: Counter[tuple[str, str]] = field(default_factory=Counter)


class Journal:
    """The record keeper of operations."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock

    def create(self, new: NewOperation, idempotency: tuple[str, str] | None = None) -> tuple[str, bool]:
        """Write a pending operation; returns its id and whether it is new.

        ``idempotency`` is (key, fingerprint): a known key of the same actor gives the operation it started
        before, or Conflict when something else was asked then. A known id gives that operation.
        """
        now = self.clock()
        with self.database.write() as db:
            if idempotency is not None:
                known = db.get(IdempotencyKeyRecord, (new.actor, idempotency[0]))
                if known is not None:
                    _same_request(known, idempotency[1])
                    return known.operation_id, False
            if db.get(OperationRecord, new.id) is not None:
                return new.id, False
            db.add(_operation(new, now))
            db.flush()
            db.add_all(
                StepRecord(
                    operation_id=new.id,
                    position=at,
                    name=name,
                    title=title,
                    state=StepState.PENDING,
                    attempts=0,
                )
                for at, (name, title) in enumerate(new.steps)
            )
            if idempotency is not None:
                key, fingerprint = idempotency
                db.add(
                    IdempotencyKeyRecord(
                        actor=new.actor, key=key, fingerprint=fingerprint, operation_id=new.id, created_at=now
                    )
                )
            self._audit(db, new.actor, f"{new.kind}.submit", db.get_one(OperationRecord, new.id))
        return new.id, True

    def knows(self, actor: str, key: str, fingerprint: str) -> bool:
        """Whether the key was used before for this very request; Conflict when for another."""
        with self.database.read() as db:
            known = db.get(IdempotencyKeyRecord, (actor, key))
            if known is not None:
                _same_request(known, fingerprint)
            return known is not None

    def begin(self, operation_id: str) -> OperationState:
        """The operation's turn has come: pending becomes running. Returns the state it is in now."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if record.state == OperationState.PENDING:
                record.state = OperationState.RUNNING
                record.started_at = record.started_at or self.clock()
                _touch(record)
            return OperationState(record.state)

    def begin_step(self, operation_id: str, name: str) -> StepStart:
        """Turn to a step, counting the attempt, unless it is done or the operation is to be cancelled."""
        now = self.clock()
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            if step.state == StepState.SUCCEEDED:
                return StepStart(StepState.SUCCEEDED)
            if OperationState(record.state).final:
                return StepStart(StepState(record.state))
            if record.cancel_requested_by is not None:
                step.state = StepState.CANCELLED if step.started_at else StepState.PENDING
                self._end(db, record, OperationState.CANCELLED)
                return StepStart(StepState.CANCELLED)
            interrupted = step.state == StepState.RUNNING
            step.state = StepState.RUNNING
            step.attempts += 1
            step.started_at = step.started_at or now
            step.ended_at, step.error = None, None
            written = _written(db, record, name)
            text = f"{step.title}: resumed after an interruption" if interrupted else step.title
            if step.attempts > 1:
                text += f" (attempt {step.attempts})"
            self._line(db, record, name, step.attempts, "step", text)
            return StepStart(StepState.RUNNING, step.attempts, written)

    def retry_step(self, operation_id: str, name: str, error: OperationError, wait: float) -> StepStart:
        """Count one more attempt after a lost connection."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            text = f"{error.message}; trying again in {wait:g} s"
            self._line(db, record, name, step.attempts, "warning", text)
            step.attempts += 1
            return StepStart(StepState.RUNNING, step.attempts, _written(db, record, name))

    def finish_step(self, operation_id: str, name: str, result: Any) -> None:
        """Keep the step's result. A step that has one keeps the first."""
        now = self.clock()
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            if step.state == StepState.SUCCEEDED:
                return
            step.state, step.result, step.ended_at, step.progress = StepState.SUCCEEDED, result, now, 1.0
            _touch(record)

    def fail_step(self, operation_id: str, name: str, error: OperationError) -> None:
        """The step failed, and with it the operation."""
        now = self.clock()
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            step.state, step.ended_at, step.error = StepState.FAILED, now, _error(error)
            self._line(db, record, name, step.attempts, "error", error.message)
            record.error = step.error
            self._end(db, record, OperationState.FAILED)

    def cancel_step(self, operation_id: str, name: str) -> None:
        """The step noticed the wish to cancel and stopped."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            step.state, step.ended_at = StepState.CANCELLED, self.clock()
            self._end(db, record, OperationState.CANCELLED)

    def finish(self, operation_id: str, result: Any) -> None:
        """All steps are done."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if not OperationState(record.state).final:
                record.result = result
                self._end(db, record, OperationState.SUCCEEDED)

    def fail(self, operation_id: str, error: OperationError) -> None:
        """The operation failed outside of a step."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if not OperationState(record.state).final:
                record.error = _error(error)
                self._line(db, record, None, None, "error", error.message)
                self._end(db, record, OperationState.FAILED)

    def request_cancel(self, operation_id: str, actor: str) -> None:
        """Cancel at once what has not begun, ask what runs to stop; its children too.

        Conflict when it is over.
        """
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if OperationState(record.state).final:
                raise Conflict(f"The operation is over: {record.state}", code="operation_over")
            self._audit(db, actor, f"{record.kind}.cancel", record)
            self._cancel(db, record, actor)

    def resume(self, operation_id: str, actor: str, run: int | None = None) -> int:
        """Make a failed or cancelled operation pending again; returns the number of the new run."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if record.state not in (OperationState.FAILED, OperationState.CANCELLED):
                raise Conflict(
                    f"Only a failed or cancelled operation can be resumed; this one is {record.state}",
                    code="not_resumable",
                )
            record.state, record.error, record.ended_at = OperationState.PENDING, None, None
            record.cancel_requested_by = None
            record.run = record.run + 1 if run is None else run
            for step in db.scalars(select(StepRecord).where(StepRecord.operation_id == operation_id)):
                if step.state != StepState.SUCCEEDED:
                    step.state, step.progress, step.message = StepState.PENDING, None, None
                    step.started_at, step.ended_at, step.error = None, None, None
            self._audit(db, actor, f"{record.kind}.resume", record)
            self._line(db, record, None, None, "info", f"Resumed by {actor}")
            return record.run

    def log(self, operation_id: str, step: str, attempt: int, level: str, message: str) -> None:
        """Add one line."""
        with self.database.write() as db:
            self._line(db, _locked(db, operation_id), step, attempt, level, message)

    def progress(self, operation_id: str, name: str, fraction: float | None, message: str | None) -> None:
        """Say how far the step is."""
        with self.database.write() as db:
            _touch(_locked(db, operation_id))
            step = _step(db, operation_id, name)
            step.progress, step.message = fraction, message

    def sql(self, operation_id: str, step: str, attempt: int, **columns: Any) -> None:
        """Add one executed statement; ``columns`` are those of SqlRecord."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            record.sql_count += 1
            _touch(record)
            db.add(
                SqlRecord(
                    operation_id=operation_id, seq=record.sql_count, step=step, attempt=attempt,
                    **{"at": self.clock(), **columns},
                )
            )  # fmt: skip

    def _cancel(self, db: Session, record: OperationRecord, actor: str) -> None:
        record.cancel_requested_by = record.cancel_requested_by or actor
        if record.state == OperationState.PENDING:
            self._end(db, record, OperationState.CANCELLED)
        else:
            _touch(record)
        children = select(OperationRecord).where(
            OperationRecord.parent_id == record.id,
            OperationRecord.state.in_((OperationState.PENDING, OperationState.RUNNING)),
        )
        for child in db.scalars(children.with_for_update()):
            self._cancel(db, child, actor)

    def _end(self, db: Session, record: OperationRecord, state: OperationState) -> None:
        record.state, record.ended_at = state, self.clock()
        level = "error" if state == OperationState.FAILED else "info"
        self._line(db, record, None, None, level, f"Operation {state}")

    def _line(
        self,
        db: Session,
        record: OperationRecord,
        step: str | None,
        attempt: int | None,
        level: str,
        message: str,
    ) -> None:
        # The counter is on the locked row of the operation, so two writers cannot draw one number.
        record.log_count += 1
        _touch(record)
        db.add(
            LogLineRecord(
                operation_id=record.id, seq=record.log_count, at=self.clock(), run=record.run,
                step=step, attempt=attempt, level=level, message=message,
            )
        )  # fmt: skip

    def _audit(self, db: Session, actor: str, action: str, record: OperationRecord) -> None:
        db.add(
            AuditEventRecord(
                at=self.clock(), actor=actor, action=action, target=record.title, spoke=record.spoke,
                environment=record.environment, operation_id=record.id, detail=record.params,
            )
        )  # fmt: skip


def _operation(new: NewOperation, now: Any) -> OperationRecord:
    return OperationRecord(
        id=new.id, kind=new.kind, title=new.title, state=OperationState.PENDING, actor=new.actor,
        spoke=new.spoke, environment=new.environment, queue_key=new.queue_key, params=new.params,
        parent_id=new.parent_id, parent_step=new.parent_step, run=new.run, revision=0, log_count=0,
        sql_count=0, created_at=now,
    )  # fmt: skip


def _same_request(known: IdempotencyKeyRecord, fingerprint: str) -> None:
    if known.fingerprint != fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for another request",
            hint="Send a new key for a new request.",
            code="idempotency_key_reused",
        )


def _locked(db: Session, operation_id: str) -> OperationRecord:
    record = db.scalar(select(OperationRecord).where(OperationRecord.id == operation_id).with_for_update())
    if record is None:
        raise NotFound(f"There is no operation {operation_id}", code="operation_not_found")
    return record


def _step(db: Session, operation_id: str, name: str) -> StepRecord:
    query = select(StepRecord).where(StepRecord.operation_id == operation_id, StepRecord.name == name)
    return db.scalars(query).one()


def _written(db: Session, record: OperationRecord, step: str) -> Counter[tuple[str, str]]:
    query = select(LogLineRecord.level, LogLineRecord.message).where(
        LogLineRecord.operation_id == record.id, LogLineRecord.step == step, LogLineRecord.run == record.run
    )
    return Counter((level, message) for level, message in db.execute(query))


def _touch(record: OperationRecord) -> None:
    record.revision += 1


def _error(error: OperationError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint, "detail": error.detail}
