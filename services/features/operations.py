"""``features.deploy`` and ``hub.features``: what a spoke offers, and what the hub offers, is registered."""

from __future__ import annotations

from typing import Any

from services.features.shared import SharedFeatures
from services.operations import OperationKind, Params, Step, StepContext
from services.spokes.service import Spokes


class Deploy(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class DeployShared(Params):
    """An environment."""

    environment: str


class FeaturesOperations:
    """The kinds of operation of this domain."""

    def __init__(self, spokes: Spokes, shared: SharedFeatures) -> None:
        self._spokes = spokes
        self._shared = shared

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``features.deploy``, ``hub.features``."""
        return (
            OperationKind(
                "features.deploy",
                "Deploy feature views",
                Deploy,
                [
                    Step("entities", "Share the entities", self.share),
                    Step("deploy", "Register the feature views", self.deploy),
                ],
                queue_key=lambda params: f"{params.spoke}/{params.environment}",
                validate=self.check,
                describe=lambda params: f"Deploy the feature views of {params.spoke} to {params.environment}",
            ),
            OperationKind(
                "hub.features",
                "Deploy the shared feature views",
                DeployShared,
                [
                    Step("entities", "Share the entities", self.share_shared),
                    Step("deploy", "Register the feature views", self.deploy_shared),
                ],
                queue_key=lambda params: f"hub/{params.environment}",
                validate=self.check_shared,
                describe=lambda params: f"Deploy the shared feature views to {params.environment}",
            ),
        )

    def check(self, params: Deploy) -> None:
        """NotFound, Invalid; Conflict for a spoke that is not onboarded, without source tables, or that consumes what
        the hub does not offer.
        """
        self._spokes.scope(params.spoke, params.environment).require()
        target = self._spokes.deployment_target(params.spoke, params.environment)
        self._spokes.require_sources(target)
        self._shared.require_offered(target)

    def share(self, context: StepContext, params: Deploy) -> Any:
        """Let the spoke set the tags of entities that other spokes registered."""
        return self._spokes.share_entities(context, self._spokes.scope(params.spoke, params.environment))

    def deploy(self, context: StepContext, params: Deploy) -> Any:
        """Plan and register; versions that are there and unchanged are kept."""
        target = self._spokes.deployment_target(params.spoke, params.environment)
        return self._spokes.deploy(context, target, "features")

    def check_shared(self, params: DeployShared) -> None:
        """Invalid; Conflict before the hub is applied and the tables that they read are there."""
        self._shared.require_deployable(params.environment)

    def share_shared(self, context: StepContext, params: DeployShared) -> int:
        """Let the hub set the tags of entities that spokes registered."""
        return self._spokes.share_entities(context, self._shared.scope(params.environment))

    def deploy_shared(self, context: StepContext, params: DeployShared) -> dict[str, object]:
        """Plan and register; versions that are there and unchanged are kept."""
        return self._shared.deploy(context, params.environment)
