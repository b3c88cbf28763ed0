"""Where one spoke's objects are in one environment: the names that every domain speaks of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.core.errors import Conflict
from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName
from spoke_kit.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Scope:
    """One spoke in one environment. ``manifest`` is what it declares there; None where it is not onboarded."""

    hub: Declaration
    spoke: str
    environment: str
    manifest: Manifest | None = None

    @property
    def onboarded(self) -> bool:
        return self.manifest is not None

    @property
    def declared(self) -> Manifest:
        """What the spoke declares; Conflict 409 while it is not onboarded in the environment."""
        if self.manifest is None:
            raise Conflict(
                f"The spoke {self.spoke} is not onboarded in {self.environment}",
                hint=f"Onboard it first: POST /api/v1/spokes with spoke {self.spoke} "
                f"and environment {self.environment}.",
                code="not_onboarded",
            )
        return self.manifest

    @property
    def prefix(self) -> str:
        """What the names of feature views, datasets and models begin with."""
        return self.hub.layout.prefix_of(self.spoke)

    @property
    def database(self) -> str:
        """The database of the environment."""
        return self.hub.layout.database_in(self.environment)

    @property
    def schema(self) -> QualifiedName:
        """The spoke's own schema."""
        return QualifiedName(self.hub.layout.schema_of(self.spoke, self.environment), self.database)

    @property
    def feature_store(self) -> QualifiedName:
        return feature_store(self.hub, self.environment)

    @property
    def registry(self) -> QualifiedName:
        return model_registry(self.hub, self.environment)

    @property
    def shared(self) -> QualifiedName:
        return shared_schema(self.hub)

    @property
    def owner_role(self) -> str:
        return self.hub.layout.owner_of(self.spoke, self.environment)

    @property
    def reader_role(self) -> str:
        return self.hub.layout.reader_of(self.spoke, self.environment)

    @property
    def producer_role(self) -> str:
        """The role that owns what the spokes share in the feature store."""
        return self.hub.layout.producer_in(self.environment)

    @property
    def cost_tags(self) -> Mapping[str, str]:
        """Values of the hub's cost tags, as the spoke declares them."""
        return self.manifest.cost_tags if self.manifest else {}

    @property
    def parameters(self) -> dict[str, str]:
        """What a procedure of the spoke, called by hand, has to be told of where it works."""
        return {"environment": self.environment, "layout": self.hub.layout.text}

    def own(self, name: str) -> QualifiedName:
        """An object in the spoke's own schema."""
        return within(self.schema, name)

    def source(self, table: str) -> QualifiedName:
        """A table in the shared schema."""
        return within(self.shared, table)

    def require(self) -> Scope:
        """This scope; Conflict 409 while the spoke is not onboarded in the environment."""
        assert self.declared
        return self


Scopes = Callable[[str, str], Scope]
"""(spoke, environment) → its scope; NotFound 404 for an unknown spoke, Invalid 422 for an environment."""


def within(schema: QualifiedName, name: str) -> QualifiedName:
    """An object of a schema, whose own name is ``database.schema``."""
    return QualifiedName(name, schema.name, schema.schema)


def shared_schema(hub: Declaration) -> QualifiedName:
    """The schema of the source data that all environments read."""
    return QualifiedName(hub.layout.shared_schema, hub.layout.shared_database)


def feature_store(hub: Declaration, environment: str) -> QualifiedName:
    """The schema that is the feature store of an environment."""
    return QualifiedName(hub.layout.feature_store_in(environment), hub.layout.database_in(environment))


def feature_stores(hub: Declaration) -> dict[tuple[str, str], str]:
    """Which environment a (database, schema) is the feature store of."""
    names = [one.name for one in hub.environments]
    return {(hub.layout.database_in(name), hub.layout.feature_store_in(name)): name for name in names}


def model_registry(hub: Declaration, environment: str) -> QualifiedName:
    """The schema that is the model registry of an environment."""
    return QualifiedName(hub.layout.model_registry_in(environment), hub.layout.database_in(environment))
