"""The statements that a session runs now, one inside the other: a procedure's, and those of its procedures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_account.session import Session


@dataclass
class Running:
    """One statement. `parent` is the one that called it, `root` the topmost, both None where nothing did.

    `kind` are its leading words, once they are read; `refreshes_on` is the warehouse of the dynamic table that it
    refreshes, which need not be the session's.
    """

    query_id: str
    begun: datetime
    text: str
    kind: str = "UNKNOWN"
    parent: str | None = None
    root: str | None = None
    refreshes_on: str | None = None


def begin(session: Session, query_id: str, begun: datetime, text: str) -> Running:
    """Put a statement on top of what the session runs. The caller takes it off again."""
    above: Session | None = session
    while above is not None and not above.running:
        above = above.parent
    found = Running(query_id, begun, text)
    stack = above.running[-1:] if above is not None else []
    for parent in stack:
        found.parent, found.root = parent.query_id, parent.root or parent.query_id
    session.running.append(found)
    return found
