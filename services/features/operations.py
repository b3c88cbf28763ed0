"""``features.deploy`` and ``hub.features`` register what a spoke and the hub offer; ``features.profile`` counts it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.core.errors import SnowflakeFailed
from services.features.health import FeatureHealth
from services.features.profiling import Profiling
from services.features.refreshes import Measured
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


class Profile(Params):
    """The feature views of a spoke in an environment, or one of them by its name without version."""

    spoke: str
    environment: str
    view: str | None = None


class FeaturesOperations:
    """The kinds of operation of this domain."""

    def __init__(
        self, spokes: Spokes, shared: SharedFeatures, profiling: Profiling, health: FeatureHealth
    ) -> None:
        self._spokes = spokes
        self._shared = shared
        self._profiling = profiling
        self._health = health

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``features.deploy``, ``hub.features``, ``features.profile``."""
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
            OperationKind(
                "features.profile",
                "Profile feature views",
                Profile,
                [
                    Step("measure", "Count nulls and distinct values, with the warehouse", self.measure),
                    Step("keep", "Keep them in the history", self.keep),
                ],
                # It changes nothing in the account, so it waits for its like only.
                queue_key=lambda params: f"profile/{params.spoke}/{params.environment}",
                validate=self.check_profile,
                describe=_profiles,
                touches=lambda params: (),
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

    def check_profile(self, params: Profile) -> None:
        """NotFound, Invalid; Conflict for a spoke that is not onboarded."""
        self._spokes.scope(params.spoke, params.environment).require()

    def measure(self, context: StepContext, params: Profile) -> dict[str, object]:
        """One statement for each view. Views that cannot be read are told; it fails when none can be."""
        views = self._profiling.views(params.spoke, params.environment, params.view)
        measured: list[dict[str, object]] = []
        refused: dict[str, str] = {}
        failure: SnowflakeFailed | None = None
        with context.connect() as connection, connection.cursor() as cursor:

            def ask(text: str) -> tuple[Any, ...]:
                cursor.execute(text)
                return tuple(cursor.fetchall()[0])

            for count, view in enumerate(views):
                name = f"{view.name}${view.version}"
                context.progress(count / len(views), f"Counting {name}")
                try:
                    found = self._profiling.measure(ask, params.spoke, params.environment, view)
                except SnowflakeFailed as error:
                    failure, refused[name] = error, error.message
                    context.log(f"{name} cannot be read: {error.message}", "warning")
                    continue
                measured.append(asdict(found))
        if failure is not None and not measured:
            raise failure
        return {"at": context.now().isoformat(), "measured": measured, "refused": refused}

    def keep(self, context: StepContext, params: Profile) -> dict[str, object]:
        """One transaction; done again it writes the same."""
        told = context.result_of("measure")
        measured = [
            Measured(
                tuple(one["key"]),
                one["spoke"],
                one["environment"],
                one["rows"],
                tuple((name, nulls, distinct) for name, nulls, distinct in one["columns"]),
            )
            for one in told["measured"]
        ]
        columns = self._health.keep(measured, datetime.fromisoformat(told["at"]))
        context.log(f"{len(measured)} feature views with {columns} columns")
        return {"views": len(measured), "columns": columns, "refused": told["refused"]}


def _profiles(params: Profile) -> str:
    what = params.view or f"the feature views of {params.spoke}"
    return f"Profile {what} in {params.environment}"
