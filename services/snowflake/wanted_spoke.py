"""What a spoke has in one environment: its schema, roles and grants."""

from __future__ import annotations

from collections.abc import Iterable

from services.core.errors import Invalid
from services.core.hub import Declaration
from services.snowflake.identifiers import quote
from services.snowflake.scope import Scope, within
from services.snowflake.wanted import (
    ENVIRONMENT_TAG,
    SPOKE_TAG,
    Grant,
    Wanted,
    wanted_grant,
    wanted_role,
    wanted_schema,
    wanted_tag_value,
)

_OWN = ["TABLE", "VIEW", "STAGE", "FUNCTION", "PROCEDURE", "SEQUENCE", "PIPE", "STREAM", "TASK"]


def spoke_objects(scope: Scope) -> list[Wanted]:
    """A spoke's schema, tags, roles and grants in one environment, in the order in which they can be made."""
    spoke, environment = scope.spoke.upper(), scope.environment
    values = {**scope.cost_tags, SPOKE_TAG: scope.spoke, ENVIRONMENT_TAG: environment}
    return [
        wanted_schema(scope.schema, f"The spoke {spoke} in {environment}"),
        *(
            wanted_tag_value(scope.schema, within(scope.shared, tag), values[tag])
            for tag in scope.hub.cost_tags
            if tag in values
        ),
        wanted_role(scope.reader_role, f"Reads what the spoke {spoke} has in {environment}"),
        wanted_role(scope.owner_role, f"Owns what the spoke {spoke} has in {environment}"),
        *(wanted_grant(grant) for grant in (*_reader_grants(scope), *_owner_grants(scope))),
    ]


def check_cost_tags(hub: Declaration, cost_tags: Iterable[str]) -> None:
    """Invalid 422 for a cost tag that ``hub.yaml`` does not declare, or that Spokehub sets by itself."""
    own = {SPOKE_TAG, ENVIRONMENT_TAG}
    for tag in cost_tags:
        if tag in own:
            raise Invalid(
                f"cost_tags: {tag} is set by Spokehub itself", hint="Leave it out.", code="reserved_cost_tag"
            )
        if tag not in hub.cost_tags:
            known = ", ".join(sorted(set(hub.cost_tags) - own))
            raise Invalid(
                f"cost_tags: hub.yaml declares no tag {tag}",
                hint=f"Declared: {known}." if known else "Declare it in hub.yaml, under cost_tags.",
                code="unknown_cost_tag",
            )


def _reader_grants(scope: Scope) -> list[Grant]:
    """The feature store's consumer privileges, and reading what the spoke has."""
    role, own, store = scope.reader_role, str(scope.schema), str(scope.feature_store)
    registry = str(scope.registry)
    return [
        Grant(("USAGE",), "WAREHOUSE", quote(scope.hub.warehouse.name), role),
        Grant(("USAGE",), "DATABASE", quote(scope.database), role),
        *(Grant(("USAGE",), "SCHEMA", schema, role) for schema in (own, store, registry)),
        *(Grant(("SELECT",), "SCHEMA", own, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(("MONITOR",), "SCHEMA", own, role, future="TASK"),
        Grant(("SELECT", "MONITOR"), "SCHEMA", store, role, future="DYNAMIC TABLE"),
        *(Grant(("SELECT", "REFERENCES"), "SCHEMA", store, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(("USAGE",), "SCHEMA", store, role, future="DATASET"),
        # Metrics and metadata of versions want READ.
        # https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview#required-privileges
        Grant(("USAGE", "READ"), "SCHEMA", registry, role, future="MODEL"),
    ]


def _owner_grants(scope: Scope) -> list[Grant]:
    """The feature store's producer privileges, and making what the spoke has."""
    role, own, store = scope.owner_role, str(scope.schema), str(scope.feature_store)
    shared, shared_database = str(scope.shared), scope.hub.layout.shared_database
    kinds = ("DYNAMIC TABLE", "TAG", "VIEW", "TASK", "TABLE", "DATASET", "STAGE")
    return [
        Grant(("USAGE",), "ROLE", quote(scope.reader_role), role),
        Grant(("USAGE",), "ROLE", quote(role), scope.hub.role),
        Grant(("USAGE",), "ROLE", quote(scope.producer_role), role),
        Grant(("EXECUTE TASK",), "ACCOUNT", "", role),
        *(
            Grant(("USAGE",), "COMPUTE POOL", quote(pool.name), role)
            for pool in (scope.hub.compute_pool,)
            if pool
        ),
        *(
            Grant(("USAGE",), "DATABASE", quote(name), role)
            for name in (shared_database,)
            if name != scope.database
        ),
        Grant(("USAGE",), "SCHEMA", shared, role),
        *(Grant(("SELECT",), "SCHEMA", shared, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(tuple(f"CREATE {kind}" for kind in (*_OWN, "FILE FORMAT")), "SCHEMA", own, role),
        Grant(tuple(f"CREATE {kind}" for kind in kinds), "SCHEMA", store, role),
        *(Grant(("OPERATE",), "SCHEMA", store, role, future=kind) for kind in ("DYNAMIC TABLE", "TASK")),
        Grant(("CREATE MODEL",), "SCHEMA", str(scope.registry), role),
    ]
