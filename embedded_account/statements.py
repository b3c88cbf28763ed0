"""Runs one statement: read its leading words, find who answers it, and turn every failure into Snowflake's shape.

A statement kind is answered by the function registered for its leading words, in `objects/`, `tasks/` or `usage/`.
What nobody registered is refused by name.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from embedded_account.duck_errors import is_conflict, translated
from embedded_account.errors import SnowflakeError, unsupported
from embedded_account.parse.cursor import Cursor, tokenize
from embedded_account.result import Result
from embedded_account.security.statements import check
from embedded_account.session import Session


@dataclass
class Statement:
    """One statement being read. `cursor` stands behind the words that chose the handler."""

    text: str
    cursor: Cursor
    describe_only: bool = False
    or_replace: bool = False
    or_alter: bool = False
    temporary: bool = False
    flags: frozenset[str] = field(default_factory=frozenset)
    query_id: str = ""
    # Columns of values for an array binding: the statement's `?` run over them as one statement.
    batch: list[list[object]] | None = None

    def accept_if_not_exists(self) -> bool:
        return self.cursor.accept("IF", "NOT", "EXISTS")

    def accept_if_exists(self) -> bool:
        return self.cursor.accept("IF", "EXISTS")


log = logging.getLogger(__name__)

Handler = Callable[[Session, Statement], Result]
_HANDLERS: dict[tuple[str, ...], Handler] = {}
_LONGEST = 4
_CREATE_FLAGS = ("SCOPED", "LOCAL", "GLOBAL", "TRANSIENT", "VOLATILE", "SECURE", "RECURSIVE", "HYBRID")
_TRANSACTION_CONFLICT_SECONDS = 20.0
_IDLE_TRANSACTION_SECONDS = 300.0


def statement(*words: str) -> Callable[[Handler], Handler]:
    """Register the handler of statements that begin with these words, e.g. ("CREATE", "TAG")."""

    def register(handler: Handler) -> Handler:
        if words in _HANDLERS:
            raise ValueError(f"{words} is registered twice")
        _HANDLERS[words] = handler
        return handler

    return register


def registered() -> list[tuple[str, ...]]:
    return sorted(_HANDLERS)


def execute(
    session: Session,
    text: str,
    *,
    describe_only: bool = False,
    batch: list[list[object]] | None = None,
    query_id: str = "",
) -> Result:
    """Run one statement, or a chain joined by the flow operator, and keep its result.

    Raises:
        SnowflakeError: whatever goes wrong.
    """
    with session.lock:
        session.cancelled.clear()
        session.last_used = time.monotonic()
        parts = split_flow(text)
        ids: list[str] = []
        for part in parts[:-1]:
            ids.append(_run(session, _refer(part, ids), describe_only, None, "").query_id)
        return _run(session, _refer(parts[-1], ids), describe_only, batch, query_id)


def split_flow(text: str) -> list[str]:
    """The statements of a chain `a ->> b`: https://docs.snowflake.com/en/sql-reference/operators-flow"""
    if "->>" not in text:
        return [text]
    parts, start = [], 0
    for token in tokenize(text):
        if token.text == "->>":
            parts.append(text[start : token.start])
            start = token.end
    return [*parts, text[start:]]


def _refer(text: str, ids: list[str]) -> str:
    """In a chain `$1` names the result of the statement before, `$2` the one before that."""
    if not ids:
        return text
    return re.sub(
        r"\b(FROM|JOIN)\s+\$(\d+)",
        lambda m: f"{m.group(1)} TABLE(RESULT_SCAN('{ids[-int(m.group(2))]}'))",
        text,
        flags=re.IGNORECASE,
    )


def _run(
    session: Session, text: str, describe_only: bool, batch: list[list[object]] | None, query_id: str
) -> Result:
    query_id = query_id or str(uuid.uuid4())
    begun, started = datetime.now(UTC), time.perf_counter()
    kind, error, rows = "UNKNOWN", None, 0
    try:
        current = read(text)
        current.describe_only, current.batch, current.query_id = describe_only, batch, query_id
        handler, kind = _choose(current)
        if not describe_only:
            check(session, kind, text, current.cursor.position, current.temporary)
        result = replace(_attempt(session, handler, current, text), query_id=query_id)
        rows = result.rowcount
        if not describe_only:
            session.keep(result)
        return result
    except SnowflakeError as failure:
        error = failure
        raise
    except duckdb.Error as failure:
        error = translated(failure, session)
        raise error from failure
    except RecursionError as failure:
        error = SnowflakeError("SQL compilation error:\nStatement is nested too deeply.", 1003, "42000")
        raise error from failure
    except Exception as failure:
        # A fault of the account itself: still an answer, so that clients do not retry for minutes.
        log.exception("Statement %s failed: %.200s", query_id, text)
        error = SnowflakeError(
            f"SQL execution internal error:\n{type(failure).__name__}: {failure}", 603, "XX000"
        )
        raise error from failure
    finally:
        record = session.account.record_query
        if record and not describe_only:
            record(session, query_id, text, kind, begun, time.perf_counter() - started, rows, error)


def _attempt(session: Session, handler: Handler, current: Statement, text: str) -> Result:
    """Two autocommitted statements that write the same rows wait for each other, as on Snowflake."""
    deadline = time.monotonic() + _TRANSACTION_CONFLICT_SECONDS
    pause = 0.005
    while True:
        try:
            return handler(session, current)
        except duckdb.Error as failure:
            if not is_conflict(failure) or session.in_transaction or time.monotonic() > deadline:
                raise
            _end_idle_transactions(session)
        time.sleep(pause)
        pause = min(pause * 2, 0.2)
        again = read(text)
        again.batch, again.query_id = current.batch, current.query_id
        _choose(again)
        current = again


def _end_idle_transactions(blocked: Session) -> None:
    """A session that left a transaction open and went away must not block others for ever.

    https://docs.snowflake.com/en/sql-reference/transactions (transactions left open by a disconnected session)
    """
    for other in list(blocked.account.sessions.values()):
        if other is not blocked and other.in_transaction and other.idle_seconds() > _IDLE_TRANSACTION_SECONDS:
            other.roll_back_if_idle(_IDLE_TRANSACTION_SECONDS)


def read(text: str) -> Statement:
    """The statement with its modifiers taken (OR REPLACE, TEMPORARY …), before its kind is known."""
    return Statement(text, Cursor(text))


def _choose(current: Statement) -> tuple[Handler, str]:
    cursor = current.cursor
    words: list[str] = []
    if cursor.looking_at("CREATE"):
        cursor.accept("CREATE")
        words.append("CREATE")
        _take_create_modifiers(current)
    while len(words) < _LONGEST and cursor.peek(len(words) - bool(words and words[0] == "CREATE")).word:
        words.append(cursor.peek(len(words) - (words[:1] == ["CREATE"])).word)
    if not words:
        words = [cursor.peek().text]
    for length in range(len(words), 0, -1):
        handler = _HANDLERS.get(tuple(words[:length]))
        if handler:
            skip = length - (words[0] == "CREATE")
            for _ in range(skip):
                cursor.next()
            return handler, " ".join(words[:length])
    if cursor.done and words[0] != "CREATE":
        raise SnowflakeError("Empty SQL statement.", 900, "42000")
    known = any(key[0] == words[0] for key in _HANDLERS)
    raise unsupported(" ".join(words[:2])) if known else cursor.error()


def _take_create_modifiers(current: Statement) -> None:
    cursor = current.cursor
    if cursor.accept("OR", "REPLACE"):
        current.or_replace = True
    elif cursor.accept("OR", "ALTER"):
        current.or_alter = True
    flags = set()
    while True:
        if cursor.accept_any("TEMP", "TEMPORARY"):
            current.temporary = True
        elif flag := cursor.accept_any(*_CREATE_FLAGS):
            flags.add(flag)
        else:
            break
    current.temporary = current.temporary or "VOLATILE" in flags
    current.flags = frozenset(flags)
