"""Writes what happens to operations once they are submitted: the one place that changes their records.

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
    LogLineRecord,
    OperationRecord,
    SqlRecord,
    StepRecord,
)
from services.operations.submissions import audit, require_alone
from services.operations.types import OperationError, OperationState, StepState


@dataclass(frozen=True, slots=True)
class StepStart:
    """What the runner finds when it turns to a step: ``state`` says whether to run it.

    ``cancelling`` says that it is to be cancelled instead. ``written`` counts the (level, message) lines that
    earlier attempts of this run wrote.
    """

    state: StepState
    attempt: int = 0
    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    cancelling: bool = False


class Journal:
    """The record keeper of operations."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock

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
                written = _written(db, record, name)
                return StepStart(StepState(step.state), step.attempts, written, cancelling=True)
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
        """The step noticed the wish to cancel and stopped, or did not begin."""
        with self.database.write() as db:
            record = _locked(db, operation_id)
            step = _step(db, operation_id, name)
            if step.started_at is not None:
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
            audit(db, self.clock(), actor, f"{record.kind}.cancel", record)
            self._cancel(db, record, actor)

    def resume(self, operation_id: str, actor: str, run: int | None = None) -> int:
        """Make a failed or cancelled operation pending again; returns the number of the new run.

        Conflict while another of its kind and params is open.
        """
        with self.database.write() as db:
            record = _locked(db, operation_id)
            if record.state not in (OperationState.FAILED, OperationState.CANCELLED):
                raise Conflict(
                    f"Only a failed or cancelled operation can be resumed; this one is {record.state}",
                    code="not_resumable",
                )
            if record.parent_id is None:
                require_alone(db, record)
            record.state, record.error, record.ended_at = OperationState.PENDING, None, None
            record.cancel_requested_by = None
            record.run = record.run + 1 if run is None else run
            for step in db.scalars(select(StepRecord).where(StepRecord.operation_id == operation_id)):
                if step.state != StepState.SUCCEEDED:
                    step.state, step.progress, step.message = StepState.PENDING, None, None
                    step.started_at, step.ended_at, step.error = None, None, None
            audit(db, self.clock(), actor, f"{record.kind}.resume", record)
            self._line(db, record, None, None, "info", f"Resumed by {actor}")
            return record.run

    def log(self, operation_id: str, step: str, attempt: int, level: str, message: str) -> None:
        """Add one line."""
        with self.database.write("soon") as db:
            self._line(db, _locked(db, operation_id), step, attempt, level, message)

    def progress(self, operation_id: str, name: str, fraction: float | None, message: str | None) -> None:
        """Say how far the step is."""
        with self.database.write("soon") as db:
            _touch(_locked(db, operation_id))
            step = _step(db, operation_id, name)
            step.progress, step.message = fraction, message

    def sql(self, operation_id: str, step: str, attempt: int, **columns: Any) -> None:
        """Add one executed statement; ``columns`` are those of SqlRecord."""
        with self.database.write("soon") as db:
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
