"""The statements of one request's text: https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements"""

from __future__ import annotations

from embedded_account.errors import statement_count
from embedded_account.parse.cursor import Token, tokenize


def split(text: str) -> list[str]:
    """The statements between semicolons, empty ones left out. A scripting block is taken to the end of the text."""
    if ";" not in text.rstrip("; \t\r\n"):
        return [text]
    found: list[str] = []
    current: list[Token] = []
    start = 0
    for token in tokenize(text):
        if token.text != ";" or _opens_block(current):
            current.append(token)
            continue
        if current:
            found.append(text[start : token.start])
        current, start = [], token.end
    if current:
        found.append(text[start:])
    return found


def _opens_block(tokens: list[Token]) -> bool:
    """DECLARE or BEGIN at the head of a statement, or of the body that a CREATE TASK or PROCEDURE ends with."""
    words = [token.word for token in tokens]
    heads = [0] if words[:1] != ["CREATE"] else [at + 1 for at, word in enumerate(words) if word == "AS"]
    return any(
        words[at : at + 1] == ["DECLARE"]
        or (words[at : at + 1] == ["BEGIN"] and words[at + 1 : at + 2] not in _TRANSACTION)
        for at in heads
    )


# What follows BEGIN where it begins a transaction: nothing, or one of these.
_TRANSACTION: tuple[list[str], ...] = ([], ["NAME"], ["TRANSACTION"], ["WORK"])


def statements_of(text: str, wanted: int) -> list[str]:
    """The statements, which must be as many as wanted; 0 wants any number.

    Raises:
        SnowflakeError: 000008.
    """
    found = split(text) or [text]
    if wanted and len(found) != wanted:
        raise statement_count(len(found), wanted)
    return found
