"""INFORMATION_SCHEMA and ACCOUNT_USAGE: what exists, what ran, what it cost."""

from embedded_account.usage import (
    dynamic_tables,
    information_schema,
    metering,
    query_history,
    task_graphs,
    task_history,
)
from embedded_account.usage.queries import open_log as start

__all__ = [
    "dynamic_tables",
    "information_schema",
    "metering",
    "query_history",
    "start",
    "task_graphs",
    "task_history",
]
