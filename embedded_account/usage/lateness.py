"""How late ACCOUNT_USAGE is: its views show what is old enough, INFORMATION_SCHEMA's functions show it at once.

https://docs.snowflake.com/en/sql-reference/account-usage (data latency). One delay for all views, none by default.
"""

from __future__ import annotations

from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage.arguments import timestamp


def old_enough(session: Session, column: str) -> str:
    """The DuckDB condition that what ended at `column` is shown by now."""
    delay = session.account.usage_delay
    return f"{column} <= {timestamp(now() - delay)}" if delay else "true"
