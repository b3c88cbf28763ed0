"""Whether the login may act as a role, asked before the work that needs it.

A spoke is deployed as its own role, which then owns what it made. A container service's own login has its owner's role
and PUBLIC alone: https://docs.snowflake.com/en/developer-guide/snowpark-container-services/spcs-execute-sql
"""

from __future__ import annotations

from services.core.errors import Forbidden, SnowflakeFailed
from services.snowflake.connection import ConnectionSource
from services.snowflake.identifiers import quote


def require_role(source: ConnectionSource, role: str) -> None:
    """Forbidden 403 ``role_refused``, with what to do, when the account refuses the login this role."""
    try:
        with source.open(role=quote(role)):
            return
    except SnowflakeFailed as error:
        hint = (
            f"Let an administrator grant it to the user of the connection: GRANT ROLE {quote(role)} TO USER …"
        )
        if source.kind == "container":
            hint = (
                "A container service's own login has only the role that owns the service. Give the service a "
                "connection of its own (SPOKEHUB_CONNECTION, see docs/container_services.md), then resume."
            )
        raise Forbidden(
            f"The account does not let this login act as {role}: {error.message}",
            hint=hint,
            code="role_refused",
            detail=error.detail,
        ) from error
