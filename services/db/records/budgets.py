"""What a spoke may spend in a month."""

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import UtcDateTime


class BudgetRecord(Record):
    """Credits a month; ``spoke`` and ``environment`` are "*" for all. ``warn_at`` is the fraction at which to warn."""

    __tablename__ = "budgets"

    spoke: Mapped[str] = mapped_column(String(100), primary_key=True)
    environment: Mapped[str] = mapped_column(String(40), primary_key=True)
    credits: Mapped[float] = mapped_column(Float)
    warn_at: Mapped[float] = mapped_column(Float)
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
