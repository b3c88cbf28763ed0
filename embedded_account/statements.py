"""Runs one statement: read its leading words, find who answers it, and turn every failure into Snowflake's shape.

A statement kind is answered by the function registered for its leading words, in `objects/`, `tasks/` or `usage/`.
What nobody registered is refused by name.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from embedded_account.duck_errors import is_conflict, is_missing, translated
from embedded_account.errors import SnowflakeError, unsupported
from embedded_account.parameters import parameter
from embedded_account.parse.batch import statements_of
from embedded_account.parse.cursor import Cursor, tokenize
from embedded_account.result import DML_TYPES, Result
from embedded_account.running import begin
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
# Statements that change nothing that a transaction would undo.
_READING = frozenset(
    "( BEGIN DESC DESCRIBE EXPLAIN LIST LS SELECT SET SHOW START UNSET USE VALUES WITH".split()  # noqa: SIM905
)
# The kinds whose handlers heed these modifiers.
_TEMPORARY = ("TABLE", "VIEW", "STAGE", "FILE FORMAT", "FUNCTION", "PROCEDURE", "DYNAMIC TABLE")
_OR_ALTER = ("TABLE", "VIEW", "TASK", "DYNAMIC TABLE")
_CONFLICT_SECONDS = 20.0


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
        SnowflakeError: whatever goes wrong; 000008, before anything runs, if the text holds several statements.
    """
    (text,) = statements_of(text, 1)
    with session.lock:
        session.cancelled.clear()
        session.last_used = time.monotonic()
        parts = split_flow(text)
        ids: list[str] = []
        for part in parts[:-1]:
            ids.append(_run(session, _refer(part, ids), describe_only, None, "").query_id)
        return _run(session, _refer(parts[-1], ids), describe_only, batch, query_id)


def execute_all(
    session: Session,
    text: str,
    count: int,
    *,
    describe_only: bool = False,
    batch: list[list[object]] | None = None,
    query_id: str = "",
) -> list[Result]:
    """Run a request's statements one after another, up to the first that fails; `count` is MULTI_STATEMENT_COUNT.

    Raises:
        SnowflakeError: whatever goes wrong; 000008, before anything runs, if there are more or fewer than `count`.
    """
    parts = statements_of(text, count)
    if len(parts) == 1:
        return [execute(session, parts[0], describe_only=describe_only, batch=batch, query_id=query_id)]
    if describe_only or batch is not None:
        raise unsupported("describing or binding arrays to several statements")
    with session.lock:
        return [execute(session, part) for part in parts]


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
    named = {f"${number}": query_id for number, query_id in enumerate(reversed(ids), 1)}
    out, at, previous = [], 0, ""
    for token in tokenize(text):
        if previous in ("FROM", "JOIN") and token.kind == "variable" and token.text[1:].isdecimal():
            if token.text not in named:
                raise SnowflakeError(f"Statement {token.text} not found", 709, "02000")
            out += [text[at : token.start], f"TABLE(RESULT_SCAN('{named[token.text]}'))"]
            at = token.end
        previous = token.word
    return "".join([*out, text[at:]])


def _run(
    session: Session, text: str, describe_only: bool, batch: list[list[object]] | None, query_id: str
) -> Result:
    query_id = query_id or str(uuid.uuid4())
    begun, started = datetime.now(UTC), time.perf_counter()
    kind, error, rows = "UNKNOWN", None, 0
    running = None if describe_only else begin(session, query_id, begun, text)
    try:
        if parameter(session, "QUOTED_IDENTIFIERS_IGNORE_CASE"):
            text = _without_case(text)
        current = read(text)
        current.describe_only, current.batch, current.query_id = describe_only, batch, query_id
        handler, kind = choose(current)
        if running is not None:
            running.kind = kind
        if kind not in ("COMMIT", "ROLLBACK"):
            session.refuse_if_aborted()
        if not describe_only:
            check(session, kind, text, current.cursor.position, current.temporary, current.or_replace)
        with session.account.deadlines.limit(session, session.statement_timeout()):
            result = replace(_attempt(session, handler, current, text), query_id=query_id)
        result = _cut(result, int(parameter(session, "ROWS_PER_RESULTSET")))
        rows = result.rowcount
        if not describe_only:
            session.keep(result)
            session.transaction_wrote |= kind.split()[0] not in _READING
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
        if running is not None:
            record = session.account.record_query
            if record:
                record(session, running, time.perf_counter() - started, rows, error)
            session.running.pop()
        if error is not None:
            session.recover(error, several_writes=kind.startswith("COPY"))
        if not session.in_transaction:
            session.account.locks.release(session)


def _attempt(session: Session, handler: Handler, current: Statement, text: str) -> Result:
    """What DuckDB refuses because of another change, which no lock keeps apart (see locks.py), is tried again.

    A statement that reads, and missed an object while databases or schemas came and went, looks again: SHOW lists what
    there is, whatever others drop meanwhile.
    """
    reads = Cursor(text).peek().text.upper() in _READING
    deadline = time.monotonic() + _CONFLICT_SECONDS
    pause = 0.005
    while True:
        generation = session.account.generation
        try:
            return handler(session, current)
        except (duckdb.Error, SnowflakeError) as failure:
            waits = is_conflict(failure) and not session.in_transaction and time.monotonic() <= deadline
            looks_again = reads and is_missing(failure) and generation != session.account.generation
            if not waits and not looks_again:
                raise
        if session.cancelled.wait(pause):
            raise SnowflakeError("SQL execution canceled", 604, "57014")
        pause = min(pause * 2, 0.2)
        again = read(text)
        again.batch, again.query_id = current.batch, current.query_id
        choose(again)
        current = again


def _without_case(text: str) -> str:
    """https://docs.snowflake.com/en/sql-reference/parameters#quoted-identifiers-ignore-case"""
    out, at = [], 0
    for token in tokenize(text):
        if token.kind == "quoted":
            out += [text[at : token.start], token.text.upper()]
            at = token.end
    return "".join([*out, text[at:]])


def _cut(result: Result, most: int) -> Result:
    """https://docs.snowflake.com/en/sql-reference/parameters#rows-per-resultset"""
    if not most or result.statement_type in DML_TYPES or result.table.num_rows <= most:
        return result
    return replace(result, table=result.table.slice(0, most), rowcount=most)


def read(text: str) -> Statement:
    """The statement with its modifiers taken (OR REPLACE, TEMPORARY …), before its kind is known."""
    return Statement(text, Cursor(text))


def choose(current: Statement) -> tuple[Handler, str]:
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
            kind = " ".join(words[:length])
            _refuse_modifiers(current, kind.removeprefix("CREATE "))
            return handler, kind
    if cursor.done and words[0] != "CREATE":
        raise SnowflakeError("Empty SQL statement.", 900, "42000")
    known = any(key[0] == words[0] for key in _HANDLERS)
    raise unsupported(" ".join(words[:2])) if known else cursor.error()


def _refuse_modifiers(current: Statement, kind: str) -> None:
    """What would be made for good, or as if new, is not made at all."""
    if current.temporary and kind not in _TEMPORARY:
        raise unsupported(f"CREATE TEMPORARY {kind}")
    if current.or_alter and kind not in _OR_ALTER:
        raise unsupported(f"CREATE OR ALTER {kind}")


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
