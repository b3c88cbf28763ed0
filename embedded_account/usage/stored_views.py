"""Views over the history in the account's own file: what a query over it names, so that it stays short to translate."""

from __future__ import annotations

import duckdb

from embedded_account.names import duck

_VIEWS: dict[str, str] = {}


def stored_view(name: str, sql: str) -> str:
    """Have a view with this DuckDB SQL made whenever an account opens; its address."""
    _VIEWS[name] = sql
    return duck("__account", "history", name)


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views anew; their tables exist already."""
    for name, sql in _VIEWS.items():
        connection.execute(f"CREATE OR REPLACE VIEW {duck('__account', 'history', name)} AS {sql}")
