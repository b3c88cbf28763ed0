"""INFORMATION_SCHEMA and ACCOUNT_USAGE: what exists, what ran, what it cost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from embedded_account.tasks import runs
from embedded_account.usage import (
    attribution,
    dynamic_tables,
    information_schema,
    meter,
    metering,
    queries,
    query_history,
    serverless,
    stored_views,
    task_graphs,
    task_history,
)

if TYPE_CHECKING:
    from embedded_account.account import Account

__all__ = [
    "attribution",
    "dynamic_tables",
    "information_schema",
    "metering",
    "query_history",
    "serverless",
    "start",
    "task_graphs",
    "task_history",
]


def start(account: Account) -> None:
    """Begin to note statements, and make what the history is read through."""
    queries.open_log(account)
    meter.open_meter(account)
    with contextlib.closing(account.cursor()) as connection:
        runs.create_tables(connection)
        stored_views.create(connection)
