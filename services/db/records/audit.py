"""Audit events: what was done, by whom. Triggers of the database refuse to change or delete one."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import Json, UtcDateTime


class AuditEventRecord(Record):
    """One event. Append-only."""

    __tablename__ = "audit_events"

    # SQLite numbers rows by itself only in a column of type INTEGER.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    target: Mapped[str | None] = mapped_column(String(300))
    spoke: Mapped[str | None] = mapped_column(String(100))
    environment: Mapped[str | None] = mapped_column(String(40))
    # No foreign key: the event outlives what it speaks of.
    operation_id: Mapped[str | None] = mapped_column(String(36))
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
