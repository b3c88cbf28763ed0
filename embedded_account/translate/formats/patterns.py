"""Regular expressions: https://docs.snowflake.com/en/sql-reference/functions-regexp"""

from __future__ import annotations

import re
from functools import lru_cache

from embedded_account.translate.formats.failure import FunctionError

_FLAGS = {"c": 0, "e": 0, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


@lru_cache(maxsize=512)
def _compiled(pattern: str, parameters: str) -> re.Pattern[str]:
    flags = 0
    for letter in parameters:
        if letter not in _FLAGS:
            raise FunctionError(f"Invalid regular expression parameter: '{letter}'", 100048, "2201B")
        flags = flags & ~re.IGNORECASE if letter == "c" else flags | _FLAGS[letter]
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise FunctionError(
            f"Invalid regular expression: '{pattern}', {error.msg}", 100048, "2201B"
        ) from None


def _matches(subject: str, pattern: str, position: int, parameters: str) -> list[re.Match[str]]:
    return list(_compiled(pattern, parameters).finditer(subject, position - 1))


def _occurrence(
    subject: str | None,
    pattern: str | None,
    position: int | None,
    occurrence: int | None,
    parameters: str | None,
    group: int | None,
) -> tuple[re.Match[str], int] | int | None:
    """The match that is meant and its group; 0 if there is none, None where an argument is NULL or is no place.

    A group alone is meant by its number or by the parameter e; -1 is none given.
    """
    if subject is None or pattern is None or parameters is None or group is None:
        return None
    if not position or not occurrence:
        return None
    found = _matches(subject, pattern, position, parameters)
    if len(found) < occurrence:
        return 0
    match = found[occurrence - 1]
    number = group if group >= 0 else int("e" in parameters)
    return (match, number) if number <= (match.re.groups or 0) else 0


def substr(
    subject: str | None,
    pattern: str | None,
    position: int | None,
    occurrence: int | None,
    parameters: str | None,
    group: int | None,
) -> str | None:
    """REGEXP_SUBSTR."""
    found = _occurrence(subject, pattern, position, occurrence, parameters, group)
    return found[0].group(found[1]) if isinstance(found, tuple) else None


def substr_all(
    subject: str | None,
    pattern: str | None,
    position: int | None,
    occurrence: int | None,
    parameters: str | None,
    group: int | None,
) -> list[str | None] | None:
    """REGEXP_SUBSTR_ALL."""
    if (
        subject is None
        or pattern is None
        or not position
        or not occurrence
        or parameters is None
        or group is None
    ):
        return None
    number = group if group >= 0 else int("e" in parameters)
    return [
        match.group(number) for match in _matches(subject, pattern, position, parameters)[occurrence - 1 :]
    ]


def replace(
    subject: str | None,
    pattern: str | None,
    replacement: str | None,
    position: int | None,
    occurrence: int | None,
    parameters: str | None,
) -> str | None:
    """REGEXP_REPLACE: occurrence 0 is all of them."""
    if subject is None or pattern is None or replacement is None or position is None or parameters is None:
        return None
    out, at = [], 0
    for number, match in enumerate(_matches(subject, pattern, position, parameters), 1):
        if occurrence in (0, number):
            out += [subject[at : match.start()], _expanded(replacement, match)]
            at = match.end()
    return "".join([*out, subject[at:]])


def _expanded(replacement: str, match: re.Match[str]) -> str:
    return re.sub(r"\\(\d)", lambda reference: match.group(int(reference[1])) or "", replacement)


def count(
    subject: str | None, pattern: str | None, position: int | None, parameters: str | None
) -> int | None:
    """REGEXP_COUNT."""
    if subject is None or pattern is None or position is None or parameters is None:
        return None
    return len(_matches(subject, pattern, position, parameters)) if pattern else 0


def instr(
    subject: str | None,
    pattern: str | None,
    position: int | None,
    occurrence: int | None,
    option: int | None,
    parameters: str | None,
    group: int | None,
) -> int | None:
    """REGEXP_INSTR: where a match begins (option 0) or what follows it begins (1); 0 if there is none."""
    found = _occurrence(subject, pattern, position, occurrence, parameters, group)
    if not isinstance(found, tuple):
        return found
    match, number = found
    return (match.end(number) if option else match.start(number)) + 1


def like(subject: str | None, pattern: str | None, parameters: str | None) -> bool | None:
    """REGEXP_LIKE: the whole subject must match."""
    if subject is None or pattern is None or parameters is None:
        return None
    return _compiled(pattern, parameters).fullmatch(subject) is not None
