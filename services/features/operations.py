"""``features.deploy``: the feature views that the spoke offers are registered."""

from __future__ import annotations

from typing import Any

from services.operations import OperationKind, Params, Step, StepContext


class Deploy(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


def check(params: Deploy, services: Any) -> None:
    """NotFound, Invalid; Conflict for a spoke that is not onboarded or without source tables."""
    services.spokes.scope(params.spoke, params.environment).require()
    services.spokes.require_sources(services.spokes.deployment_target(params.spoke, params.environment))


def share(context: StepContext, params: Deploy) -> Any:
    """Let the spoke set the tags of entities that other spokes registered."""
    spokes = context.services.spokes
    return spokes.share_entities(context, spokes.scope(params.spoke, params.environment))


def deploy(context: StepContext, params: Deploy) -> Any:
    """Plan and register; versions that are there and unchanged are kept."""
    spokes = context.services.spokes
    return spokes.deploy(context, spokes.deployment_target(params.spoke, params.environment), "features")


DEPLOY = OperationKind(
    "features.deploy",
    "Deploy feature views",
    Deploy,
    [Step("entities", "Share the entities", share), Step("deploy", "Register the feature views", deploy)],
    queue_key=lambda params: f"{params.spoke}/{params.environment}",
    validate=check,
    describe=lambda params: f"Deploy the feature views of {params.spoke} to {params.environment}",
)
KINDS = (DEPLOY,)
