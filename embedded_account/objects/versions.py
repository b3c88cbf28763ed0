"""SHOW VERSIONS IN MODEL | DATASET: one statement, answered by the kind of object it names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from embedded_account.errors import unsupported
from embedded_account.names import ObjectName, like_to_regex
from embedded_account.result import Result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

Matches = Callable[[str], bool]
Shower = Callable[[Session, ObjectName, Matches], Result]
_SHOWERS: dict[str, Shower] = {}


def shower(kind: str) -> Callable[[Shower], Shower]:
    """Register who shows the versions of objects of a kind."""

    def register(function: Shower) -> Shower:
        _SHOWERS[kind] = function
        return function

    return register


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@statement("SHOW", "VERSIONS")
def show_versions(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    pattern = like_to_regex(cursor.string()) if cursor.accept("LIKE") else None
    cursor.expect("IN")
    kind = cursor.accept_any(*_SHOWERS)
    if not kind:
        raise unsupported(f"SHOW VERSIONS IN {cursor.peek().text}")
    name = session.resolve(cursor.name())
    cursor.end()
    return _SHOWERS[kind](session, name, lambda v: pattern is None or bool(pattern.match(v)))
