"""What people type: a text that every database and every answer can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.core.errors import Invalid


def storable(text: str | None) -> str | None:
    """``text``; ValueError for the character NUL and for half of a character, a lone surrogate."""
    if text is not None:
        if "\x00" in text:
            raise ValueError("it may not hold the character NUL")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("it may not hold half of a character, a lone surrogate") from None
    return text


def require_storable(name: str, text: str | None) -> None:
    """Invalid 422, which calls the text by its name, where ``storable`` raises."""
    try:
        storable(text)
    except ValueError as error:
        raise Invalid(f"The {name} cannot be kept: {error}", code="bad_text") from None


def refusal(fault: Mapping[str, Any]) -> str:
    """What one of ``ValidationError.errors()`` says: a check's own words, without pydantic's before them."""
    error = fault.get("ctx", {}).get("error")
    return str(error) if isinstance(error, ValueError) else str(fault["msg"])
