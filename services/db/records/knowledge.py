"""What the account answered last to what pages ask, so that nobody who looks has to ask it."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import UtcDateTime


class KnownAnswerRecord(Record):
    """The rows of one statement, as JSON text; ``key`` is a hash of the statement and its values.

    What two parts ask is kept with each of them.
    """

    __tablename__ = "known_answers"

    part: Mapped[str] = mapped_column(String(300), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    statement: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    as_of: Mapped[datetime] = mapped_column(UtcDateTime)


class KnownPartRecord(Record):
    """When a part of the account was read as a whole; ``error`` says why the last reading did not succeed."""

    __tablename__ = "known_parts"

    part: Mapped[str] = mapped_column(String(300), primary_key=True)
    as_of: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)
