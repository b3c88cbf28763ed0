"""Identifiers of operations: sortable by the time they were made, or derived from a parent."""

import secrets
import uuid
from datetime import datetime

_NAMESPACE = uuid.UUID("6f1d0c5e-58b0-4f0c-9a52-6a6e86a4a8c1")


def new_id(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562): milliseconds first, so that ids sort as they were made."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same UUID for the same parts: what must exist once, however often it is asked for."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
