"""The role that the service works with: a connection's own, or the hub's, which the embedded account is given.

Imported only when a connection is opened: the connector takes seconds to load.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import snowflake.connector
from snowflake.connector.config_manager import CONFIG_MANAGER
from snowflake.connector.errors import ConfigSourceError

from services.core.hub import Declaration
from services.snowflake.identifiers import like_pattern
from services.snowflake.rights import bootstrap


def named_role(connection: str | None) -> str | None:
    """The role that a connection of ``connections.toml`` names, if it names one."""
    # A file that is missing or broken is told of by the login.
    with suppress(ConfigSourceError, KeyError):
        found = CONFIG_MANAGER["connections"].get(connection) or {}
        return str(found["role"]) if found.get("role") else None
    return None


def prepare(parameters: dict[str, Any], hub: Declaration) -> str | None:
    """Do in the embedded account what an administrator does once in another; the role to work with.

    None, which is the administrator's own, where the hub was made by that one already.
    """
    role = hub.service_role
    with (
        closing(snowflake.connector.connect(**parameters)) as connection,
        connection.cursor() as cursor,
    ):
        for step in bootstrap(replace(hub, role=role), str(parameters["user"])):
            cursor.execute(step.sql)
        owners = set()
        for database in hub.databases:
            cursor.execute(f"SHOW DATABASES LIKE {like_pattern(database)}")
            names = [column.name for column in cursor.description]
            owners |= {dict(zip(names, row, strict=True))["owner"] for row in cursor.fetchall()}
    return role if owners <= {role} else None
