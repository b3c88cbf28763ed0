"""Who may read the database SNOWFLAKE: by its own database roles, or by IMPORTED PRIVILEGES on all of it.

https://docs.snowflake.com/en/sql-reference/snowflake-db-roles, …/sql-reference/account-usage (enabling access)
"""

from __future__ import annotations

from embedded_account.account import DATABASE_ROLES
from embedded_account.errors import does_not_exist
from embedded_account.security.roles import ADMINISTRATOR, of_session
from embedded_account.session import Session

DATABASE = "SNOWFLAKE"
KIND = "DATABASE ROLE"
OBJECTS, USAGE, GOVERNANCE, _SECURITY = DATABASE_ROLES
# The views that are here, with the database roles of which each lets them be read.
VIEWS: dict[str, tuple[str, ...]] = {
    "COMPLETE_TASK_GRAPHS": (OBJECTS,),
    "DYNAMIC_TABLE_REFRESH_HISTORY": (USAGE,),
    "METERING_DAILY_HISTORY": (USAGE,),
    "METERING_HISTORY": (USAGE,),
    "QUERY_ATTRIBUTION_HISTORY": (USAGE, GOVERNANCE),
    "QUERY_HISTORY": (GOVERNANCE,),
    "SERVERLESS_TASK_HISTORY": (USAGE,),
    "SNOWPARK_CONTAINER_SERVICES_HISTORY": (USAGE,),
    "TASK_HISTORY": (USAGE,),
    "TASK_VERSIONS": (OBJECTS,),
    "WAREHOUSE_METERING_HISTORY": (USAGE,),
}
# What IMPORTED PRIVILEGES become, and are shown as.
IMPORTED = ("USAGE", "DATABASE", DATABASE)


def require(session: Session, parts: list[str]) -> None:
    """Raises 002003 unless the active role may read this view of the database; so far, it is of ACCOUNT_USAGE."""
    roles = of_session(session)
    if ADMINISTRATOR in roles:
        return
    wanted = {("USAGE", KIND, name) for name in VIEWS[parts[-1]]} | {IMPORTED}
    for role in roles:
        for grant in session.account.grants.of("ROLE", role):
            if (grant.body["privilege"], grant.body["on_kind"], grant.body["on"]) in wanted:
                return
    raise does_not_exist("Object", ".".join(parts))
