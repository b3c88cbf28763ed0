"""Feature views: what is offered, how fresh it is, and what deploys it."""

from __future__ import annotations

from functools import partial

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, NotFound
from services.features.consumers import Lineage, consumed, consumed_shared, consumers
from services.features.repository import FeatureViews
from services.features.shared import SharedFeatures
from services.features.types import Consumer, FeatureView
from services.operations import Operations
from services.snowflake.answers import Answers
from services.snowflake.identifiers import named
from services.snowflake.scope import Scope, Scopes


class Features:
    """See types.py."""

    def __init__(
        self,
        source: Answers,
        scopes: Scopes,
        shared: SharedFeatures,
        lineage: Lineage,
        operations: Operations,
        clock: Clock = utc_now,
    ) -> None:
        self._views = FeatureViews(source)
        self._scopes = scopes
        self._shared = shared
        self._lineage = lineage
        self._operations = operations
        self._clock = clock

    def views(self, spoke: str, environment: str) -> tuple[FeatureView, ...]:
        """By name, the newest version of each first; after its own those of the hub's that it consumes."""
        scope = self._scopes(spoke, environment)
        return (*self._read(scope, shapes=True), *self._shared.consumed(scope))

    def read(self, spoke: str, environment: str) -> None:
        """Ask the account all that ``views`` and ``freshness`` ask, but for what is made of them."""
        scope = self._scopes(spoke, environment)
        if scope.onboarded:
            self._views.read(scope, scope.spoke, lambda _: (), self._clock)
            if consumed_shared(scope):
                self._shared.read(scope.environment)

    def freshness(self, spoke: str, environment: str) -> tuple[FeatureView, ...]:
        """Its own without columns, entities and what was made of them, which take more questions to the account."""
        return self._read(self._scopes(spoke, environment), shapes=False)

    def view(self, spoke: str, environment: str, name: str, version: str | None = None) -> FeatureView:
        """One version, the newest by default; NotFound 404."""
        found = named(name, self.views(spoke, environment), lambda one: one.name)
        for view in found if version is None else named(version, found, lambda one: one.version):
            return view
        which = f"{name} {version}" if version else name
        raise NotFound(
            f"There is no feature view {which} in {environment}",
            hint="See the feature views of the spoke.",
            code="unknown_feature_view",
        )

    def require_consumed(self, spoke: str, environment: str) -> None:
        """Conflict 409 unless every version that the spoke's pipelines read is registered."""
        scope = self._scopes(spoke, environment).require()
        own = {str(row["name"]) for row in self._views.rows(scope)}
        self._shared.require_offered(scope)
        missing = sorted(consumed(scope) - own - self._shared.offered(scope.environment))
        if missing:
            raise Conflict(
                f"The feature views {', '.join(missing)} are not deployed in {scope.environment}",
                hint=f'Deploy them first: POST /api/v1/spokes/{spoke}/deployments with {{"part": "features"}}.',
                code="features_not_deployed",
            )

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``features.deploy``; the operation's id."""
        params = {"spoke": spoke, "environment": self._scopes(spoke, environment).environment}
        return self._operations.submit("features.deploy", params, actor=actor).id

    def _read(self, scope: Scope, *, shapes: bool) -> tuple[FeatureView, ...]:
        if not scope.onboarded:
            return ()
        readers = partial(consumers, [scope], self._lineage) if shapes else partial(_in_use, scope)
        return self._views.read(scope, scope.spoke, readers, self._clock, shapes=shapes)


def _in_use(scope: Scope, of: str) -> tuple[Consumer, ...]:
    """The spoke itself, when its manifest names this version; asks nobody."""
    return (Consumer(scope.spoke, scope.environment, True),) if of in consumed(scope) else ()
