"""Answers of the account for those who only look: kept ones, however old. Everybody else asks the account.

What is kept is in the catalogue database; the newest answers that were looked at are in memory. Another
process's changes are seen within ``_CHECK_SECONDS``.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from services.core.clock import Clock, utc_now
from services.core.errors import SnowflakeFailed, Unavailable
from services.knowledge.repository import KnownRecords
from services.knowledge.types import Answer, KnownPart, Look, NotYetKnown, Reach, Refusal
from services.snowflake.answers import Answers, Rows

Found = TypeVar("Found")
_CHECK_SECONDS = 1.0
_NEVER = datetime.min.replace(tzinfo=UTC)
# Characters of JSON; as objects they take about four times as much.
_MOST = 8_000_000
# What is asked about, or a column of it, is not there: an answer. Any other error is a reason to ask again.
_ABSENT = frozenset({2003, 2043, 904})
_SELECTS_FROM = re.compile(r"\s*(SELECT|WITH)\b.*\bFROM\b", re.IGNORECASE | re.DOTALL)


def key_of(text: str, values: tuple[Any, ...]) -> str:
    """The same for the same statement with the same values."""
    told = json.dumps([text, [[type(one).__name__, str(one)] for one in values]])
    return hashlib.sha256(told.encode()).hexdigest()


def needs_warehouse(text: str) -> bool:
    """Whether a statement runs in a warehouse: SHOW, DESCRIBE and what selects from nothing do not."""
    return _SELECTS_FROM.match(text) is not None


@dataclass
class Reading:
    """One reading of a part. ``asked`` may be shared by the readings of several parts, so that none asks twice."""

    reach: Reach
    asked: dict[str, Answer] = field(default_factory=dict)
    used: dict[str, Answer] = field(default_factory=dict)
    statements: int = 0


_mode: ContextVar[Look | Reading | None] = ContextVar("knowledge", default=None)


def look(seen: Look | None) -> None:
    """From here on, in this task, who asks only looks; ``seen`` is told of what was shown. None: it does not."""
    _mode.set(seen)


def looks() -> bool:
    """Whether who asks only looks."""
    return isinstance(_mode.get(), Look)


def answered_at(clock: Clock) -> datetime:
    """The moment that the last answer tells of: the present one, unless who asks only looks."""
    seen = _mode.get()
    return seen.last if isinstance(seen, Look) and seen.last is not None else clock()


def shown(as_of: datetime | None) -> None:
    """Who looks is shown something of this age that was not an answer of the account's."""
    seen = _mode.get()
    if isinstance(seen, Look) and as_of is not None:
        seen.saw(as_of)


def seeing(read: Callable[[], Found]) -> tuple[Found, Look]:
    """What ``read()`` returns to one who only looks, and what that one was shown."""
    seen = Look()
    token = _mode.set(seen)
    try:
        return read(), seen
    finally:
        _mode.reset(token)


def shown_as(seen: Look) -> None:
    """Who looks is shown once more what ``seen`` was."""
    mode = _mode.get()
    if isinstance(mode, Look):
        mode.saw_as(seen)


def free_only() -> bool:
    """Whether what is asked now must need no warehouse."""
    mode = _mode.get()
    return isinstance(mode, Reading) and mode.reach == "free"


@contextmanager
def reading(one: Reading) -> Iterator[None]:
    """Within it what is asked is asked of the account, and kept in ``one``."""
    token = _mode.set(one)
    try:
        yield
    finally:
        _mode.reset(token)


class KnownAnswers:
    """``query`` of a connection source, with a memory for those who look."""

    def __init__(self, source: Answers, records: KnownRecords, clock: Clock = utc_now) -> None:
        self._source = source
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        self._parts: dict[str, KnownPart] = {}
        # key → part → when.
        self._index: dict[str, dict[str, datetime]] = {}
        self._kept: OrderedDict[tuple[str, str], tuple[Answer, int]] = OrderedDict()
        self._size = 0
        self._checked = -_CHECK_SECONDS

    def query(self, text: str, values: tuple[Any, ...] = ()) -> Rows:
        """The rows of one statement, each as a dict by column name. Not to be changed by who gets them.

        Who looks gets the kept ones, or NotYetKnown 503.
        """
        mode = _mode.get()
        if mode is None:
            return self._source.query(text, values)
        if isinstance(mode, Reading):
            return _rows(self._read(mode, text, values))
        part, answer = self._known(key_of(text, values))
        mode.saw(answer.as_of, part)
        return _rows(answer)

    def parts(self) -> dict[str, KnownPart]:
        """Every part by name."""
        with self._lock:
            self._check()
            return dict(self._parts)

    def changed(self, part: str | None = None) -> None:
        """What is kept (of a part) has changed: look at once, not after a while."""
        with self._lock:
            if part in self._parts:
                # Whatever its times say, it is another one.
                self._parts[part] = replace(self._parts[part], tried_at=_NEVER)
            self._checked = -_CHECK_SECONDS

    def _read(self, reading: Reading, text: str, values: tuple[Any, ...]) -> Answer:
        key = key_of(text, values)
        found = reading.asked.get(key)
        if found is None:
            if reading.reach == "free" and needs_warehouse(text):
                _, found = self._known(key)
            else:
                found = self._ask(reading, key, text, values)
                reading.asked[key] = found
        reading.used[key] = found
        return found

    def _ask(self, reading: Reading, key: str, text: str, values: tuple[Any, ...]) -> Answer:
        as_of = self._clock()
        reading.statements += 1
        try:
            content: Rows | Refusal = self._source.query(text, values)
        except SnowflakeFailed as error:
            if not isinstance(error.detail, dict) or error.detail.get("errno") not in _ABSENT:
                raise
            content = Refusal(error.message, error.hint, error.detail)
        return Answer(key, text, content, as_of)

    def _known(self, key: str) -> tuple[str, Answer]:
        """The newest kept answer and the part that it is of."""
        with self._lock:
            self._check()
            parts = self._index.get(key)
            while parts:
                part = max(parts, key=lambda name: parts[name])
                answer = self._kept_of(part, key)
                if answer is not None:
                    return part, answer
                # Dropped since, by another process.
                parts.pop(part)
        raise NotYetKnown

    def _kept_of(self, part: str, key: str) -> Answer | None:
        found = self._kept.get((part, key))
        if found is None:
            found = self._records.answer(part, key)
            if found is None:
                return None
            self._kept[part, key] = found
            self._size += found[1]
            while self._size > _MOST and len(self._kept) > 1:
                _, (_, size) = self._kept.popitem(last=False)
                self._size -= size
        else:
            self._kept.move_to_end((part, key))
        return found[0]

    def _check(self) -> None:
        """See whether anything was read anew since."""
        now = time.monotonic()
        if now - self._checked < _CHECK_SECONDS:
            return
        try:
            parts = self._records.parts()
        except Unavailable:
            # The catalogue is locked: what is in memory still holds.
            return
        for name in self._parts.keys() | parts.keys():
            if self._parts.get(name) != parts.get(name):
                self._load(name)
        self._parts, self._checked = parts, now

    def _load(self, part: str) -> None:
        for key in [key for key, parts in self._index.items() if part in parts]:
            self._index[key].pop(part)
            if not self._index[key]:
                del self._index[key]
        for place in [place for place in self._kept if place[0] == part]:
            self._size -= self._kept.pop(place)[1]
        for stored in self._records.index(part):
            self._index.setdefault(stored.key, {})[part] = stored.as_of


def _rows(answer: Answer) -> Rows:
    if isinstance(answer.content, Refusal):
        raise answer.content.error()
    return answer.content
