"""Functions that the account answers itself: context and system functions, table functions, and virtual tables.

Each module that owns a subject registers its functions here; `translate/` finds them while it rewrites a query.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from embedded_account.errors import compilation_error
from embedded_account.result import Result
from embedded_account.session import Session


@dataclass(frozen=True)
class TableCall:
    """Arguments of a table function, constants already evaluated. Names are upper-cased."""

    arguments: list[object] = field(default_factory=list)
    named: dict[str, object] = field(default_factory=dict)
    database: str | None = None

    def get(self, name: str, position: int | None = None, default: object = None) -> object:
        if name in self.named:
            return self.named[name]
        if position is not None and position < len(self.arguments):
            return self.arguments[position]
        return default


log = logging.getLogger(__name__)

ScalarFunction = Callable[[Session, list[object]], object]
# A table function or virtual table answers DuckDB SQL text (a query) or a finished result.
TableFunction = Callable[[Session, TableCall], "str | Result"]
VirtualTable = Callable[[Session, str], "str | Result"]

SCALARS: dict[str, ScalarFunction] = {}
TABLES: dict[str, TableFunction] = {}
VIRTUAL: dict[str, VirtualTable] = {}


def _refusing(name: str, function: ScalarFunction) -> ScalarFunction:
    """The function, which says so of arguments that are missing or that it cannot read."""

    def answer(session: Session, arguments: list[object]) -> object:
        try:
            return function(session, arguments)
        except (IndexError, KeyError, ValueError) as failure:
            # Nearly always the arguments; a fault of the function's own must still be found.
            log.warning("%s could not take its arguments", name, exc_info=True)
            given = ", ".join(map(str, arguments))
            raise compilation_error(
                f"Invalid argument types for function '{name}': ({given})", 1044, "42P13"
            ) from failure

    return answer


def scalar_function(*names: str) -> Callable[[ScalarFunction], ScalarFunction]:
    """Register a function of constants, e.g. "SYSTEM$TYPEOF". It returns str, int, float, bool or None."""

    def register(function: ScalarFunction) -> ScalarFunction:
        for name in names:
            SCALARS[name] = _refusing(name, function)
        return function

    return register


def table_function(*names: str) -> Callable[[TableFunction], TableFunction]:
    """Register TABLE(name(…)); a function of INFORMATION_SCHEMA as "INFORMATION_SCHEMA.NAME"."""

    def register(function: TableFunction) -> TableFunction:
        for name in names:
            TABLES[name] = function
        return function

    return register


def virtual_table(*names: str) -> Callable[[VirtualTable], VirtualTable]:
    """Register a view of the account: "INFORMATION_SCHEMA.X" or "SNOWFLAKE.ACCOUNT_USAGE.X".

    The function gets the session and the database it is asked in.
    """

    def register(function: VirtualTable) -> VirtualTable:
        for name in names:
            VIRTUAL[name] = function
        return function

    return register
