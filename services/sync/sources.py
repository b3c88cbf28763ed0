"""The sources of the history: which functions and views of the account, what of them, and how late they are.

https://docs.snowflake.com/en/sql-reference/info-schema (functions: at once, for seven days, with a warehouse) and
https://docs.snowflake.com/en/sql-reference/account-usage (views: late, for a year).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

# The operation that reads.
KIND = "sync.run"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# What the functions tell of; a little less, as time passes between saying when and being heard.
LIVE_WINDOW = timedelta(days=7) - timedelta(minutes=2)
LIVE_OVERLAP = HOUR
YEAR = timedelta(days=365)
# The most that RESULT_LIMIT allows.
MOST = 10_000

DatabaseRole = Literal["USAGE_VIEWER", "OBJECT_VIEWER", "GOVERNANCE_VIEWER"]


@dataclass(frozen=True, slots=True)
class UsageView:
    """A view of SNOWFLAKE.ACCOUNT_USAGE and the table of the history that it fills.

    ``time`` is by what it is read in windows, the first of these columns that has a value; ``kept_time`` is the same
    in the history. ``by_place`` says
    that only rows of the hub's databases matter. ``total`` (view's, history's column) is compared by day beside the
    number of rows. ``key`` names the columns of one thing, where the view may tell of it twice.
    """

    name: str
    title: str
    view: str
    table: str
    columns: tuple[str, ...]
    time: tuple[str, ...]
    kept_time: str
    latency: timedelta
    role: DatabaseRole
    by_place: bool = False
    checked: bool = True
    total: tuple[str, str] | None = None
    key: tuple[str, ...] = ()

    @property
    def overlap(self) -> timedelta:
        """How far before the last reading it is read again, for what came late or was corrected."""
        return max(2 * self.latency, 4 * HOUR)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TASK_COLUMNS = _names(
    "NAME DATABASE_NAME SCHEMA_NAME STATE QUERY_ID QUERY_TEXT CONDITION_TEXT RETURN_VALUE ERROR_CODE ERROR_MESSAGE"
    " SCHEDULED_TIME QUERY_START_TIME COMPLETED_TIME ROOT_TASK_ID GRAPH_VERSION RUN_ID SCHEDULED_FROM"
    " ATTEMPT_NUMBER CONFIG GRAPH_RUN_GROUP_ID"
)
CURRENT_GRAPH_COLUMNS = _names(
    "ROOT_TASK_NAME DATABASE_NAME SCHEMA_NAME STATE SCHEDULED_FROM FIRST_ERROR_TASK_NAME FIRST_ERROR_CODE"
    " FIRST_ERROR_MESSAGE SCHEDULED_TIME QUERY_START_TIME NEXT_SCHEDULED_TIME ROOT_TASK_ID GRAPH_VERSION RUN_ID"
    " ATTEMPT_NUMBER CONFIG GRAPH_RUN_GROUP_ID"
)
GRAPH_COLUMNS = (*CURRENT_GRAPH_COLUMNS, "COMPLETED_TIME")
REFRESH_COLUMNS = _names(
    "NAME SCHEMA_NAME DATABASE_NAME STATE STATE_CODE STATE_MESSAGE QUERY_ID DATA_TIMESTAMP REFRESH_START_TIME"
    " REFRESH_END_TIME COMPLETION_TARGET STATISTICS REFRESH_ACTION REFRESH_TRIGGER TARGET_LAG_SEC WAREHOUSE"
)
_RUN_KEY = ("GRAPH_RUN_GROUP_ID", "ATTEMPT_NUMBER", "NAME", "DATABASE_NAME", "SCHEMA_NAME")

LIVE_RUNS, LIVE_REFRESHES, CATALOGUE = "live.runs", "live.refreshes", "catalogue"
# Whether the warehouse had to be started for the others.
WAREHOUSE = "warehouse"
LIVE_TITLES = {
    CATALOGUE: "Objects: SHOW and small tables",
    LIVE_RUNS: "Task and graph runs of the last days",
    LIVE_REFRESHES: "Refreshes of the last days",
}

TASKS = UsageView(
    "usage.task_history",
    "Task runs",
    "TASK_HISTORY",
    "task_runs",
    TASK_COLUMNS,
    ("COMPLETED_TIME", "SCHEDULED_TIME"),
    "coalesce(completed_at, scheduled_at)",
    timedelta(minutes=45),
    "USAGE_VIEWER",
    by_place=True,
    key=_RUN_KEY,
)
GRAPHS = UsageView(
    "usage.complete_task_graphs",
    "Graph runs",
    "COMPLETE_TASK_GRAPHS",
    "graph_runs",
    GRAPH_COLUMNS,
    ("COMPLETED_TIME", "SCHEDULED_TIME"),
    "coalesce(completed_at, scheduled_at)",
    timedelta(minutes=45),
    "OBJECT_VIEWER",
    by_place=True,
    # What it adds to its tasks is small, and they are compared.
    checked=False,
)
REFRESHES = UsageView(
    "usage.dynamic_table_refresh_history",
    "Refreshes of dynamic tables",
    "DYNAMIC_TABLE_REFRESH_HISTORY",
    "refreshes",
    REFRESH_COLUMNS,
    ("REFRESH_END_TIME", "REFRESH_START_TIME", "DATA_TIMESTAMP"),
    "coalesce(ended_at, started_at)",
    3 * HOUR,
    "USAGE_VIEWER",
    by_place=True,
    key=("DATABASE_NAME", "SCHEMA_NAME", "NAME", "REFRESH_START_TIME"),
)
QUERIES = UsageView(
    "usage.query_history",
    "Statements of the hub and of tasks",
    "QUERY_HISTORY",
    "queries",
    _names(
        "QUERY_ID QUERY_TEXT QUERY_TAG QUERY_TYPE USER_NAME ROLE_NAME WAREHOUSE_NAME EXECUTION_STATUS ERROR_CODE"
        " ERROR_MESSAGE START_TIME END_TIME TOTAL_ELAPSED_TIME ROWS_PRODUCED"
    ),
    ("END_TIME",),
    "ended_at",
    timedelta(minutes=45),
    "GOVERNANCE_VIEWER",
    # Comparing would read all that the account executed in a year.
    checked=False,
)
CREDITS = UsageView(
    "usage.query_attribution_history",
    "Credits of statements",
    "QUERY_ATTRIBUTION_HISTORY",
    "query_credits",
    _names(
        "QUERY_ID ROOT_QUERY_ID PARENT_QUERY_ID WAREHOUSE_NAME QUERY_TAG USER_NAME START_TIME END_TIME"
        " CREDITS_ATTRIBUTED_COMPUTE CREDITS_USED_QUERY_ACCELERATION"
    ),
    ("END_TIME",),
    "ended_at",
    8 * HOUR,
    "USAGE_VIEWER",
    total=("CREDITS_ATTRIBUTED_COMPUTE", "credits"),
)
WAREHOUSES = UsageView(
    "usage.warehouse_metering_history",
    "Credits of warehouses",
    "WAREHOUSE_METERING_HISTORY",
    "warehouse_metering",
    _names(
        "WAREHOUSE_NAME START_TIME CREDITS_USED CREDITS_USED_COMPUTE CREDITS_USED_CLOUD_SERVICES"
        " CREDITS_ATTRIBUTED_COMPUTE_QUERIES"
    ),
    ("START_TIME",),
    "hour",
    6 * HOUR,
    "USAGE_VIEWER",
    total=("CREDITS_USED", "credits"),
)
METERING = UsageView(
    "usage.metering_history",
    "All credits by service",
    "METERING_HISTORY",
    "metering",
    _names(
        "SERVICE_TYPE ENTITY_ID ENTITY_TYPE NAME DATABASE_NAME SCHEMA_NAME START_TIME CREDITS_USED_COMPUTE"
        " CREDITS_USED_CLOUD_SERVICES CREDITS_USED"
    ),
    ("START_TIME",),
    "hour",
    3 * HOUR,
    "USAGE_VIEWER",
    total=("CREDITS_USED", "credits"),
)
POOLS = UsageView(
    "usage.snowpark_container_services_history",
    "Credits of compute pools",
    "SNOWPARK_CONTAINER_SERVICES_HISTORY",
    "compute_pools",
    _names("COMPUTE_POOL_NAME APPLICATION_NAME START_TIME CREDITS_USED"),
    ("START_TIME",),
    "hour",
    3 * HOUR,
    "USAGE_VIEWER",
    total=("CREDITS_USED", "credits"),
)
SERVERLESS = UsageView(
    "usage.serverless_task_history",
    "Credits of serverless tasks",
    "SERVERLESS_TASK_HISTORY",
    "serverless_tasks",
    _names("DATABASE_NAME SCHEMA_NAME TASK_NAME START_TIME END_TIME CREDITS_USED"),
    ("START_TIME",),
    "started_at",
    3 * HOUR,
    "USAGE_VIEWER",
    total=("CREDITS_USED", "credits"),
)
# Graphs come before tasks, so that a run's tasks are told no earlier than its end; queries after the tasks whose
# they are.
USAGE: tuple[UsageView, ...] = (
    GRAPHS,
    TASKS,
    REFRESHES,
    QUERIES,
    CREDITS,
    WAREHOUSES,
    METERING,
    POOLS,
    SERVERLESS,
)
# What costs are made of.
COSTING = (QUERIES, CREDITS, WAREHOUSES, METERING, POOLS, SERVERLESS)
