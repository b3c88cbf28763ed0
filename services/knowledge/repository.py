"""Known answers and parts in the catalogue database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from services.db.engine import Database
from services.db.records import KnownAnswerRecord, KnownPartRecord
from services.knowledge.encoding import decode, encode
from services.knowledge.types import Answer, KnownPart


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer without its content; ``size`` in characters once it is read."""

    part: str
    key: str
    as_of: datetime


class KnownRecords:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def parts(self) -> dict[str, KnownPart]:
        """Every part by name."""
        with self._database.read() as db:
            query = select(
                KnownPartRecord.part,
                KnownPartRecord.as_of,
                KnownPartRecord.tried_at,
                KnownPartRecord.error,
            )
            return {row.part: KnownPart(*row) for row in db.execute(query.order_by(KnownPartRecord.part))}

    def index(self, part: str) -> list[Stored]:
        """What is kept of a part."""
        with self._database.read() as db:
            query = select(KnownAnswerRecord.part, KnownAnswerRecord.key, KnownAnswerRecord.as_of)
            return [Stored(*row) for row in db.execute(query.where(KnownAnswerRecord.part == part))]

    def answer(self, part: str, key: str) -> tuple[Answer, int] | None:
        """One answer and its size in characters; None when it is there no more."""
        with self._database.read() as db:
            record = db.get(KnownAnswerRecord, (part, key))
            if record is None:
                return None
            kept = (record.key, record.statement, record.answer, record.as_of)
        return Answer(kept[0], kept[1], decode(kept[2]), kept[3]), len(kept[2])

    def keep(self, part: KnownPart, answers: Collection[Answer], *, drop: bool) -> None:
        """Write the part and its answers; with ``drop`` those that are not among them go."""
        # Encoded before the transaction begins, which keeps others waiting.
        texts = {answer.key: encode(answer.content) for answer in answers}
        with self._database.write("soon") as db:
            there = {
                record.key: record
                for record in db.scalars(select(KnownAnswerRecord).where(KnownAnswerRecord.part == part.part))
            }
            for answer in answers:
                record = there.pop(answer.key, None)
                if record is None:
                    record = KnownAnswerRecord(part=part.part, key=answer.key, statement=answer.statement)
                    db.add(record)
                record.answer, record.as_of = texts[answer.key], answer.as_of
            if drop:
                for record in there.values():
                    db.delete(record)
            db.merge(
                KnownPartRecord(part=part.part, as_of=part.as_of, tried_at=part.tried_at, error=part.error)
            )

    def forget(self, parts: Iterable[str]) -> None:
        """Drop parts that are no more."""
        names = list(parts)
        with self._database.write("soon") as db:
            for record in (KnownAnswerRecord, KnownPartRecord):
                db.execute(delete(record).where(record.part.in_(names)))
