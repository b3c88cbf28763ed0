"""Searches for runs that somebody saved under a name."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, Invalid, NotFound
from services.core.texts import require_storable
from services.db.engine import Database
from services.db.records import AuditEventRecord, SavedViewRecord
from services.health.asked import require
from services.health.paging import Order

MOST_NAME, MOST_QUERY, MOST_VIEWS = 100, 4000, 200
_PAGE = "runs"
_SORT = "sort"


@dataclass(frozen=True, slots=True)
class SavedView:
    """``query`` is the query string of the page of runs."""

    id: str
    name: str
    query: str
    created_by: str
    created_at: datetime


class SavedViews:
    """Each name once; each change is an audit event."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def all(self) -> tuple[SavedView, ...]:
        """By name."""
        query = select(SavedViewRecord).where(SavedViewRecord.page == _PAGE)
        with self._database.read() as db:
            found = [_view(record) for record in db.scalars(query)]
        return tuple(sorted(found, key=lambda view: view.name.casefold()))

    def save(self, name: str, query: str, actor: str) -> SavedView:
        """Invalid 422 for a name or a search that is none; Conflict 409 for a name that is taken."""
        name, query = _name(name), self._query(query)
        record = SavedViewRecord(
            id=str(uuid.uuid4()),
            page=_PAGE,
            name=name,
            query=query,
            created_by=actor,
            created_at=self._clock(),
        )
        try:
            with self._database.write() as db:
                if len(db.scalars(select(SavedViewRecord.id)).all()) >= MOST_VIEWS:
                    raise Conflict(
                        f"There are {MOST_VIEWS} saved views", hint="Delete one.", code="too_many_views"
                    )
                db.add(record)
                db.add(self._event("saved_view.create", record, actor, {"name": name, "query": query}))
        except IntegrityError:
            raise _taken(name) from None
        return _view(record)

    def change(
        self, view_id: str, actor: str, name: str | None = None, query: str | None = None
    ) -> SavedView:
        """Another name or another search; NotFound 404, Invalid 422, Conflict 409."""
        try:
            with self._database.write() as db:
                record = db.get(SavedViewRecord, view_id) or _missing(view_id)
                before = {"name": record.name, "query": record.query}
                if name is None and query is None:
                    raise Invalid(
                        "Nothing is to change", hint="Give a name or a query.", code="nothing_to_change"
                    )
                record.name = record.name if name is None else _name(name)
                record.query = record.query if query is None else self._query(query)
                after = {"name": record.name, "query": record.query}
                db.add(self._event("saved_view.change", record, actor, {"before": before, "after": after}))
                db.flush()
                return _view(record)
        except IntegrityError:
            raise _taken(name or "") from None

    def delete(self, view_id: str, actor: str) -> None:
        """NotFound 404."""
        with self._database.write() as db:
            record = db.get(SavedViewRecord, view_id) or _missing(view_id)
            told = {"name": record.name, "query": record.query}
            db.add(self._event("saved_view.delete", record, actor, told))
            db.delete(record)

    def _query(self, query: str) -> str:
        """The query string without what is empty or of a page; Invalid 422 for a filter that is not understood."""
        if len(query) > MOST_QUERY:
            raise Invalid(f"A search has at most {MOST_QUERY} characters", code="too_long")
        require_storable("search", query)
        try:
            found = parse_qsl(query.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(query))
        except ValueError:
            raise Invalid(
                f"{query!r} is no query string",
                hint="Send it as in an address: state=FAILED&time=7d.",
                code="bad_query",
            ) from None
        pairs = [(key, value) for key, value in found if value.strip() and key not in ("cursor", "limit")]
        for key, value in pairs:
            if key == _SORT:
                Order.of(value)
        require([pair for pair in pairs if pair[0] != _SORT], self._clock())
        return urlencode(pairs)

    def _event(
        self, action: str, record: SavedViewRecord, actor: str, detail: dict[str, Any]
    ) -> AuditEventRecord:
        return AuditEventRecord(at=self._clock(), actor=actor, action=action, target=record.id, detail=detail)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= MOST_NAME or not name.isprintable():
        raise Invalid(f"A view's name has 1 to {MOST_NAME} printable characters", code="bad_name")
    return name


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a view {name!r} already", hint="Choose another name, or delete it.", code="name_taken"
    )


def _missing(view_id: str) -> SavedViewRecord:
    raise NotFound(f"There is no saved view {view_id}", code="unknown_view")


def _view(record: SavedViewRecord) -> SavedView:
    return SavedView(record.id, record.name, record.query, record.created_by, record.created_at)
