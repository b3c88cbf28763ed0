"""``spoke.onboard``: a spoke enters the catalogue and gets its schema, roles, grants and tables."""

from __future__ import annotations

from typing import Any

from services.knowledge.types import HUB, spoke_part
from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.applying import apply, reader
from services.snowflake.inventory import Inventory
from services.snowflake.scope import Scope
from services.snowflake.wanted_spoke import spoke_objects
from services.spokes.repository import Catalogue
from services.spokes.service import Spokes


class Onboard(Params):
    """A spoke, and the environment that it enters."""

    spoke: str
    environment: str


class SpokesOperations:
    """The kinds of operation of this domain."""

    def __init__(self, spokes: Spokes, catalogue: Catalogue) -> None:
        self._spokes = spokes
        self._catalogue = catalogue

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``spoke.onboard``."""
        return (
            OperationKind(
                "spoke.onboard",
                "Onboard a spoke",
                Onboard,
                [
                    Step("catalogue", "Enter the catalogue", self.enter),
                    Step("objects", "Schema, roles and grants", self.objects),
                    Step("tables", "The spoke's tables and views", self.tables),
                    Step("activate", "Open it", self.activate),
                ],
                queue_key=lambda params: f"{params.spoke}/{params.environment}",
                validate=self.check,
                describe=lambda params: f"Onboard {params.spoke} in {params.environment}",
                touches=lambda params: (spoke_part(params.spoke, params.environment), HUB),
            ),
        )

    def check(self, params: Onboard) -> None:
        """NotFound for a spoke without a directory, Invalid for its configuration, Conflict for names that are
        taken or before the hub is applied, RightsMissing for a role that may not do all of it.
        """
        self._spokes.hub.environment(params.environment)
        target = self._target(params)
        self._spokes.require_names(target)
        self._spokes.require_hub(params.environment)
        self._spokes.require_rights(target)

    def enter(self, context: StepContext, params: Onboard) -> dict[str, Any]:
        """Write the catalogue's row."""
        manifest = self._spokes.declared(params.spoke, params.environment)
        self._catalogue.enter(manifest, params.environment)
        context.log(f"{manifest.title}, owned by {manifest.owner}")
        return {"title": manifest.title, "owner": manifest.owner}

    def objects(self, context: StepContext, params: Onboard) -> dict[str, Any]:
        """Create what is missing of the schema, tags, roles and grants."""
        scope = self._target(params)
        wanted = spoke_objects(scope)
        with context.connect() as connection:
            return apply(context, Inventory(scope.hub, reader(connection)).compare(wanted), connection)

    def tables(self, context: StepContext, params: Onboard) -> Any:
        """Apply the spoke's own SQL."""
        return self._spokes.deploy(context, self._target(params), "tables")

    def activate(self, context: StepContext, params: Onboard) -> dict[str, Any]:
        """From now on the spoke is shown."""
        self._catalogue.activate(params.spoke, params.environment)
        return {"spoke": params.spoke, "environment": params.environment}

    def _target(self, params: Onboard) -> Scope:
        return self._spokes.deployment_target(params.spoke, params.environment)
