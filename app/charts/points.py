"""Points in words: the account says POST_OFFICE, a reader says post office."""

from __future__ import annotations


def kind_of_point(kind: str) -> str:
    """The kind of a point in plain words."""
    return kind.replace("_", " ").lower()
