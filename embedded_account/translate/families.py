"""Loads every family of functions, whose modules register their entries, and gathers what they need in DuckDB."""

from __future__ import annotations

from embedded_account.translate import (
    comparisons,
    conversions,
    dates,
    flatten,
    numbers,
    patterns,
    queries,
    strings,
    variants,
)
from embedded_account.translate.registry import CALLS

_FAMILIES = (comparisons, conversions, dates, flatten, numbers, patterns, queries, strings, variants)
MACROS = tuple(macro for family in _FAMILIES for macro in getattr(family, "MACROS", ()))
__all__ = ["CALLS", "MACROS"]
