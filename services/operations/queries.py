"""Reads operations for lists, pages and the runner; changes nothing."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from services.core.errors import Invalid, NotFound
from services.db.engine import Database
from services.db.records import LogLineRecord, OperationRecord, SqlRecord, StepRecord
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationError,
    OperationFilter,
    OperationState,
    OperationView,
    Page,
    StepState,
    StepView,
)

# Rows, not records: what is only read needs no identity, and costs half.
_OPERATIONS = OperationRecord.__table__
_STEPS = StepRecord.__table__
OPEN = (OperationState.PENDING, OperationState.RUNNING)


class Queries:
    """Views of operations."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, operation_id: str) -> OperationView:
        """One operation with its steps; NotFound."""
        with self.database.read() as db:
            return _views(db, [_record(db, operation_id)])[0]

    def find(self, operation_id: str) -> OperationView | None:
        """One operation, or None."""
        with self.database.read() as db:
            record = db.get(OperationRecord, operation_id)
            return None if record is None else _views(db, [record])[0]

    def list(
        self, wanted: OperationFilter, limit: int, cursor: str | None, routine: Sequence[str] = ()
    ) -> Page[OperationView]:
        """Newest first. ``cursor`` is what the page before gave; Invalid when it is not one of ours.

        ``routine`` are the kinds that the filter may leave out.
        """
        query = select(_OPERATIONS).order_by(OperationRecord.created_at.desc(), OperationRecord.id.desc())
        for column in ("kind", "state", "spoke", "environment"):
            value = getattr(wanted, column)
            if value is not None:
                query = query.where(getattr(OperationRecord, column) == value)
        if wanted.parent == "none":
            query = query.where(OperationRecord.parent_id.is_(None))
        elif wanted.parent is not None:
            query = query.where(OperationRecord.parent_id == wanted.parent)
        if routine and not wanted.routine and wanted.kind is None:
            failed = OperationRecord.state == OperationState.FAILED
            query = query.where(or_(OperationRecord.kind.not_in(routine), failed))
        with self.database.read() as db:
            if cursor is not None:
                last = db.get(OperationRecord, _decode(cursor))
                if last is None:
                    raise _bad_cursor(cursor)
                key = tuple_(OperationRecord.created_at, OperationRecord.id)
                after = literal(last.created_at, OperationRecord.created_at.type), literal(last.id)
                query = query.where(key < tuple_(*after))
            records = db.execute(query.limit(limit + 1)).all()
            items = tuple(_views(db, records[:limit]))
        return Page(items, _encode(items[-1].id) if len(records) > limit else None)

    def open(self) -> tuple[OperationView, ...]:
        """Pending and running, oldest first, children included."""
        with self.database.read() as db:
            query = select(_OPERATIONS).where(OperationRecord.state.in_(OPEN))
            return tuple(_views(db, db.execute(query.order_by(OperationRecord.created_at)).all()))

    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """(kind, state, number) of all operations."""
        query = select(OperationRecord.kind, OperationRecord.state, func.count()).group_by(
            OperationRecord.kind, OperationRecord.state
        )
        with self.database.read() as db:
            return tuple((kind, state, number) for kind, state, number in db.execute(query))

    def revision(self, operation_id: str) -> int:
        """The number of visible changes so far; NotFound."""
        with self.database.read() as db:
            query = select(OperationRecord.revision).where(OperationRecord.id == operation_id)
            revision = db.scalar(query)
        if revision is None:
            raise _missing(operation_id)
        return revision

    def state(self, operation_id: str) -> tuple[OperationState, bool]:
        """The state and whether cancelling was asked for; NotFound."""
        with self.database.read() as db:
            query = select(OperationRecord.state, OperationRecord.cancel_requested_by).where(
                OperationRecord.id == operation_id
            )
            row = db.execute(query).first()
        if row is None:
            raise _missing(operation_id)
        return OperationState(row[0]), row[1] is not None

    def step_result(self, operation_id: str, name: str) -> Any:
        """What a finished step returned; NotFound when it has not finished."""
        with self.database.read() as db:
            query = select(StepRecord.state, StepRecord.result).where(
                StepRecord.operation_id == operation_id, StepRecord.name == name
            )
            row = db.execute(query).first()
        if row is None or row[0] != StepState.SUCCEEDED:
            raise NotFound(f"Step {name} has no result", code="step_without_result")
        return row[1]

    def queue_keys(self, operation_id: str) -> frozenset[str]:
        """The queue keys that the operation and those above it hold."""
        keys: set[str] = set()
        with self.database.read() as db:
            above: str | None = operation_id
            while above is not None:
                record = _record(db, above)
                keys.add(record.queue_key)
                above = record.parent_id
        return frozenset(keys)

    def log(self, operation_id: str, after: int, limit: int) -> Page[LogLine]:
        """Lines with a greater number than ``after``, in order; NotFound."""
        with self.database.read() as db:
            _record(db, operation_id)
            query = select(LogLineRecord).where(
                LogLineRecord.operation_id == operation_id, LogLineRecord.seq > after
            )
            records = db.scalars(query.order_by(LogLineRecord.seq).limit(limit + 1)).all()
            lines = tuple(
                LogLine(line.seq, line.at, line.step, line.attempt, line.level, line.message)
                for line in records[:limit]
            )
        return Page(lines, str(lines[-1].seq) if len(records) > limit else None)

    def sql(self, operation_id: str, after: int, limit: int) -> Page[ExecutedSql]:
        """Statements with a greater number than ``after``, in order; NotFound."""
        with self.database.read() as db:
            _record(db, operation_id)
            query = select(SqlRecord).where(SqlRecord.operation_id == operation_id, SqlRecord.seq > after)
            records = db.scalars(query.order_by(SqlRecord.seq).limit(limit + 1)).all()
            rows = tuple(
                ExecutedSql(
                    row.seq, row.at, row.step, row.attempt, row.text, row.query_id, row.seconds, row.rows,
                    row.error,
                )
                for row in records[:limit]
            )  # fmt: skip
        return Page(rows, str(rows[-1].seq) if len(records) > limit else None)


def _record(db: Session, operation_id: str) -> OperationRecord:
    record = db.get(OperationRecord, operation_id)
    if record is None:
        raise _missing(operation_id)
    return record


def _missing(operation_id: str) -> NotFound:
    return NotFound(f"There is no operation {operation_id}", code="operation_not_found")


def _views(db: Session, records: Iterable[OperationRecord | Row[Any]]) -> list[OperationView]:
    found = list(records)
    query = select(_STEPS).where(StepRecord.operation_id.in_([record.id for record in found]))
    steps: dict[str, list[StepView]] = {record.id: [] for record in found}
    for step in db.execute(query.order_by(StepRecord.operation_id, StepRecord.position)):
        steps[step.operation_id].append(_step_view(step))
    return [_view(record, tuple(steps[record.id])) for record in found]


def _view(record: OperationRecord | Row[Any], steps: tuple[StepView, ...]) -> OperationView:
    return OperationView(
        id=record.id, kind=record.kind, title=record.title, state=OperationState(record.state),
        actor=record.actor, spoke=record.spoke, environment=record.environment, params=record.params,
        result=record.result, error=_error(record.error), parent_id=record.parent_id,
        parent_step=record.parent_step, run=record.run, revision=record.revision,
        cancelling=record.cancel_requested_by is not None and not OperationState(record.state).final,
        progress=_progress(steps), steps=steps, created_at=record.created_at, started_at=record.started_at,
        ended_at=record.ended_at,
    )  # fmt: skip


def _step_view(step: Row[Any]) -> StepView:
    return StepView(
        name=step.name, title=step.title, state=StepState(step.state), attempts=step.attempts,
        progress=step.progress, message=step.message, result=step.result, error=_error(step.error),
        started_at=step.started_at, ended_at=step.ended_at,
    )  # fmt: skip


def _progress(steps: tuple[StepView, ...]) -> float:
    done = sum(1.0 if step.state == StepState.SUCCEEDED else step.progress or 0.0 for step in steps)
    return round(done / len(steps), 4) if steps else 0.0


def _error(value: dict[str, Any] | None) -> OperationError | None:
    return None if value is None else OperationError(**value)


def _encode(operation_id: str) -> str:
    return base64.urlsafe_b64encode(operation_id.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        operation_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise _bad_cursor(cursor) from None
    if not operation_id.isprintable():
        raise _bad_cursor(cursor)
    return operation_id


def _bad_cursor(cursor: str) -> Invalid:
    return Invalid(
        f"{cursor!r} is not a cursor of this list", hint="Use next_cursor as it was given.", code="bad_cursor"
    )
