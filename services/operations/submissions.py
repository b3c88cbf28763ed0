"""Writes operations as they are submitted: each once, however often and at whatever instant it is asked for.

On SQLite writers wait for each other; on PostgreSQL a unique index over what is open decides who was first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict
from services.db.engine import Database
from services.db.records import AuditEventRecord, IdempotencyKeyRecord, OperationRecord, StepRecord
from services.operations.types import FINAL, OperationState, StepState

T = TypeVar("T")
_TRIES = 3
_AT_ONCE = 500


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
    fingerprint: str
    parent_id: str | None = None
    parent_step: str | None = None
    run: int = 1
    audited: bool = True


class Submissions:
    """The entry of new operations."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock

    def known(self, new: NewOperation, key: str | None = None) -> str | None:
        """The operation that was asked for before: by this idempotency key, or alike and still open.

        Conflict for a key that was used for another request.
        """
        return self._settled(new, key, self._known)

    def create(self, new: NewOperation, key: str | None = None) -> tuple[str, bool]:
        """Write a pending operation, unless it is known or has an id that is there; its id, and whether new.

        A child is found by its id alone.
        """
        return self._settled(new, key, self._create)

    def forget(self, kind: str, before: datetime) -> list[tuple[str, int]]:
        """Delete what ended before, with all that belongs to it; (id, number of its last run) of each."""
        query = select(OperationRecord.id, OperationRecord.run).where(
            OperationRecord.kind == kind,
            OperationRecord.state.in_(FINAL),
            OperationRecord.ended_at < before,
        )
        with self.database.write() as db:
            gone = [(found, run) for found, run in db.execute(query.limit(_AT_ONCE))]
            db.execute(delete(OperationRecord).where(OperationRecord.id.in_([found for found, _ in gone])))
        return gone

    def _settled(
        self, new: NewOperation, key: str | None, look: Callable[[Session, NewOperation, str | None], T]
    ) -> T:
        for _ in range(_TRIES):
            try:
                with self.database.write() as db:
                    return look(db, new, key)
            except IntegrityError as error:
                # Somebody wrote the same between this one's look and its writing: now it is seen.
                lost = error
        raise lost

    def _known(self, db: Session, new: NewOperation, key: str | None) -> str | None:
        if key is not None:
            known = db.get(IdempotencyKeyRecord, (new.actor, key))
            if known is not None:
                _same_request(known, new.fingerprint)
                return known.operation_id
        same = find_open(db, new.fingerprint)
        if same is not None:
            _keep_key(db, new, key, same, self.clock())
        return same

    def _create(self, db: Session, new: NewOperation, key: str | None) -> tuple[str, bool]:
        if db.get(OperationRecord, new.id) is not None:
            return new.id, False
        known = None if new.parent_id else self._known(db, new, key)
        if known is not None:
            return known, False
        now = self.clock()
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
        _keep_key(db, new, key, new.id, now)
        if new.audited:
            audit(db, now, new.actor, f"{new.kind}.submit", db.get_one(OperationRecord, new.id))
        return new.id, True


def audit(db: Session, at: datetime, actor: str, action: str, record: OperationRecord) -> None:
    """Write who did what to an operation."""
    db.add(
        AuditEventRecord(
            at=at, actor=actor, action=action, target=record.title, spoke=record.spoke,
            environment=record.environment, operation_id=record.id, detail=record.params,
        )
    )  # fmt: skip


def _operation(new: NewOperation, now: datetime) -> OperationRecord:
    return OperationRecord(
        id=new.id, kind=new.kind, title=new.title, state=OperationState.PENDING, actor=new.actor,
        spoke=new.spoke, environment=new.environment, queue_key=new.queue_key, params=new.params,
        fingerprint=new.fingerprint, parent_id=new.parent_id, parent_step=new.parent_step, run=new.run,
        revision=0, log_count=0, sql_count=0, created_at=now,
    )  # fmt: skip


def find_open(db: Session, fingerprint: str) -> str | None:
    """The operation of this kind and params that is queued or running; one that is being cancelled is none."""
    query = select(OperationRecord.id).where(
        OperationRecord.fingerprint == fingerprint,
        OperationRecord.cancel_requested_by.is_(None),
        OperationRecord.state.in_((OperationState.PENDING, OperationState.RUNNING)),
    )
    return db.scalar(query.order_by(OperationRecord.created_at).limit(1))


def require_alone(db: Session, record: OperationRecord) -> None:
    """Conflict when another operation of this kind and params is open."""
    same = find_open(db, record.fingerprint) if record.fingerprint else None
    if same is not None:
        raise Conflict(
            "The same is under way in another operation",
            hint=f"Wait for operation {same}, or cancel it.",
            code="already_under_way",
            detail={"operation_id": same},
        )


def _keep_key(db: Session, new: NewOperation, key: str | None, operation_id: str, now: datetime) -> None:
    if key is not None:
        db.add(
            IdempotencyKeyRecord(
                actor=new.actor,
                key=key,
                fingerprint=new.fingerprint,
                operation_id=operation_id,
                created_at=now,
            )
        )


def _same_request(known: IdempotencyKeyRecord, fingerprint: str) -> None:
    if known.fingerprint != fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for another request",
            hint="Send a new key for a new request.",
            code="idempotency_key_reused",
        )
