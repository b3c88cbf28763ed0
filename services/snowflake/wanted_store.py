"""What the spokes of an environment share in its feature store, made by the hub.

The client writes each feature view into one table of metadata and tags that table anew each time. On a table that
the first spoke had made, every other spoke would be refused: setting a tag takes the table's ownership. So the hub
makes the tables and the tags, and a role owns the tables of which each spoke's owner is a member.
https://docs.snowflake.com/en/developer-guide/snowflake-ml/feature-store/rbac, …/user-guide/object-tagging/work
"""

from __future__ import annotations

from collections.abc import Iterable

from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import Scope, feature_store, within
from services.snowflake.wanted import Grant, Wanted, wanted_grant, wanted_role, wanted_tag

TAGS = ("SNOWML_FEATURE_STORE_OBJECT", "SNOWML_FEATURE_VIEW_METADATA")
ENTITY_PREFIX = "SNOWML_FEATURE_STORE_ENTITY_"
# The tables as snowflake-ml 2.6 makes them.
TABLES = {
    "_FEATURE_STORE_METADATA": """(
    OBJECT_TYPE VARCHAR(50) NOT NULL,
    OBJECT_NAME VARCHAR(256) NOT NULL,
    VERSION VARCHAR(128) NOT NULL,
    METADATA_TYPE VARCHAR(50) NOT NULL,
    METADATA VARIANT NOT NULL,
    CREATED_AT TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP(),
    UPDATED_AT TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP(),
    PRIMARY KEY (OBJECT_TYPE, OBJECT_NAME, VERSION, METADATA_TYPE)
)""",
    "SNOWML_SNAPSHOT_STATUS": """(
    FV_FQN VARCHAR NOT NULL,
    SNAPSHOT_START_TIME TIMESTAMP_NTZ NOT NULL,
    CREATED_AT TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP()
)""",
}


def store_roles(hub: Declaration) -> list[Wanted]:
    """The role of each feature store, which owns what is shared in it; the client calls it the producer."""
    return [
        wanted_role(hub.layout.producer_in(known.name), "Owns what all spokes share in the feature store")
        for known in hub.environments
    ]


def store_objects(hub: Declaration, environment: str) -> list[Wanted]:
    """The tags and tables of one feature store."""
    store, role = feature_store(hub, environment), hub.layout.producer_in(environment)
    return [
        *(wanted_tag(within(store, tag), "Marks objects of the feature store") for tag in TAGS),
        *(_table(within(store, name), columns, role) for name, columns in TABLES.items()),
    ]


def _table(name: QualifiedName, columns: str, role: str) -> Wanted:
    comment = "Of the feature store: for internal use only"
    ownership = f"GRANT OWNERSHIP ON TABLE {name} TO ROLE {quote(role)} COPY CURRENT GRANTS"
    create = f"CREATE TABLE IF NOT EXISTS {name} {columns} COMMENT = {literal(comment)}"
    return Wanted("table", str(name), (create, ownership), {"owner": role}, ownership, comment=comment)


def store_grants(hub: Declaration) -> list[Grant]:
    """The hub stands above each store's role, which may set the store's tags."""
    found = []
    for known in hub.environments:
        store, role = feature_store(hub, known.name), hub.layout.producer_in(known.name)
        found.append(Grant(("USAGE",), "ROLE", quote(role), hub.role))
        found += [Grant(("APPLY",), "TAG", str(within(store, tag)), role) for tag in TAGS]
    return found


def entity_grants(scope: Scope, tags: Iterable[str]) -> list[Wanted]:
    """APPLY on the tags of entities: whose feature views speak of an entity sets its tag.

    There is no GRANT on all tags of a schema, nor on future ones.
    """
    grants = [
        Grant(("APPLY",), "TAG", str(within(scope.feature_store, tag)), scope.producer_role) for tag in tags
    ]
    return [wanted_grant(grant) for grant in grants]
