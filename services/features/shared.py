"""The hub's own feature views: what is offered in an environment, who consumes it, and what deploys it."""

from __future__ import annotations

import json
from functools import partial

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, Invalid
from services.core.hub import HUB, Declaration
from services.features.consumers import Lineage, consumed_shared, consumers, shared_scope
from services.features.repository import FeatureViews
from services.features.types import FeatureView
from services.operations import Operations, StepContext
from services.snowflake.acting import require_role
from services.snowflake.answers import Answers
from services.snowflake.connection import ConnectionSource
from services.snowflake.deployer import SHARED, deploy
from services.snowflake.identifiers import quote
from services.snowflake.scope import Scope
from services.spokes.service import Spokes
from spoke_kit.errors import SpokeError
from spoke_kit.manifest import SharedManifest, load_shared


class SharedFeatures:
    """See types.py."""

    def __init__(
        self,
        hub: Declaration,
        source: ConnectionSource,
        known: Answers,
        spokes: Spokes,
        lineage: Lineage,
        operations: Operations,
        clock: Clock = utc_now,
    ) -> None:
        self._hub = hub
        self._source = source
        self._views = FeatureViews(known)
        self._spokes = spokes
        self._lineage = lineage
        self._operations = operations
        self._clock = clock

    def scope(self, environment: str) -> Scope:
        """Where they are in an environment; Invalid 422."""
        return shared_scope(self._hub, self._hub.environment(environment).name)

    def views(self, environment: str, *, shapes: bool = True) -> tuple[FeatureView, ...]:
        """By name, the newest version of each first; without ``shapes`` they have no columns and entities."""
        scope = self.scope(environment)
        scopes = [one for one in self._spokes.onboarded() if one.environment == scope.environment]
        return self._views.read(
            scope, HUB, partial(consumers, scopes, self._lineage), self._clock, shapes=shapes
        )

    def read(self, environment: str | None = None) -> None:
        """Ask the account all that ``views`` asks of the hub's own, in one environment or in each."""
        for name in (environment,) if environment else [one.name for one in self._hub.environments]:
            self._views.read(self.scope(name), HUB, lambda _: (), self._clock)

    def consumed(self, scope: Scope) -> tuple[FeatureView, ...]:
        """Those that a spoke consumes and that are registered."""
        wanted = set(consumed_shared(scope).items()) if scope.onboarded else set()
        if not wanted:
            return ()
        return tuple(view for view in self.views(scope.environment) if (view.name, view.version) in wanted)

    def offered(self, environment: str) -> set[str]:
        """NAME$VERSION of what is registered."""
        return {str(row["name"]) for row in self._views.rows(self.scope(environment))}

    def require_offered(self, scope: Scope) -> None:
        """Conflict 409, naming what is offered, unless all that the spoke consumes is registered."""
        wanted = consumed_shared(scope)
        if not wanted:
            return
        offered = sorted(name.replace("$", " ") for name in self.offered(scope.environment))
        for name, version in wanted.items():
            if f"{name} {version}" not in offered:
                raise Conflict(
                    f"The hub does not offer {name} {version} in {scope.environment}",
                    hint=f"It offers {', '.join(offered)}."
                    if offered
                    else "Deploy the hub's feature views first: POST /api/v1/hub/feature-views.",
                    code="spoke.not_offered",
                )

    def declared(self) -> SharedManifest:
        """What the hub's project says; Invalid 422 for what is wrong with it."""
        try:
            return load_shared(SHARED)
        except SpokeError as error:
            raise Invalid(error.message, hint=error.hint or None, code=error.code) from None

    def require_deployable(self, environment: str) -> None:
        """Conflict 409 before the hub is applied and the tables that they read are there."""
        self._spokes.require_hub(environment)
        self._spokes.require_tables(self.scope(environment), self.declared().sources)

    def deploy(self, context: StepContext, environment: str) -> dict[str, object]:
        """Register in a child process, with the hub's role, which then owns them; what changed."""
        scope = self.scope(environment)
        require_role(self._source, self._hub.service_role)
        tag = {"app": "spokehub", "operation": context.operation_id, "environment": scope.environment}
        parameters = self._source.parameters(
            role=self._hub.service_role,
            warehouse=self._hub.warehouse.name,
            database=quote(scope.database),
            schema=quote(scope.feature_store.name),
            session_parameters={"QUERY_TAG": json.dumps(tag, sort_keys=True)},
        )
        result = deploy(context, scope, "features", parameters, directory=SHARED)
        return {"bundle": result["bundle"], "changes": result["changes"]}

    def start_deploy(self, environment: str, actor: str) -> str:
        """Submit ``hub.features``; the operation's id."""
        params = {"environment": self._hub.environment(environment).name}
        return self._operations.submit("hub.features", params, actor=actor).id
