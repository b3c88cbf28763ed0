"""``features.deploy``: the feature views that the spoke offers are registered."""

from __future__ import annotations

from typing import Any

from services.operations import OperationKind, Params, Step, StepContext
from services.spokes.service import Spokes


class Deploy(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class FeaturesOperations:
    """The kinds of operation of this domain."""

    def __init__(self, spokes: Spokes) -> None:
        self._spokes = spokes

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``features.deploy``."""
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
        )

    def check(self, params: Deploy) -> None:
        """NotFound, Invalid; Conflict for a spoke that is not onboarded or without source tables."""
        self._spokes.scope(params.spoke, params.environment).require()
        self._spokes.require_sources(self._spokes.deployment_target(params.spoke, params.environment))

    def share(self, context: StepContext, params: Deploy) -> Any:
        """Let the spoke set the tags of entities that other spokes registered."""
        return self._spokes.share_entities(context, self._spokes.scope(params.spoke, params.environment))

    def deploy(self, context: StepContext, params: Deploy) -> Any:
        """Plan and register; versions that are there and unchanged are kept."""
        target = self._spokes.deployment_target(params.spoke, params.environment)
        return self._spokes.deploy(context, target, "features")
