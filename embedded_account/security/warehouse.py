"""The warehouse that a statement runs on.

Queries over rows, DML and Python need one; SHOW, DESCRIBE, DDL, GRANT, USE and file transfers are the work of
Snowflake's own services. https://docs.snowflake.com/en/sql-reference/sql/use-warehouse
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import SnowflakeError
from embedded_account.security import privileges
from embedded_account.session import Session

# What a SELECT of constants and context functions has none of.
_ROWS = (exp.From, exp.Lateral, exp.Values, exp.TableFromRows)


def require(session: Session) -> None:
    """Raises 000606 unless the session has a warehouse that exists, runs or resumes, and that its role may use.

    A suspended one with AUTO_RESUME = FALSE is as good as none:
    https://docs.snowflake.com/en/user-guide/warehouses-overview#auto-suspension-and-auto-resumption
    """
    if session.serverless:
        return
    record = session.account.warehouse(session.warehouse) if session.warehouse else None
    if record is not None:
        resumes = str(record.body["options"].get("AUTO_RESUME", True)).lower() == "true"
        running = record.body["state"] == "STARTED" or resumes
        if running and privileges.holds(session, "USAGE", privileges.of_record(record)):
            return
    raise SnowflakeError(
        "No active warehouse selected in the current session.  Select an active warehouse with the "
        "'use warehouse' command.\n",
        606,
        "57P03",
    )


def reads_rows(expression: Any) -> bool:
    """Whether a parsed query reads more than constants."""
    return expression.find(*_ROWS) is not None
