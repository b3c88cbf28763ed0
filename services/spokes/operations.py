"""``spoke.onboard``: a spoke enters the catalogue and gets its schema, roles, grants and tables."""

from __future__ import annotations

from typing import Any

from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.applying import apply, reader
from services.snowflake.inventory import Inventory
from services.snowflake.wanted_spoke import spoke_objects


class Onboard(Params):
    """A spoke, and the environment that it enters."""

    spoke: str
    environment: str


def check(params: Onboard, services: Any) -> None:
    """NotFound for a spoke without a directory, Invalid for its configuration, Conflict before the hub,
    RightsMissing for a role that may not do all of it.
    """
    services.spokes.hub.environment(params.environment)
    services.spokes.declared_config(params.spoke, params.environment)
    services.spokes.require_hub()
    services.spokes.require_rights(services.spokes.deployment_target(params.spoke, params.environment))


def enter(context: StepContext, params: Onboard) -> dict[str, Any]:
    """Write the catalogue's row."""
    config = context.services.spokes.declared_config(params.spoke, params.environment)
    context.services.spokes.catalogue.enter(config, params.environment)
    context.log(f"{config['title']}, owned by {config['owner']}")
    return {"title": config["title"], "owner": config["owner"]}


def objects(context: StepContext, params: Onboard) -> dict[str, Any]:
    """Create what is missing of the schema, tags, roles and grants."""
    scope = context.services.spokes.deployment_target(params.spoke, params.environment)
    wanted = spoke_objects(scope)
    with context.connect() as connection:
        return apply(context, Inventory(scope.hub, reader(connection)).compare(wanted), connection)


def tables(context: StepContext, params: Onboard) -> Any:
    """Apply the spoke's own SQL."""
    spokes = context.services.spokes
    return spokes.deploy(context, spokes.deployment_target(params.spoke, params.environment), "tables")


def activate(context: StepContext, params: Onboard) -> dict[str, Any]:
    """From now on the spoke is shown."""
    context.services.spokes.catalogue.activate(params.spoke, params.environment)
    return {"spoke": params.spoke, "environment": params.environment}


ONBOARD = OperationKind(
    "spoke.onboard",
    "Onboard a spoke",
    Onboard,
    [
        Step("catalogue", "Enter the catalogue", enter),
        Step("objects", "Schema, roles and grants", objects),
        Step("tables", "The spoke's tables and views", tables),
        Step("activate", "Open it", activate),
    ],
    queue_key=lambda params: f"{params.spoke}/{params.environment}",
    validate=check,
    describe=lambda params: f"Onboard {params.spoke} in {params.environment}",
)
KINDS = (ONBOARD,)
