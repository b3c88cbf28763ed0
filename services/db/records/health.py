"""What people say of runs and their failures: views they saved, who handles what."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import Json, UtcDateTime


class SavedViewRecord(Record):
    """A search for runs under a name; ``query`` is the address's query string."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("page", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    page: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FailureRecord(Record):
    """Failures of one fingerprint in one graph: who handles them, and up to which occurrence they are handled.

    state: open, acknowledged or resolved. ``handled_to`` is the time of the newest occurrence when it was resolved:
    a later one opens it again.
    """

    __tablename__ = "failures"
    __table_args__ = (UniqueConstraint("spoke", "environment", "graph", "fingerprint"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    spoke: Mapped[str] = mapped_column(String(100))
    environment: Mapped[str] = mapped_column(String(40))
    graph: Mapped[str] = mapped_column(String(300))
    fingerprint: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20), index=True)
    owner: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)
    handled_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reopened: Mapped[int] = mapped_column(default=0)
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
    changed_by: Mapped[str | None] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
