"""Where one spoke's objects are in one environment: the names that every domain speaks of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.core.errors import Conflict
from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName

TRAINING_GRAPH = "TRAINING_DAG"
INFERENCE_GRAPH = "INFERENCE_DAG"


@dataclass(frozen=True, slots=True)
class Scope:
    """One spoke in one environment. ``config`` is its spoke.yaml with the overlay, as onboarded."""

    hub: Declaration
    spoke: str
    environment: str
    onboarded: bool = False
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the names of feature views, datasets and models begin with."""
        return f"{self.spoke.upper()}__"

    @property
    def schema(self) -> QualifiedName:
        """The spoke's own schema."""
        return self._schema(f"{self.spoke.upper()}_{self.environment}")

    @property
    def feature_store(self) -> QualifiedName:
        return self._schema(f"FEATURE_STORE_{self.environment}")

    @property
    def registry(self) -> QualifiedName:
        return self._schema(f"MODEL_REGISTRY_{self.environment}")

    @property
    def shared(self) -> QualifiedName:
        return self._schema(self.hub.shared_schema)

    @property
    def owner_role(self) -> str:
        return self._role("OWNER")

    @property
    def reader_role(self) -> str:
        return self._role("READER")

    def own(self, name: str) -> QualifiedName:
        """An object in the spoke's own schema."""
        return within(self.schema, name)

    def source(self, table: str) -> QualifiedName:
        """A table in the shared schema."""
        return within(self.shared, table)

    def require(self) -> Scope:
        """This scope; Conflict 409 while the spoke is not onboarded in the environment."""
        if not self.onboarded:
            raise Conflict(
                f"The spoke {self.spoke} is not onboarded in {self.environment}",
                hint=f"Onboard it first: POST /api/v1/spokes with spoke {self.spoke} "
                f"and environment {self.environment}.",
                code="not_onboarded",
            )
        return self

    def _role(self, right: str) -> str:
        return f"{self.hub.role_prefix}{self.spoke.upper()}_{self.environment}_{right}"

    def _schema(self, name: str) -> QualifiedName:
        return QualifiedName(name, self.hub.database)


Scopes = Callable[[str, str], Scope]
"""(spoke, environment) → its scope; NotFound 404 for an unknown spoke, Invalid 422 for an environment."""


def within(schema: QualifiedName, name: str) -> QualifiedName:
    """An object of a schema, whose own name is ``database.schema``."""
    return QualifiedName(name, schema.name, schema.schema)
