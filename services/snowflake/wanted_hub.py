"""What the hub consists of: warehouse, roles, database, schemas, tags, grants."""

from __future__ import annotations

from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import feature_store, model_registry, shared_schema, within
from services.snowflake.wanted import (
    ENVIRONMENT_TAG,
    Grant,
    Wanted,
    wanted_grant,
    wanted_role,
    wanted_schema,
    wanted_tag,
    wanted_tag_value,
)
from services.snowflake.wanted_store import store_grants, store_objects, store_roles


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
        *(
            Wanted("database", name, (f"CREATE DATABASE IF NOT EXISTS {quote(name)} COMMENT = {comment}",))
            for name in hub.databases
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
    shared = shared_schema(hub)
    found = [wanted_schema(shared, "Source data that all environments read")]
    found += [wanted_tag(within(shared, tag), comment) for tag, comment in hub.cost_tags.items()]
    for known in hub.environments:
        store, registry = feature_store(hub, known.name), model_registry(hub, known.name)
        found.append(wanted_schema(store, f"Feature store of {known.name}"))
        found += _tagged(hub, store, known.name)
        found += store_objects(hub, known.name)
        found.append(wanted_schema(registry, f"Model registry of {known.name}"))
        found += _tagged(hub, registry, known.name)
    return found


def _tagged(hub: Declaration, schema: QualifiedName, environment: str) -> list[Wanted]:
    if ENVIRONMENT_TAG not in hub.cost_tags:
        return []
    return [wanted_tag_value(schema, within(shared_schema(hub), ENVIRONMENT_TAG), environment)]


def _grants(hub: Declaration, applicant: str | None) -> list[Grant]:
    role, shared = hub.role, shared_schema(hub)
    above = [hub.parent_role, *([applicant] if applicant else [])]
    schemas = [shared]
    for known in hub.environments:
        schemas += [feature_store(hub, known.name), model_registry(hub, known.name)]
    making, writing = (
        ("CREATE TABLE", "CREATE VIEW", "CREATE STAGE"),
        ("SELECT", "INSERT", "UPDATE", "DELETE"),
    )
    return [
        *(Grant(("USAGE",), "ROLE", quote(role), one) for one in above),
        Grant(("EXECUTE TASK", "MONITOR EXECUTION"), "ACCOUNT", "", role),
        Grant(("USAGE", "OPERATE", "MONITOR"), "WAREHOUSE", quote(hub.warehouse.name), role),
        *(Grant(("USAGE", "CREATE SCHEMA"), "DATABASE", quote(name), role) for name in hub.databases),
        *(Grant(("USAGE",), "SCHEMA", str(schema), role) for schema in schemas),
        Grant(making, "SCHEMA", str(shared), role),
        Grant(writing, "SCHEMA", str(shared), role, future="TABLE"),
        *store_grants(hub),
    ]
