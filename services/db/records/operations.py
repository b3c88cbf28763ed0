"""Operations, their steps, log lines and executed SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import Json, UtcDateTime

# Of what nobody wishes to cancel, and no other operation waits for.
_OPEN = text("parent_id IS NULL AND cancel_requested_by IS NULL AND state IN ('pending', 'running')")


class OperationRecord(Record):
    """One operation. ``revision`` grows with every visible change; the counters number its lines.

    ``fingerprint`` stands for its kind and params: of one, a single operation is open at a time.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_created_at_id", "created_at", "id"),
        Index("ix_operations_kind_state", "kind", "state"),
        Index("ix_operations_spoke_environment", "spoke", "environment"),
        Index(
            "uq_operations_open_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(200))
    spoke: Mapped[str | None] = mapped_column(String(100))
    environment: Mapped[str | None] = mapped_column(String(40))
    queue_key: Mapped[str] = mapped_column(String(200))
    params: Mapped[dict[str, Any]] = mapped_column(Json)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    parent_id: Mapped[str | None] = mapped_column(
        String(36), ForeignKey("operations.id", ondelete="CASCADE"), index=True
    )
    parent_step: Mapped[str | None] = mapped_column(String(100))
    # How often it was started on a person's word: 1, and one more for each resume.
    run: Mapped[int] = mapped_column(Integer, default=1)
    revision: Mapped[int] = mapped_column(Integer, default=0)
    log_count: Mapped[int] = mapped_column(Integer, default=0)
    sql_count: Mapped[int] = mapped_column(Integer, default=0)
    cancel_requested_by: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StepRecord(Record):
    """One step of an operation: exactly one row, however often it was tried."""

    __tablename__ = "operation_steps"
    __table_args__ = (UniqueConstraint("operation_id", "name"),)

    operation_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    progress: Mapped[float | None] = mapped_column(Float)
    message: Mapped[str | None] = mapped_column(Text)
    result: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LogLineRecord(Record):
    """One line of an operation's log; ``seq`` counts from 1 without gaps."""

    __tablename__ = "operation_log"

    operation_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    run: Mapped[int] = mapped_column(Integer)
    step: Mapped[str | None] = mapped_column(String(100))
    attempt: Mapped[int | None] = mapped_column(Integer)
    level: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(Text)


class SqlRecord(Record):
    """One statement an operation executed; ``seq`` counts from 1 without gaps."""

    __tablename__ = "operation_sql"

    operation_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    step: Mapped[str | None] = mapped_column(String(100))
    attempt: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    query_id: Mapped[str | None] = mapped_column(String(60))
    seconds: Mapped[float | None] = mapped_column(Float)
    rows: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
