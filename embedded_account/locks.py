"""Locks on tables: UPDATE, DELETE, MERGE and TRUNCATE of one table follow each other, by transaction.

https://docs.snowflake.com/en/sql-reference/transactions#transaction-commands-and-functions (resource locking). INSERT
and COPY take no lock. DuckDB has none: it refuses the later of two changes, and lets some pass that cross.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from embedded_account.errors import SnowflakeError
from embedded_account.names import ObjectName

if TYPE_CHECKING:
    from embedded_account.session import Session

# How often a waiting statement looks whether it was cancelled, or the holder went away.
_LOOK_SECONDS = 0.1
# A transaction that a client left open and went away from is undone when it keeps others waiting.
IDLE_SECONDS = 300.0


class TableLocks:
    """Held by sessions to the end of their transaction. A procedure's session shares those of its callers."""

    def __init__(self) -> None:
        self._holders: dict[ObjectName, set[Session]] = {}
        self._waiting: dict[Session, ObjectName] = {}
        self._changed = threading.Condition()

    def acquire(self, session: Session, name: ObjectName, seconds: float) -> None:
        """Wait for the table.

        Raises:
            SnowflakeError: 000625 after so many seconds, or when the holder waits for this session; 000604 if the
                statement is cancelled meanwhile.
        """
        end = time.monotonic() + seconds
        with self._changed:
            try:
                while others := self._others(session, name):
                    self._waiting[session] = name
                    if self._blocks(session, others):
                        raise _locked(name, "and waits for this transaction")
                    if time.monotonic() >= end:
                        raise _locked(name, "and this lock has not yet been released")
                    self._changed.wait(min(_LOOK_SECONDS, end - time.monotonic()))
                    if session.cancelled.is_set():
                        raise SnowflakeError("SQL execution canceled", 604, "57014")
                    self._end_idle(others)
                self._holders.setdefault(name, set()).add(session)
            finally:
                self._waiting.pop(session, None)

    def release(self, session: Session) -> None:
        """All that the session holds."""
        with self._changed:
            for name, holders in list(self._holders.items()):
                holders.discard(session)
                if not holders:
                    del self._holders[name]
            self._changed.notify_all()

    def _others(self, session: Session, name: ObjectName) -> set[Session]:
        first = session.outermost
        return {holder for holder in self._holders.get(name, ()) if holder.outermost is not first}

    def _blocks(self, session: Session, holders: set[Session]) -> bool:
        """Whether one of the holders waits, itself or through others, for this session."""
        seen: set[Session] = set()
        while holders - seen:
            holder = (holders - seen).pop()
            seen.add(holder)
            if holder.outermost is session.outermost:
                return True
            if (wanted := self._waiting.get(holder)) is not None:
                holders = holders | self._holders.get(wanted, set())
        return False

    def _end_idle(self, holders: set[Session]) -> None:
        for holder in holders:
            # It releases its locks, which needs this one: it is reentrant.
            holder.roll_back_if_idle(IDLE_SECONDS)


def _locked(name: ObjectName, why: str) -> SnowflakeError:
    return SnowflakeError(
        f"Another statement has locked table '{name}' in a transaction {why}.", 625, "57014"
    )
