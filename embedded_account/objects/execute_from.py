"""EXECUTE IMMEDIATE FROM: the statements of a staged file, one after another; the answer is the last one's.

https://docs.snowflake.com/en/sql-reference/sql/execute-immediate-from. What ran before a statement that fails stays.
"""

from __future__ import annotations

from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from embedded_account import files
from embedded_account.errors import compilation_error, does_not_exist, unsupported
from embedded_account.parse.cursor import Cursor, tokenize
from embedded_account.result import Result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, execute, statement

# The first line of a file that is a template.
_MARK = "--!jinja"


@statement("EXECUTE", "IMMEDIATE", "FROM")
def execute_from(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    path = _path(cursor)
    values: dict[str, Any] | None = None
    if cursor.accept("USING"):
        values = _values(cursor)
    if cursor.looking_at("DRY_RUN"):
        raise unsupported("EXECUTE IMMEDIATE FROM … DRY_RUN")
    cursor.end()
    answer = status("Statement executed successfully.")
    if current.describe_only:
        return answer
    found = files.locate(session, path)
    target = found.target
    if not target.is_file():
        raise does_not_exist("File", path)
    for text in _statements(_rendered(target.read_text("utf-8"), values)):
        answer = execute(session, text)
    return answer


def _path(cursor: Cursor) -> str:
    if cursor.looking_at_string():
        return cursor.string()
    if not cursor.peek().text.startswith("@"):
        raise cursor.error()
    # A path without quotes ends at the first blank.
    start = cursor.peek().start
    text = cursor.text[start:].split(maxsplit=1)[0].rstrip(";")
    while not cursor.done and cursor.peek().start < start + len(text):
        cursor.next()
    return text


def _values(cursor: Cursor) -> dict[str, Any]:
    """``(name => value, …)`` of constants."""
    cursor.expect("(")
    found: dict[str, Any] = {}
    while not cursor.accept(")"):
        token = cursor.next()
        if token.kind not in ("word", "quoted"):
            raise cursor.error()
        cursor.expect("=>")
        if cursor.looking_at_string():
            found[token.text] = cursor.string()
        elif cursor.peek().word in ("TRUE", "FALSE"):
            found[token.text] = cursor.next().word == "TRUE"
        else:
            found[token.text] = cursor.integer()
        cursor.accept(",")
    return found


def _rendered(text: str, values: dict[str, Any] | None) -> str:
    if values is None and not text.lstrip().startswith(_MARK):
        return text
    try:
        return SandboxedEnvironment(undefined=StrictUndefined).from_string(text).render(values or {})
    except TemplateError as error:
        raise compilation_error(f"Error in the template of the file: {error}") from error


def _statements(text: str) -> list[str]:
    found, start, empty = [], 0, True
    for token in tokenize(text):
        if token.text == ";":
            if not empty:
                found.append(text[start : token.start])
            start, empty = token.end, True
        else:
            empty = False
    return found if empty else [*found, text[start:]]
