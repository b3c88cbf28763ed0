"""Snowflake's QUERY_TYPE of a statement, and which statements run on a warehouse."""

from __future__ import annotations

import itertools

# What runs on a warehouse; the rest is the work of Snowflake's own services.
COMPUTES = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "CALL", "CREATE_TABLE_AS_SELECT", "UNLOAD"}
)
_TYPES = {
    "(": "SELECT",
    "VALUES": "SELECT",
    "WITH": "SELECT",
    "PUT": "PUT_FILES",
    "GET": "GET_FILES",
    "LS": "LIST_FILES",
    "LIST": "LIST_FILES",
    "RM": "REMOVE_FILES",
    "REMOVE": "REMOVE_FILES",
    "TRUNCATE": "TRUNCATE_TABLE",
    "BEGIN": "BEGIN_TRANSACTION",
    "START TRANSACTION": "BEGIN_TRANSACTION",
    "COPY INTO": "COPY",
}


def query_type(kind: str, text: str) -> str:
    """Snowflake's QUERY_TYPE from a statement's leading words."""
    first = kind.split(" ", 1)[0]
    if first in ("SHOW", "USE", "SET", "UNSET"):
        return first
    if first in ("DESC", "DESCRIBE"):
        return "DESCRIBE"
    if kind == "WITH" and text[:400].upper().find(" AS PROCEDURE") > 0:
        return "CALL"
    if kind == "CREATE TABLE" and _selects(text):
        return "CREATE_TABLE_AS_SELECT"
    return _TYPES.get(kind) or kind.replace(" ", "_")


def _selects(text: str) -> bool:
    words = text[:4000].upper().split()
    return any(
        a == "AS" and b.lstrip("(").startswith(("SELECT", "WITH")) for a, b in itertools.pairwise(words)
    )
