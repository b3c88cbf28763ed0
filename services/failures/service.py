"""Failures: which groups there are, what state each is in, and what people change about them."""

from __future__ import annotations

import base64
import binascii
import threading
import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.core.clock import Clock, utc_now
from services.core.errors import Invalid, NotFound
from services.core.texts import require_storable
from services.db.engine import Database
from services.db.records import AuditEventRecord, FailureRecord
from services.failures import repository
from services.failures.asked import Change, FailureFilter
from services.failures.repository import Failures as FailedRuns
from services.failures.repository import Row
from services.failures.types import (
    MOST_NOTE,
    MOST_OWNER,
    SORTS,
    STATES,
    Failure,
    FailurePage,
    FailureState,
)
from services.history import History, ages
from services.knowledge.known import shown
from services.snowflake.failures import cause

_MOST_CHANGED = 500
_KEPT_SECONDS = 60


class Failures:
    """See types.py. ``stores``: (database, schema) of feature stores and their environments."""

    def __init__(
        self,
        history: History,
        database: Database,
        clock: Clock = utc_now,
        stores: Mapping[tuple[str, str], str] = MappingProxyType({}),
    ) -> None:
        self._runs = FailedRuns(history, stores)
        self._database = database
        self._clock = clock
        self._history = history
        self._age = ages.Age(history, ages.RUNS, ages.REFRESHES)
        self._changes = 0
        self._kept: _Kept | None = None
        self._lock = threading.Lock()

    def search(
        self, wanted: FailureFilter, sort: str = "last", limit: int = 50, cursor: str | None = None
    ) -> FailurePage:
        """Groups that fit; of one sort value the order is that of the ids."""
        if sort not in SORTS:
            raise Invalid(f"Failures are not sorted by {sort!r}", hint=f"Use one of {', '.join(SORTS)}.")
        if wanted.state is not None and wanted.state not in STATES:
            raise Invalid(f"There is no state {wanted.state!r}", hint=f"Use one of {', '.join(STATES)}.")
        shown(self._age())
        fitting = [one for one in self._all() if _fits(one, wanted)]
        counts = tuple((state, sum(one.state == state for one in fitting)) for state in STATES)
        chosen = [one for one in fitting if wanted.state in (None, one.state)]
        chosen.sort(key=lambda one: _place(one, sort), reverse=True)
        if cursor is not None:
            after = _read(cursor, sort)
            chosen = [one for one in chosen if _place(one, sort) < after]
        items = chosen[:limit]
        following = _write(_place(items[-1], sort)) if len(chosen) > limit else None
        return FailurePage(tuple(items), following, counts)

    def get(self, failure_id: str) -> Failure:
        """One group with its newest occurrences; NotFound 404."""
        shown(self._age())
        found = self._find([failure_id])[0]
        row = {
            "kind": found.kind,
            "spoke": found.spoke,
            "environment": found.environment,
            "subject": found.subject,
            "fingerprint": found.fingerprint,
        }
        return replace(found, occurrences=self._runs.occurrences(row))

    def open_count(self) -> int:
        """Groups that nobody has resolved or acknowledged."""
        return sum(one.state == "open" for one in self._all())

    def open_by_place(self) -> dict[tuple[str, str], int]:
        """Open groups by spoke and environment."""
        found: dict[tuple[str, str], int] = {}
        for one in self._all():
            if one.state == "open":
                found[one.spoke, one.environment] = found.get((one.spoke, one.environment), 0) + 1
        return found

    def change(self, failure_ids: Sequence[str], change: Change, actor: str) -> tuple[Failure, ...]:
        """Change groups, all of them or none. An audit event tells of each with what it was before."""
        check(failure_ids, change)
        found = self._find(list(dict.fromkeys(failure_ids)))
        with self._database.write() as db:
            for one in found:
                self._store(db, one, change, actor)
        self._changes += 1
        return tuple(self._find([one.id for one in found]))

    def _store(self, db: Session, one: Failure, change: Change, actor: str) -> None:
        now = self._clock()
        record = _record_of(db, one)
        if record is None:
            record = FailureRecord(
                id=str(uuid.uuid4()),
                spoke=one.spoke,
                environment=one.environment,
                graph=_graph(one.kind, one.subject),
                fingerprint=one.fingerprint,
                state="open",
                reopened=0,
                changed_at=now,
            )
            db.add(record)
        # An occurrence later than what was handled has opened it again, though nobody wrote that down yet.
        # What was read before may be older than what somebody else did meanwhile.
        if _came_back(record, one.last_at):
            record.reopened += 1
            record.state = "open"
        before = {"state": record.state, "owner": record.owner, "note": record.note}
        if change.state is not None:
            record.state = change.state
            record.handled_to = one.last_at if change.state == "resolved" else None
        if change.owner is not None:
            record.owner = change.owner.strip() or None
        if change.note is not None:
            record.note = change.note.strip() or None
        record.changed_by, record.changed_at = actor, now
        after = {"state": record.state, "owner": record.owner, "note": record.note}
        db.add(
            AuditEventRecord(
                at=now,
                actor=actor,
                action="failure.change",
                target=one.id,
                spoke=one.spoke,
                environment=one.environment,
                detail={"subject": one.subject, "task": one.task, "before": before, "after": after},
            )
        )

    def _find(self, failure_ids: Sequence[str]) -> list[Failure]:
        known = {one.id: one for one in self._all()}
        for failure_id in failure_ids:
            if failure_id not in known:
                raise NotFound(
                    f"There is no failure {failure_id}",
                    hint="It may not have occurred for three months.",
                    code="unknown_failure",
                )
        return [known[failure_id] for failure_id in failure_ids]

    def _all(self) -> tuple[Failure, ...]:
        """Every group, kept for a minute as long as no run and nothing about failures was written."""
        now = self._clock()
        revision = self._database.revision.value
        known = (self._history.commits, self._changes, now.timestamp() // _KEPT_SECONDS)
        with self._lock:
            kept = self._kept
        if kept is not None and kept.known == known:
            if kept.revision == revision:
                return kept.found
            with self._database.read() as db:
                (count, changed_at) = db.execute(
                    select(func.count(), func.max(FailureRecord.changed_at))
                ).one()
            if (count, changed_at) == kept.records:
                with self._lock:
                    self._kept = replace(kept, revision=revision)
                return kept.found
        with self._database.read() as db:
            records = {
                (record.spoke, record.environment, record.graph, record.fingerprint): record
                for record in db.scalars(select(FailureRecord))
            }
        found = tuple(_failure(row, records, now) for row in self._runs.groups(now))
        changed_at = max((record.changed_at for record in records.values()), default=None)
        with self._lock:
            self._kept = _Kept(revision, known, (len(records), changed_at), found)
        return found


@dataclass(frozen=True)
class _Kept:
    """The groups, what they were made of, and the revision at which that was looked at last."""

    revision: int
    known: Hashable
    records: tuple[int, datetime | None]
    found: tuple[Failure, ...]


def _failure(row: Row, records: dict[tuple[str, str, str, str], FailureRecord], now: datetime) -> Failure:
    key = (row["spoke"], row["environment"], _graph(row["kind"], row["subject"]), row["fingerprint"])
    record = records.get(key)
    state: FailureState = "open"
    reopened = 0
    if record is not None:
        state, reopened = _state(record), record.reopened
        if _came_back(record, row["last_at"]):
            state, reopened = "open", reopened + 1
    last = repository.occurrence(row, row["last_at"])
    return Failure(
        id=repository.group_id(
            row["kind"], row["spoke"], row["environment"], row["subject"], row["fingerprint"]
        ),
        kind=row["kind"],
        spoke=row["spoke"],
        environment=row["environment"],
        subject=row["subject"],
        task=row["task"],
        fingerprint=row["fingerprint"],
        state=state,
        count=row["count"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        last=last,
        headline=cause(last.message) or "It failed without a message",
        owner=record.owner if record else None,
        note=record.note if record else None,
        reopened=reopened,
        changed_by=record.changed_by if record else None,
        changed_at=record.changed_at if record else None,
        recovered_at=row["recovered_at"],
        by_day=tuple(sorted(row["by_day"].items())),
    )


def _came_back(record: FailureRecord, last_at: datetime) -> bool:
    """Whether it occurred since it was resolved."""
    return record.state == "resolved" and (record.handled_to is None or last_at > record.handled_to)


def _state(record: FailureRecord) -> FailureState:
    return next(state for state in STATES if state == record.state)


def _graph(kind: str, subject: str) -> str:
    """How the catalogue calls a subject: a refresh is not mistaken for a graph of the same name."""
    return subject if kind == "graph" else f"refresh:{subject}"


def _record_of(db: Session, one: Failure) -> FailureRecord | None:
    query = select(FailureRecord).where(
        FailureRecord.spoke == one.spoke,
        FailureRecord.environment == one.environment,
        FailureRecord.graph == _graph(one.kind, one.subject),
        FailureRecord.fingerprint == one.fingerprint,
    )
    return db.scalars(query).first()


def _fits(one: Failure, wanted: FailureFilter) -> bool:
    """Whether a group fits, whatever its state."""
    for field in ("spoke", "environment", "subject", "kind"):
        value = getattr(wanted, field)
        if value is not None and getattr(one, field) != value:
            return False
    if wanted.owner is not None and (one.owner or "") != wanted.owner:
        return False
    if wanted.text:
        text = wanted.text.casefold()
        return any(text in part.casefold() for part in (one.last.message, one.subject, one.task or ""))
    return True


def check(failure_ids: Sequence[str], change: Change) -> None:
    """Refuse what cannot be changed: Invalid."""
    if not failure_ids:
        raise Invalid("No failure is chosen", hint="Choose at least one.", code="nothing_chosen")
    if len(failure_ids) > _MOST_CHANGED:
        raise Invalid(f"At most {_MOST_CHANGED} failures are changed at once", code="too_many")
    if change.state is None and change.owner is None and change.note is None:
        raise Invalid(
            "Nothing is to change", hint="Give a state, an owner or a note.", code="nothing_to_change"
        )
    if change.state is not None and change.state not in STATES:
        raise Invalid(f"There is no state {change.state!r}", hint=f"Use one of {', '.join(STATES)}.")
    for name, value, most in (("owner", change.owner, MOST_OWNER), ("note", change.note, MOST_NOTE)):
        if value is not None and len(value) > most:
            raise Invalid(f"The {name} has at most {most} characters", code="too_long")
        require_storable(name, value)


def _place(one: Failure, sort: str) -> tuple[Any, str]:
    """Where a group stands, greatest first."""
    if sort == "count":
        return f"{one.count:012d}", one.id
    moment = one.last_at if sort == "last" else one.first_at
    return moment.isoformat(timespec="microseconds"), one.id


def _write(place: tuple[Any, str]) -> str:
    return base64.urlsafe_b64encode("|".join(place).encode()).decode().rstrip("=")


def _read(cursor: str, sort: str) -> tuple[Any, str]:
    try:
        value, _, failure_id = (
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rpartition("|")
        )
    except (binascii.Error, ValueError):
        value = ""
    if not value or value.isdigit() != (sort == "count"):
        raise Invalid(
            "The cursor is not one of this list", hint="Use next_cursor as it was given.", code="bad_cursor"
        )
    return value, failure_id
