"""SOUNDEX and SHA2."""

from __future__ import annotations

import hashlib

from embedded_account.translate.formats.failure import FunctionError

_CODES = {
    letter: code
    for code, letters in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), 1)
    for letter in letters
}


def soundex(text: str | None) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/functions/soundex"""
    if text is None:
        return None
    first = next((letter for letter in text if letter.isascii() and letter.isalpha()), "")
    letters = [letter for letter in text.upper() if letter.isascii() and letter.isalpha()]
    if not letters:
        return ""
    out, last = first, _CODES.get(letters[0])
    for letter in letters[1:]:
        code = _CODES.get(letter)
        if code and code != last:
            out += str(code)
        if letter not in "HW":
            last = code
    return out[:4].ljust(4, "0")


def sha2(data: bytes | None, bits: int | None) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/functions/sha2"""
    if data is None or bits is None:
        return None
    if bits not in (0, 224, 256, 384, 512):
        raise FunctionError(f"Invalid digest size {bits} for SHA2: 224, 256, 384 or 512", 100132, "22023")
    return hashlib.new(f"sha{bits or 256}", data).hexdigest()
