"""Predictions: how full the points will be, how good the forecasts were, and what makes both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.core.errors import Conflict, NotFound
from services.operations import Operations
from services.predictions.repository import Predictions
from services.predictions.types import (
    Alert,
    Evaluations,
    PointHistory,
    PredictionDay,
    RegisteredMetrics,
    ScoredPrediction,
)
from services.registry.service import Registry
from services.snowflake.recent import Answers
from services.snowflake.scope import Scope, Scopes

_THRESHOLD = 0.85


class Forecasts:
    """See types.py."""

    def __init__(self, source: Answers, scopes: Scopes, registry: Registry, operations: Operations) -> None:
        self._predictions = Predictions(source)
        self._scopes = scopes
        self._registry = registry
        self._operations = operations

    def days(self, spoke: str, environment: str) -> tuple[date, ...]:
        """The predicted days, newest first."""
        scope = self._scopes(spoke, environment)
        return self._predictions.days(scope) if scope.onboarded else ()

    def last_day(self, spoke: str, environment: str) -> date | None:
        """The newest predicted day."""
        return next(iter(self.days(spoke, environment)), None)

    def day(self, spoke: str, environment: str, day: date | None = None) -> PredictionDay:
        """One day's forecasts, the newest by default; NotFound 404 for a day without any."""
        scope = self._scopes(spoke, environment)
        days = self._predictions.days(scope) if scope.onboarded else ()
        alerts = (
            [one.alert for one in scope.declared.predictions.values() if one.alert] if scope.onboarded else []
        )
        threshold = alerts[0].threshold if alerts else _THRESHOLD
        if day is None and not days:
            return PredictionDay(None, (), (), alert_threshold=threshold)
        chosen = day or days[0]
        if chosen not in days:
            raise NotFound(
                f"There are no predictions for {chosen}",
                hint=f"The newest are for {days[0]}." if days else "Predict a day first.",
                code="no_predictions",
            )
        rows = self._predictions.day(scope, chosen)
        return PredictionDay(
            chosen,
            days,
            rows,
            rows[0].model_version if rows else None,
            rows[0].predicted_at if rows else None,
            threshold,
        )

    def history(self, spoke: str, environment: str, pudo_id: str, days: int = 60) -> PointHistory:
        """A point's last days, oldest first; NotFound 404."""
        scope = self._scopes(spoke, environment).require()
        point = self._predictions.point(scope, pudo_id)
        if point is None:
            raise NotFound(
                f"There is no point {pudo_id!r}", hint="See the predictions.", code="unknown_point"
            )
        return PointHistory(point, self._predictions.history(scope, pudo_id, days))

    def scored(self, spoke: str, environment: str, days: int = 28) -> tuple[ScoredPrediction, ...]:
        """The forecasts of the last days that have an actual."""
        scope = self._scopes(spoke, environment)
        return self._predictions.scored(scope, days) if scope.onboarded else ()

    def evaluations(self, spoke: str, environment: str, limit: int = 60) -> Evaluations:
        """The evaluated days, newest first, and the default version's metrics on its test weeks."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded:
            return Evaluations(())
        return Evaluations(self._predictions.evaluations(scope, limit), self._registered(scope))

    def alerts(
        self, spoke: str, environment: str, day: date | None = None, limit: int = 200
    ) -> tuple[Alert, ...]:
        """Newest day first, then fullest."""
        scope = self._scopes(spoke, environment)
        return self._predictions.alerts(scope, day, limit) if scope.onboarded else ()

    def open_alerts(self, spoke: str, environment: str) -> int:
        """Alerts of days without actuals."""
        scope = self._scopes(spoke, environment)
        return self._predictions.open_alerts(scope) if scope.onboarded else 0

    def require_pending(self, spoke: str, environment: str, days: Sequence[date] = ()) -> None:
        """Conflict 409 when there is nothing to forecast: no pending day, or days not announced."""
        scope = self._scopes(spoke, environment).require()
        hint = "Announce the next day first: POST /api/v1/simulation/morning."
        if days:
            missing = sorted(set(days) - self._predictions.announced(scope, days))
            if missing:
                told = ", ".join(day.isoformat() for day in missing)
                raise Conflict(f"No parcels are announced for {told}", hint=hint, code="day_not_announced")
        elif not self._predictions.pending(scope):
            raise Conflict(
                f"{spoke} has no pending day in {scope.environment}", hint=hint, code="no_pending_day"
            )

    def require_unscored(self, spoke: str, environment: str) -> None:
        """Conflict 409 when every forecast whose day is over has its actual."""
        scope = self._scopes(spoke, environment).require()
        if not self._predictions.unscored(scope):
            raise Conflict(
                f"{spoke} has no forecast in {scope.environment} that waits for its actual",
                hint="Bring in the evening first: POST /api/v1/simulation/evening.",
                code="nothing_to_evaluate",
            )

    def start(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``inference.run``; Conflict 409 with no pending day."""
        return self._operations.submit("inference.run", self.parameters(spoke, environment), actor=actor).id

    def parameters(self, spoke: str, environment: str) -> dict[str, str]:
        """What ``inference.run`` takes: the graph that makes the spoke's first prediction; NotFound 404 without."""
        scope = self._scopes(spoke, environment)
        manifest = scope.declared
        for name in manifest.predictions:
            for graph in manifest.predicting(name):
                return {"spoke": spoke, "environment": scope.environment, "graph": graph}
        raise NotFound(
            f"{spoke} has no graph that predicts", hint="Add one to spoke.yaml.", code="no_prediction"
        )

    def start_evaluate(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``predictions.evaluate``; Conflict 409 with nothing to do."""
        return self._submit("predictions.evaluate", spoke, environment, actor)

    def _registered(self, scope: Scope) -> RegisteredMetrics | None:
        version = self._registry.default(scope.spoke, scope.environment)
        names = ("mae", "rmse", "naive_mae")
        if version is None or any(name not in version.metrics for name in names):
            return None
        return RegisteredMetrics(version.model, version.version, *(version.metrics[name] for name in names))

    def _submit(self, kind: str, spoke: str, environment: str, actor: str) -> str:
        params = {"spoke": spoke, "environment": self._scopes(spoke, environment).environment}
        return self._operations.submit(kind, params, actor=actor).id
