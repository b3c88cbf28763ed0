"""What the hub consists of: warehouse, roles, database, schemas, tags, grants."""

from __future__ import annotations

from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import within
from services.snowflake.wanted import (
    Grant,
    Wanted,
    wanted_grant,
    wanted_role,
    wanted_schema,
    wanted_tag,
    wanted_tag_value,
)
from services.snowflake.wanted_store import STORE, store_grants, store_objects, store_roles


def hub_objects(hub: Declaration, applicant: str | None = None) -> list[Wanted]:
    """Everything but the spokes, in the order in which it can be made.

    ``applicant`` is a role that applies without being above the hub's role: it becomes a member, because a role
    is not a member of the roles that it makes. The compute pool comes last, as not every account may have one.
    """
    comment = literal("Made by Spokehub")
    return [
        _warehouse(hub),
        wanted_role(hub.role, "The hub: may do in the spokes what each of them may"),
        *store_roles(hub),
        Wanted(
            "database",
            hub.database,
            (f"CREATE DATABASE IF NOT EXISTS {quote(hub.database)} COMMENT = {comment}",),
        ),
        *_schemas(hub),
        *(wanted_grant(grant) for grant in _grants(hub, applicant)),
        *_pool(hub),
    ]


def _warehouse(hub: Declaration) -> Wanted:
    warehouse = hub.warehouse
    size = f"WAREHOUSE_SIZE = {warehouse.size} AUTO_SUSPEND = {warehouse.auto_suspend_seconds}"
    return Wanted(
        "warehouse",
        warehouse.name,
        (
            f"CREATE WAREHOUSE IF NOT EXISTS {quote(warehouse.name)} {size} AUTO_RESUME = TRUE"
            " INITIALLY_SUSPENDED = TRUE",
        ),
        {"size": warehouse.size, "auto_suspend": str(warehouse.auto_suspend_seconds)},
        f"ALTER WAREHOUSE {quote(warehouse.name)} SET {size}",
    )


def _pool(hub: Declaration) -> list[Wanted]:
    pool = hub.compute_pool
    if pool is None:
        return []
    nodes = f"MIN_NODES = {pool.min_nodes} MAX_NODES = {pool.max_nodes}"
    idle = f"AUTO_SUSPEND_SECS = {pool.auto_suspend_seconds}"
    return [
        Wanted(
            "compute pool",
            pool.name,
            (
                f"CREATE COMPUTE POOL IF NOT EXISTS {quote(pool.name)} {nodes}"
                f" INSTANCE_FAMILY = {pool.instance_family} {idle} INITIALLY_SUSPENDED = TRUE",
            ),
            {"min_nodes": str(pool.min_nodes), "max_nodes": str(pool.max_nodes)},
            f"ALTER COMPUTE POOL {quote(pool.name)} SET {nodes} {idle}",
        ),
        wanted_grant(Grant(("USAGE", "MONITOR"), "COMPUTE POOL", quote(pool.name), hub.role)),
    ]


def _schemas(hub: Declaration) -> list[Wanted]:
    shared = QualifiedName(hub.shared_schema, hub.database)
    found = [wanted_schema(shared, "Source data that all environments read")]
    found += [wanted_tag(within(shared, tag), comment) for tag, comment in hub.cost_tags.items()]
    for environment in hub.environments:
        for name in hub.environment_schemas:
            schema = QualifiedName(f"{name}_{environment.name}", hub.database)
            found.append(
                wanted_schema(schema, f"{name.replace('_', ' ').capitalize()} of {environment.name}")
            )
            if "SPOKEHUB_ENVIRONMENT" in hub.cost_tags:
                tag = within(shared, "SPOKEHUB_ENVIRONMENT")
                found.append(wanted_tag_value(schema, tag, environment.name))
            if name == STORE:
                found += store_objects(hub, schema)
    return found


def _grants(hub: Declaration, applicant: str | None) -> list[Grant]:
    database, role = quote(hub.database), hub.role
    above = [hub.parent_role, *([applicant] if applicant else [])]
    grants = [
        *(Grant(("USAGE",), "ROLE", quote(role), one) for one in above),
        Grant(("EXECUTE TASK", "MONITOR EXECUTION"), "ACCOUNT", "", role),
        Grant(("USAGE", "OPERATE", "MONITOR"), "WAREHOUSE", quote(hub.warehouse.name), role),
        Grant(("USAGE", "CREATE SCHEMA"), "DATABASE", database, role),
    ]
    schemas = [hub.shared_schema]
    schemas += [f"{name}_{known.name}" for known in hub.environments for name in hub.environment_schemas]
    for name in schemas:
        grants.append(Grant(("USAGE",), "SCHEMA", str(QualifiedName(name, hub.database)), role))
    shared = str(QualifiedName(hub.shared_schema, hub.database))
    writing = ("SELECT", "INSERT", "UPDATE", "DELETE")
    grants.append(Grant(("CREATE TABLE", "CREATE VIEW", "CREATE STAGE"), "SCHEMA", shared, role))
    grants.append(Grant(writing, "SCHEMA", shared, role, future="TABLE"))
    return [*grants, *store_grants(hub)]
