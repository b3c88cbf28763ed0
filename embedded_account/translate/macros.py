"""DuckDB macros and functions for Snowflake functions that have no expression of the same meaning in DuckDB.

They live in the in-memory main schema, which every session searches, so that views in any file find them.
"""

from __future__ import annotations

import re
from graphlib import TopologicalSorter

import duckdb
from fakesnow import macros as fakesnow_macros

from embedded_account.translate import python_functions
from embedded_account.translate.families import MACROS as FAMILIES
from embedded_account.translate.registry import Macro

# DuckDB takes these words, even quoted, for calls of functions about itself where no column has the name.
_WORDS = ("current_catalog", "current_role", "current_schema", "current_user", "session_user", "user")
OWN = (
    *FAMILIES,
    Macro("uuid_string", "() AS CAST(gen_random_uuid() AS VARCHAR)"),
    *(Macro(f'"{word}"', f"() AS error('column \"{word.upper()}\" not found')") for word in _WORDS),
)


def _in_order() -> list[Macro]:
    """Each macro after those that its outline calls."""
    named = {macro.name: macro for macro in OWN}
    calls = {
        name: set(re.findall(r"\w+", macro.outline)) & named.keys() - {name} for name, macro in named.items()
    }
    return [named[name] for name in TopologicalSorter(calls).static_order()]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    python_functions.create(connection)
    connection.execute(fakesnow_macros.creation_sql("memory.main"))
    for macro in _in_order():
        connection.execute(macro.outline)
    for macro in OWN:
        if len(macro.overloads) > 1:
            for single in macro.single:
                connection.execute(single)
    for macro in OWN:
        if len(macro.overloads) > 1:
            connection.execute(macro.sql)
