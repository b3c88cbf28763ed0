"""What goes out compressed, and to whom."""

from __future__ import annotations

import zlib
from functools import lru_cache

# Below this the answer fits into one packet anyway.
SMALLEST = 700
# Of what is rendered again and again; and of what is compressed once.
QUICK, ONCE = 4, 6
_TYPES = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/problem+json",
        "application/xml",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
        "text/xml",
    }
)


def compressible(content_type: str) -> bool:
    """Whether a body of this media type gets smaller. A stream of events is none of them: it may not wait."""
    return content_type.partition(";")[0].strip().lower() in _TYPES


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is what the client would rather have than the plain body.

    https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        if coding:
            weights["gzip" if coding == "x-gzip" else coding] = _weight(parameters)
    gzip = weights.get("gzip", weights.get("*", 0.0))
    # Plain is always possible; it goes first only where it is asked for.
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def gzipped(body: bytes, level: int = QUICK) -> bytes:
    """``body`` in gzip's format, the same for the same body."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def varied(vary: str, name: str = "Accept-Encoding") -> str:
    """A ``Vary`` header with one more name in it."""
    names = [part.strip() for part in vary.split(",") if part.strip()]
    if "*" in names or name.lower() in (one.lower() for one in names):
        return vary
    return ", ".join([*names, name])


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
