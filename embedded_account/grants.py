"""Which roles hold what: the records of grants by who they were given to, kept in memory.

They are asked before each statement, and far too often for a query of the account's file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from embedded_account.catalog import Record

KIND = "GRANT"


class GrantIndex:
    """Follows the records of grants: `add` what is written, `remove` what is deleted."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_grantee: dict[tuple[str, str], dict[str, Record]] = {}
        self._lock = threading.Lock()
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        key = (record.body["grantee_kind"], record.body["grantee"])
        with self._lock:
            self._by_grantee[key] = {**self._by_grantee.get(key, {}), record.name: record}

    def remove(self, name: str) -> None:
        with self._lock:
            for key, held in self._by_grantee.items():
                if name in held:
                    self._by_grantee[key] = {k: v for k, v in held.items() if k != name}
                    return

    def of(self, kind: str, grantee: str) -> Iterable[Record]:
        """What was granted to a ROLE, DATABASE ROLE or USER of this name."""
        return self._by_grantee.get((kind, grantee), {}).values()
