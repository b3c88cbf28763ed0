"""What a query cost: QUERY_ATTRIBUTION_HISTORY.

https://docs.snowflake.com/en/sql-reference/account-usage/query_attribution_history. Queries of 100 ms and less are not
in it. By warehouse, its credits sum up to CREDITS_ATTRIBUTED_COMPUTE_QUERIES of WAREHOUSE_METERING_HISTORY once every
query has ended; a query that ran over the end of an hour has parts of both hours in its one row.
"""

from __future__ import annotations

from embedded_account.functions import virtual_table
from embedded_account.session import Session
from embedded_account.tasks.definition import now
from embedded_account.usage import lateness
from embedded_account.usage.arguments import timestamp
from embedded_account.usage.meter import ATTRIBUTED, NEWEST_QUERIES, OPEN_QUERIES, meter_of
from embedded_account.usage.task_history import YEAR, identifier

_ROWS = f"""
    SELECT query_id AS "QUERY_ID", parent_id AS "PARENT_QUERY_ID", root_id AS "ROOT_QUERY_ID",
        {identifier("warehouse_name")} AS "WAREHOUSE_ID", warehouse_name AS "WAREHOUSE_NAME",
        CAST(NULL AS VARCHAR) AS "QUERY_HASH", CAST(NULL AS VARCHAR) AS "QUERY_PARAMETERIZED_HASH",
        query_tag AS "QUERY_TAG", user_name AS "USER_NAME", start_time AS "START_TIME", end_time AS "END_TIME",
        credits AS "CREDITS_ATTRIBUTED_COMPUTE", CAST(NULL AS DOUBLE) AS "CREDITS_USED_QUERY_ACCELERATION"
    FROM {{}}
"""


@virtual_table("SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY")
def query_attribution(session: Session, database: str) -> str:
    """The last year."""
    meter_of(session.account).bring_up_to_date()
    rows = " UNION ALL ".join(_ROWS.format(table) for table in (ATTRIBUTED, OPEN_QUERIES, NEWEST_QUERIES))
    shown = lateness.old_enough(session, '"END_TIME"')
    return f'SELECT * FROM ({rows}) AS found WHERE "START_TIME" >= {timestamp(now() - YEAR)} AND {shown}'
