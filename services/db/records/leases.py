"""Who may write what only one process may write."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import UtcDateTime


class LeaseRecord(Record):
    """One lease: its holder keeps it by renewing it before it ends."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
