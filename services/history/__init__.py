"""What was seen of the account, kept in a DuckDB file: runs, refreshes, queries, metering, predictions."""

from services.history.store import History

__all__ = ["History"]
