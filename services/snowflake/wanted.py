"""Objects that the hub and its spokes should consist of, each with the statements that bring it about.

What exists is read by ``inventory``; a plan is the comparison of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import Scope, within

# The tags that the feature store marks its objects with; the hub makes them, as all spokes share them.
# https://docs.snowflake.com/en/developer-guide/snowflake-ml/feature-store/rbac
STORE_TAGS = ("SNOWML_FEATURE_STORE_OBJECT", "SNOWML_FEATURE_VIEW_METADATA")
_OWN = ["TABLE", "VIEW", "STAGE", "FUNCTION", "PROCEDURE", "SEQUENCE", "PIPE", "STREAM", "TASK"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object. ``settings`` maps columns of its SHOW row to what they should say.

    ``create`` makes it, ``change`` mends its settings; both may be repeated without harm.
    """

    kind: str
    name: str
    create: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    change: str = ""
    comment: str | None = None
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on one thing to one role. ``on`` is as in GRANT: kind and name, or ACCOUNT."""

    privileges: tuple[str, ...]
    on: str
    name: str
    role: str
    future: str | None = None

    @property
    def title(self) -> str:
        things = f"FUTURE {self.future}S IN " if self.future else ""
        return f"{', '.join(self.privileges)} ON {things}{self.on} {self.name}".strip() + f" TO {self.role}"

    def statements(self) -> tuple[str, ...]:
        """GRANT; a grant on future objects is made on those that exist as well."""
        privileges, role = ", ".join(self.privileges), quote(self.role)
        if self.future:
            return tuple(
                f"GRANT {privileges} ON {which} {self.future}S IN {self.on} {self.name} TO ROLE {role}"
                for which in ("FUTURE", "ALL")
            )
        if self.on == "ROLE":
            return (f"GRANT ROLE {self.name} TO ROLE {role}",)
        return (f"GRANT {privileges} ON {self.on} {self.name}".rstrip() + f" TO ROLE {role}",)


def hub_objects(hub: Declaration) -> list[Wanted]:
    """Everything but the spokes, in the order in which it can be made."""
    return [
        *_compute(hub),
        _role(hub.role, "The hub: may do in the spokes what each of them may"),
        Wanted(
            "database",
            hub.database,
            (f"CREATE DATABASE IF NOT EXISTS {quote(hub.database)} COMMENT = {literal('Made by Spokehub')}",),
        ),
        *_hub_schemas(hub),
        *_hub_grants(hub),
    ]


def spoke_objects(scope: Scope) -> list[Wanted]:
    """A spoke's schema, tags, roles and grants in one environment, in the order in which they can be made."""
    spoke, environment = scope.spoke.upper(), scope.environment
    values = {"SPOKEHUB_SPOKE": scope.spoke, "SPOKEHUB_ENVIRONMENT": environment}
    return [
        _schema(scope.schema, f"The spoke {spoke} in {environment}"),
        *(
            _tag_value(scope.schema, within(scope.shared, tag), values[tag])
            for tag in scope.hub.cost_tags
            if tag in values
        ),
        _role(scope.reader_role, f"Reads what the spoke {spoke} has in {environment}"),
        _role(scope.owner_role, f"Owns what the spoke {spoke} has in {environment}"),
        *(_granted(grant) for grant in (*_reader_grants(scope), *_owner_grants(scope))),
    ]


def _compute(hub: Declaration) -> list[Wanted]:
    warehouse, pool = hub.warehouse, hub.compute_pool
    size = f"WAREHOUSE_SIZE = {warehouse.size} AUTO_SUSPEND = {warehouse.auto_suspend_seconds}"
    nodes = f"MIN_NODES = {pool.min_nodes} MAX_NODES = {pool.max_nodes}"
    idle = f"AUTO_SUSPEND_SECS = {pool.auto_suspend_seconds}"
    return [
        Wanted(
            "warehouse",
            warehouse.name,
            (
                f"CREATE WAREHOUSE IF NOT EXISTS {quote(warehouse.name)} {size} AUTO_RESUME = TRUE"
                " INITIALLY_SUSPENDED = TRUE",
            ),
            {"size": warehouse.size, "auto_suspend": str(warehouse.auto_suspend_seconds)},
            f"ALTER WAREHOUSE {quote(warehouse.name)} SET {size}",
        ),
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
    ]


def _hub_schemas(hub: Declaration) -> list[Wanted]:
    shared = QualifiedName(hub.shared_schema, hub.database)
    found = [_schema(shared, "Source data that all environments read")]
    found += [_tag(within(shared, tag), comment) for tag, comment in hub.cost_tags.items()]
    for environment in hub.environments:
        for name in hub.environment_schemas:
            schema = QualifiedName(f"{name}_{environment.name}", hub.database)
            found.append(_schema(schema, f"{name.replace('_', ' ').capitalize()} of {environment.name}"))
            if "SPOKEHUB_ENVIRONMENT" in hub.cost_tags:
                tag = within(shared, "SPOKEHUB_ENVIRONMENT")
                found.append(_tag_value(schema, tag, environment.name))
            if name == "FEATURE_STORE":
                found += [
                    _tag(within(schema, tag), "Marks objects of the feature store") for tag in STORE_TAGS
                ]
    return found


def _hub_grants(hub: Declaration) -> list[Wanted]:
    database, role = quote(hub.database), hub.role
    grants = [
        Grant(("USAGE",), "ROLE", quote(role), hub.parent_role),
        Grant(("EXECUTE TASK", "EXECUTE MANAGED TASK", "MONITOR EXECUTION"), "ACCOUNT", "", role),
        Grant(("USAGE", "OPERATE", "MONITOR"), "WAREHOUSE", quote(hub.warehouse.name), role),
        Grant(("USAGE", "MONITOR"), "COMPUTE POOL", quote(hub.compute_pool.name), role),
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
    return [_granted(grant) for grant in grants]


def _reader_grants(scope: Scope) -> list[Grant]:
    """The feature store's consumer privileges, and reading what the spoke has."""
    role, own, store = scope.reader_role, str(scope.schema), str(scope.feature_store)
    registry = str(scope.registry)
    return [
        Grant(("USAGE",), "WAREHOUSE", quote(scope.hub.warehouse.name), role),
        Grant(("USAGE",), "DATABASE", quote(scope.hub.database), role),
        *(Grant(("USAGE",), "SCHEMA", schema, role) for schema in (own, store, registry)),
        *(Grant(("SELECT",), "SCHEMA", own, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(("MONITOR",), "SCHEMA", own, role, future="TASK"),
        Grant(("SELECT", "MONITOR"), "SCHEMA", store, role, future="DYNAMIC TABLE"),
        *(Grant(("SELECT", "REFERENCES"), "SCHEMA", store, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(("USAGE",), "SCHEMA", store, role, future="DATASET"),
        Grant(("USAGE",), "SCHEMA", registry, role, future="MODEL"),
    ]


def _owner_grants(scope: Scope) -> list[Grant]:
    """The feature store's producer privileges, and making what the spoke has."""
    role, own, store = scope.owner_role, str(scope.schema), str(scope.feature_store)
    shared = str(scope.shared)
    kinds = ("DYNAMIC TABLE", "TAG", "VIEW", "TASK", "TABLE", "DATASET", "STAGE")
    return [
        Grant(("USAGE",), "ROLE", quote(scope.reader_role), role),
        Grant(("USAGE",), "ROLE", quote(role), scope.hub.role),
        Grant(("EXECUTE TASK", "EXECUTE MANAGED TASK"), "ACCOUNT", "", role),
        Grant(("USAGE",), "COMPUTE POOL", quote(scope.hub.compute_pool.name), role),
        Grant(("USAGE",), "SCHEMA", shared, role),
        *(Grant(("SELECT",), "SCHEMA", shared, role, future=kind) for kind in ("TABLE", "VIEW")),
        Grant(tuple(f"CREATE {kind}" for kind in (*_OWN, "FILE FORMAT")), "SCHEMA", own, role),
        Grant(tuple(f"CREATE {kind}" for kind in kinds), "SCHEMA", store, role),
        *(Grant(("OPERATE",), "SCHEMA", store, role, future=kind) for kind in ("DYNAMIC TABLE", "TASK")),
        *(Grant(("APPLY",), "TAG", str(within(scope.feature_store, tag)), role) for tag in STORE_TAGS),
        Grant(("CREATE MODEL",), "SCHEMA", str(scope.registry), role),
    ]


def _schema(name: QualifiedName, comment: str) -> Wanted:
    statement = f"CREATE SCHEMA IF NOT EXISTS {name} COMMENT = {literal(comment)}"
    return Wanted("schema", str(name), (statement,), comment=comment)


def _role(name: str, comment: str) -> Wanted:
    statement = f"CREATE ROLE IF NOT EXISTS {quote(name)} COMMENT = {literal(comment)}"
    return Wanted("role", name, (statement,), comment=comment)


def _tag(name: QualifiedName, comment: str) -> Wanted:
    statement = f"CREATE TAG IF NOT EXISTS {name} COMMENT = {literal(comment)}"
    return Wanted("tag", str(name), (statement,), comment=comment)


def _tag_value(schema: QualifiedName, tag: QualifiedName, value: str) -> Wanted:
    statement = f"ALTER SCHEMA {schema} SET TAG {tag} = {literal(value)}"
    return Wanted("tag value", f"{tag.name} on {schema}", (statement,), {"value": value}, statement)


def _granted(grant: Grant) -> Wanted:
    return Wanted("grant", grant.title, grant.statements(), grant=grant)


def schemas_of(objects: Sequence[Wanted]) -> list[str]:
    """The schemas among ``objects``, as ``database.schema``."""
    return [item.name for item in objects if item.kind == "schema"]
