"""Feature views: what is offered, how fresh it is, and what deploys it."""

from __future__ import annotations

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, NotFound
from services.features.repository import FeatureViews
from services.features.types import FeatureView
from services.operations import Operations
from services.snowflake.identifiers import named
from services.snowflake.recent import Answers
from services.snowflake.scope import Scope, Scopes


class Features:
    """See types.py."""

    def __init__(
        self, source: Answers, scopes: Scopes, operations: Operations, clock: Clock = utc_now
    ) -> None:
        self._views = FeatureViews(source)
        self._scopes = scopes
        self._operations = operations
        self._clock = clock

    def views(self, spoke: str, environment: str) -> tuple[FeatureView, ...]:
        """By name, the newest version of each first."""
        return self._read(self._scopes(spoke, environment), shapes=True)

    def freshness(self, spoke: str, environment: str) -> tuple[FeatureView, ...]:
        """The same without columns and entities, which take more questions to the account."""
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
        missing = sorted(_consumed(scope) - {str(row["name"]) for row in self._views.rows(scope)})
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
        rows = self._views.rows(scope)
        known = self._views.shapes(scope, rows) if shapes else {}
        now, consumed = self._clock(), _consumed(scope)
        found = [self._views.view(row, known.get(row["name"]), now, row["name"] in consumed) for row in rows]
        newest_first = sorted(found, key=lambda view: _order(view.version), reverse=True)
        return tuple(sorted(newest_first, key=lambda view: view.name))


def _consumed(scope: Scope) -> set[str]:
    """NAME$VERSION of what the spoke's pipelines read."""
    views = scope.declared.feature_views
    return {f"{scope.prefix}{name}${view.consumes}" for name, view in views.items()}


def _order(version: str) -> tuple[int, str]:
    """V10 comes after V9."""
    digits = "".join(filter(str.isdigit, version))
    return (int(digits) if digits else 0, version)
