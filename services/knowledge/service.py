"""Reads the account for those who look, part by part, by the domains' own read functions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from services.core.clock import Clock, utc_now
from services.core.errors import NotFound, SnowflakeFailed, SpokehubError, Unavailable
from services.core.logging import logger
from services.knowledge.background import Background
from services.knowledge.known import KnownAnswers, Reading, reading
from services.knowledge.repository import KnownRecords
from services.knowledge.types import Answer, KnownPart, NotYetKnown, Outlook, Reach, Refreshed, spoke_part

#: Asks all that a page about one thing asks; what it returns is not looked at.
Read = Callable[[], object]
ReadSpoke = Callable[[str, str], object]

log = logger(__name__)


class Checked(Protocol):
    """What tells a reading to stop: ``check`` raises. A step's context is one."""

    def check(self) -> None: ...


class Knowledge:
    """See types.py. ``places`` lists (spoke, environment) of what is onboarded."""

    def __init__(
        self,
        answers: KnownAnswers,
        records: KnownRecords,
        places: Callable[[], Iterable[tuple[str, str]]],
        clock: Clock = utc_now,
    ) -> None:
        self._answers = answers
        self._records = records
        self._places = places
        self._clock = clock
        self._reads: dict[str, tuple[Read, ...]] = {}
        self._spoke_reads: tuple[ReadSpoke, ...] = ()
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._reading = 0
        self._background = Background(self._read_in_background, clock)

    def learns(self, part: str, *reads: Read) -> None:
        """What is asked for a part (``hub``, ``simulation``)."""
        self._reads[part] = (*self._reads.get(part, ()), *reads)

    def learns_spokes(self, *reads: ReadSpoke) -> None:
        """What is asked for each spoke in each environment."""
        self._spoke_reads = (*self._spoke_reads, *reads)

    def names(self) -> tuple[str, ...]:
        """The parts that there are now."""
        return (*self._reads, *(spoke_part(*place) for place in self._places()))

    def refresh(
        self, part: str | None = None, reach: Reach = "all", context: Checked | None = None
    ) -> tuple[Refreshed, ...]:
        """Ask the account anew for a part, or for all; NotFound 404 for a part that there is not.

        A read function that does not come to its end leaves what it asked before as it was known; an account
        that does not answer leaves all. Both are noted, and nothing of the account's is raised.
        """
        names = self.names()
        if part is None:
            self._forget(set(self._answers.parts()) - set(names))
            return self._refresh(names, reach, context)
        if part not in names:
            raise NotFound(f"There is no part {part!r} to read", hint=f"Known: {', '.join(names)}.")
        return self._refresh((part,), reach, context)

    def settle(self, parts: Sequence[str], context: Checked | None = None) -> tuple[Refreshed, ...]:
        """Read what was changed, as far as it is there."""
        names = self.names() if parts else ()
        return self._refresh([part for part in parts if part in names], "all", context)

    def request(self, parts: Collection[str] = (), wait: float = 0.0) -> None:
        """Read these parts, all when none is named, in the background until the account answers; NotFound 404.

        Returns when each has been tried, after ``wait`` seconds at the latest.
        """
        unknown = sorted(set(parts) - set(self.names()))
        if unknown:
            raise NotFound(f"There is no part {unknown[0]!r} to read", hint="See GET /api/v1/spokes.")
        self._background.request(tuple(parts) or (None,), wait)

    def start(self) -> None:
        """Read what was never read, in the background."""
        known = self._answers.parts()
        unread = [name for name in self.names() if name not in known or known[name].as_of is None]
        if unread:
            self.request(unread)

    def stop(self) -> None:
        """Begin nothing more."""
        self._background.stop()

    def as_of(self, part: str) -> datetime | None:
        """When the part was read as a whole, or None."""
        known = self._answers.parts().get(part)
        return known.as_of if known else None

    def parts(self) -> tuple[KnownPart, ...]:
        """Every part that was tried, by name."""
        return tuple(self._answers.parts().values())

    def errors(self) -> Mapping[str, str]:
        """Why the last reading of a part did not succeed, by part."""
        return {one.part: one.error for one in self.parts() if one.error is not None}

    def outlook(self, parts: Iterable[str] | None = None) -> Outlook:
        """Whether anything is being read, and what the last try of these parts (by default of all) said."""
        names = None if parts is None else set(parts)
        failed = [
            one for one in self.parts() if one.error is not None and (names is None or one.part in names)
        ]
        last = max(failed, key=lambda one: one.tried_at, default=None)
        reads, next_at = bool(self._reading) or self._background.busy, self._background.next_at
        return Outlook(reads, next_at, last.tried_at if last else None, last.error if last else None)

    def _read_in_background(self, part: str | None) -> bool:
        return all(one.error is None for one in self.refresh(part, context=self._background))

    def _forget(self, parts: Iterable[str]) -> None:
        gone = sorted(parts)
        if gone:
            self._records.forget(gone)
            self._answers.changed()

    def _refresh(self, names: Sequence[str], reach: Reach, context: Checked | None) -> tuple[Refreshed, ...]:
        asked: dict[str, Answer] = {}
        found = []
        with self._counted():
            for name in names:
                if context is not None:
                    context.check()
                with self._guard:
                    lock = self._locks.setdefault(name, threading.Lock())
                # One at a time: what was asked before a change must not replace what was asked after it.
                with lock:
                    found.append(self._read(name, reach, asked, context))
        return tuple(found)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._guard:
            self._reading += 1
        try:
            yield
        finally:
            with self._guard:
                self._reading -= 1

    def _read(self, part: str, reach: Reach, asked: dict[str, Answer], context: Checked | None) -> Refreshed:
        began, now = time.perf_counter(), self._clock()
        before = self._answers.parts().get(part)
        as_of = before.as_of if before else None
        taken = _Taken(part, reach, asked)
        for read in self._reads_of(part):
            if context is not None:
                context.check()
            if not taken.take(read):
                break
        if taken.complete:
            as_of = now
        answers = () if taken.away else tuple(taken.answers.values())
        drop = taken.complete and reach == "all"
        self._records.keep(KnownPart(part, as_of, now, taken.error), answers, drop=drop)
        self._answers.changed(part)
        return Refreshed(part, taken.statements, round(time.perf_counter() - began, 3), taken.error)

    def _reads_of(self, part: str) -> list[Read]:
        if part in self._reads:
            return list(self._reads[part])
        for spoke, environment in self._places():
            if spoke_part(spoke, environment) == part:
                return [_of_spoke(read, spoke, environment) for read in self._spoke_reads]
        return []


class _Taken:
    """What one reading of a part came to."""

    def __init__(self, part: str, reach: Reach, asked: dict[str, Answer]) -> None:
        self._part = part
        self._reach = reach
        self._asked = asked
        self.answers: dict[str, Answer] = {}
        self.statements = 0
        self.complete = True
        self.away = False
        self.error: str | None = None

    def take(self, read: Read) -> bool:
        """Let one function ask; whether it is of use to go on. What one that fails asked is not taken."""
        one = Reading(self._reach, self._asked)
        try:
            with reading(one):
                read()
        except NotYetKnown:
            # It needs a warehouse.
            self.complete = False
        except Unavailable as away:
            log.warning("knowledge.account_away", part=self._part, message=away.message)
            self.away = True
            self._failed(away.message)
        except SnowflakeFailed as refused:
            log.warning("knowledge.refused", part=self._part, message=refused.message)
            self._failed(refused.message)
        except SpokehubError:
            # Whoever looks is told the same, and what was asked on the way is needed for that.
            self.answers.update(one.used)
        except Exception as broke:
            log.exception("knowledge.broke", part=self._part)
            self._failed(f"It could not be read: {type(broke).__name__}")
        else:
            self.answers.update(one.used)
        self.statements += one.statements
        return not self.away

    def _failed(self, error: str) -> None:
        self.complete, self.error = False, error


def _of_spoke(read: ReadSpoke, spoke: str, environment: str) -> Read:
    return lambda: read(spoke, environment)
