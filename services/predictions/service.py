"""Predictions: what was said, how good it was, what it warns of, and what makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from services.core.errors import Conflict, Invalid, NotFound
from services.history import History
from services.knowledge.known import free_only, shown
from services.operations import Operations, StepContext
from services.predictions.awaited import Awaited
from services.predictions.contract import chosen, declared
from services.predictions.copied import Copies, Copy
from services.predictions.copying import Copier
from services.predictions.diagnosing import diagnose
from services.predictions.evaluating import EvaluatedDays
from services.predictions.relation import Relation
from services.predictions.repository import SORTS, Predictions
from services.predictions.summaries import diagnostics_of
from services.predictions.types import (
    AlertPage,
    Copied,
    Declared,
    Diagnostics,
    EntityHistory,
    Evaluations,
    HistoryValue,
    PlacedRow,
    PredictionPage,
    PredictionRow,
    Problem,
    RegisteredMetrics,
    Time,
)
from services.registry.service import Registry
from services.snowflake.connection import ConnectionSource
from services.snowflake.scope import Scope, Scopes
from spoke_kit.manifest import Grain


class Forecasts:
    """Reads by spoke, environment and the prediction's name; without a name the first declared one is meant.

    What is read is a copy in the history: as of the last ``copy``, empty before the first. NotFound 404 for a
    prediction that is not declared; Conflict 409 while the spoke is not onboarded in the environment, and when there
    is no copy because the source lacks a column that the contract names.
    """

    def __init__(
        self,
        source: ConnectionSource,
        history: History,
        scopes: Scopes,
        registry: Registry,
        operations: Operations,
    ) -> None:
        self._source = source
        self._history = history
        self._copies = Copies(history)
        self._copier = Copier(history)
        self._predictions = Predictions(history)
        self._evaluated = EvaluatedDays(history)
        self._awaited = Awaited(source)
        self._scopes = scopes
        self._registry = registry
        self._operations = operations

    def declared(self, spoke: str, environment: str) -> tuple[str, ...]:
        """The names of the declared predictions, in order; none where the spoke is not onboarded."""
        scope = self._scopes(spoke, environment)
        return tuple(declared(scope)) if scope.onboarded else ()

    def contract(self, spoke: str, environment: str, prediction: str | None = None) -> Declared:
        """One declared prediction."""
        return self._chosen(spoke, environment, prediction)[0]

    def copy(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        context: StepContext | None = None,
    ) -> tuple[Copied, ...]:
        """Bring what changed in the account into the history; without a name of all declared predictions.

        Statements are those of ``context``'s operation. What the contract names in vain is told in what is
        returned; Unavailable when the account does not answer.
        """
        scope = self._scopes(spoke, environment)
        names = (prediction,) if prediction is not None else tuple(declared(scope)) if scope.onboarded else ()
        if prediction is None:
            self._copier.forget(scope, names)
        if not names:
            return ()
        relations = [chosen(scope.require(), name)[1] for name in names]
        with context.connect() if context is not None else self._source.reading() as connection:
            return tuple(self._copier.copy(connection, relation) for relation in relations)

    def refresh(self, spoke: str, environment: str) -> None:
        """``copy`` of all that the spoke predicts in the environment; nothing where no warehouse may be used."""
        if not free_only():
            self.copy(spoke, environment)

    def as_of(self, spoke: str, environment: str, prediction: str | None = None) -> datetime | None:
        """When what is read of a prediction was so in the account; None before its first copy."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded or (prediction is None and not declared(scope)):
            return None
        found = self._copies.of(chosen(scope, prediction)[1])
        return found.as_of if isinstance(found, Copy) else None

    def last_day(self, spoke: str, environment: str) -> date | None:
        """The newest day of the first declared prediction."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded or not declared(scope):
            return None
        copy = self._copied(chosen(scope, None)[1])
        return next(iter(self._predictions.days(copy, 1)), None) if copy else None

    def page(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        day: date | None = None,
        time: datetime | None = None,
        search: str = "",
        sort: str = "risk",
        cursor: str | None = None,
        limit: int = 50,
    ) -> PredictionPage:
        """A page of the predictions of one time, by default the newest; NotFound 404 for one without any.

        ``sort``: risk (by the alert's direction), label, or error (the largest first).
        """
        if sort not in SORTS:
            raise Invalid(
                f"There is no order {sort!r}", hint=f"Sort by {', '.join(SORTS)}.", code="unknown_sort"
            )
        one, copy = self._local(spoke, environment, prediction)
        if copy is None:
            return PredictionPage(one)
        days = self._predictions.days(copy)
        if not days and day is None and time is None:
            return PredictionPage(one, as_of=copy.as_of, problem=copy.problem)
        moment, times = self._moment(copy, days, day, time)
        totals = self._predictions.totals(copy, moment, search)
        if not totals.n:
            raise NotFound(
                f"There are no predictions for {moment.isoformat()}",
                hint=f"The newest are for {days[0]}." if days else "Nothing was predicted yet.",
                code="no_predictions",
            )
        rows, following = self._predictions.page(
            copy, moment, sort=sort, search=search, cursor=cursor, limit=limit
        )
        return PredictionPage(one, days, times, moment, rows, totals, following, copy.as_of, copy.problem)

    def places(
        self, spoke: str, environment: str, prediction: str | None, time: Time
    ) -> tuple[PlacedRow, ...]:
        """The riskiest places of one time; none when the contract has no place."""
        one, copy = self._local(spoke, environment, prediction)
        return self._predictions.places(copy, time) if copy and one.contract.place else ()

    def history(
        self, spoke: str, environment: str, key: Sequence[str], prediction: str | None = None, limit: int = 60
    ) -> EntityHistory:
        """An entity's last times, oldest first; NotFound 404, Invalid 422 for a key of another length."""
        one, copy = self._local(spoke, environment, prediction)
        contract = one.contract
        if len(key) != len(contract.key):
            raise Invalid(
                f"The key of {one.name} has {len(contract.key)} values: {', '.join(contract.key)}",
                hint="Give each as its own key=… in this order.",
                code="bad_key",
            )
        predicted = self._predictions.entity(copy, key, limit) if copy else ()
        actuals = self._predictions.actuals(copy, key, limit) if copy and contract.history else ()
        if not predicted and not actuals:
            raise NotFound(
                f"There is no {contract.entity} {' / '.join(key)!r}",
                hint="See the predictions.",
                code="unknown_entity",
            )
        newest = self._predictions.one(copy, key, predicted[0].time) if copy and predicted else None
        return EntityHistory(
            one,
            tuple(key),
            newest.label if newest else " / ".join(key),
            _merged(predicted, actuals, limit),
            newest.groups if newest else {},
            newest.features if newest else {},
        )

    def scored(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        days: int = 28,
        cursor: str | None = None,
        limit: int = 1000,
    ) -> tuple[tuple[PredictionRow, ...], str | None]:
        """A page of the predictions of the last days that have an actual, newest first."""
        _, copy = self._local(spoke, environment, prediction)
        return self._predictions.scored(copy, days, cursor, limit) if copy else ((), None)

    def evaluations(
        self, spoke: str, environment: str, prediction: str | None = None, limit: int = 60
    ) -> Evaluations:
        """The evaluated days, newest first, and the default version's metrics; empty without predictions."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded or (prediction is None and not declared(scope)):
            return Evaluations(())
        one, relation = chosen(scope, prediction)
        copy = self._copied(relation)
        found = self._evaluated.newest(copy, limit) if copy else ()
        return Evaluations(found, self._registered(scope, one))

    def diagnostics(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        days: int = 28,
        threshold: float | None = None,
    ) -> Diagnostics:
        """Where the predictions of the last days with actuals are wrong; ``threshold`` by default the contract's."""
        one, copy = self._local(spoke, environment, prediction)
        if copy is None:
            return Diagnostics(one, days)
        if threshold is None or threshold == copy.contract.threshold:
            kept = self._history.rows(
                "SELECT body FROM prediction_diagnostics WHERE copy_id = ? AND days = ?", (copy.id, days)
            )
            if kept:
                return diagnostics_of(one, kept[0]["body"])
        return diagnose(self._history.rows, one, copy, days, threshold)

    def alerts(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        day: date | None = None,
        only_open: bool = False,
        cursor: str | None = None,
        limit: int = 200,
    ) -> AlertPage:
        """Newest time first, then by risk; none without predictions."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded or (prediction is None and not declared(scope)):
            return AlertPage()
        copy = self._copied(chosen(scope, prediction)[1])
        if copy is None:
            return AlertPage()
        return self._predictions.alerts(copy, day=day, only_open=only_open, cursor=cursor, limit=limit)

    def open_alerts(self, spoke: str, environment: str) -> int:
        """Alerts of all predictions whose actual is not known."""
        scope = self._scopes(spoke, environment)
        if not scope.onboarded:
            return 0
        copies = [self._copied(chosen(scope, name)[1]) for name in declared(scope)]
        return sum(self._predictions.open_alerts(copy) for copy in copies if copy)

    def require_pending(
        self, spoke: str, environment: str, days: Sequence[date] = (), prediction: str | None = None
    ) -> None:
        """Conflict 409 when there is nothing to predict: no pending day, or days that cannot be predicted.

        A day can be when it is pending, was predicted before, or has actuals in the history.
        """
        one, relation = self._chosen(spoke, environment, prediction)
        if one.contract.pending is None:
            return
        pending = self._awaited.pending(relation)
        hint = f"{relation.scope.own(one.contract.pending)} shows what can be predicted."
        if days:
            missing = sorted(set(days) - set(pending))
            missing = sorted(set(missing) - self._awaited.known(relation, missing)) if missing else []
            if missing:
                told = ", ".join(day.isoformat() for day in missing)
                raise Conflict(f"Nothing can be predicted for {told}", hint=hint, code="day_not_pending")
        elif not pending:
            raise Conflict(
                f"{spoke} has no pending day in {relation.scope.environment}",
                hint=hint,
                code="no_pending_day",
            )

    def require_unscored(self, spoke: str, environment: str, prediction: str | None = None) -> Relation:
        """Conflict 409 when every prediction whose actual is known has it, or nothing can write it there."""
        one, relation = self._chosen(spoke, environment, prediction)
        if one.contract.evaluate is None or one.contract.actual is None:
            raise Conflict(
                f"The prediction {one.name} of {spoke} declares no way to be evaluated",
                hint=f"Say evaluate and actual in spoke.yaml, under predictions.{one.name}.",
                code="not_evaluable",
            )
        if not self._awaited.unscored(relation):
            raise Conflict(
                f"{spoke} has no prediction in {relation.scope.environment} that waits for a known actual",
                hint=f"Bring the actuals in first: they are read from {relation.history_source}.",
                code="nothing_to_evaluate",
            )
        return relation

    def start(self, spoke: str, environment: str, actor: str, prediction: str | None = None) -> str:
        """Submit ``inference.run``; Conflict 409 with no pending day."""
        params = self.parameters(spoke, environment, prediction)
        return self._operations.submit("inference.run", params, actor=actor).id

    def parameters(self, spoke: str, environment: str, prediction: str | None = None) -> dict[str, str]:
        """What ``inference.run`` takes: the graph that makes the prediction; NotFound 404 where none does."""
        one, relation = self._chosen(spoke, environment, prediction)
        scope = relation.scope
        for graph in scope.declared.predicting(one.name):
            return {"spoke": spoke, "environment": scope.environment, "graph": graph}
        raise NotFound(
            f"No graph of {spoke} predicts {one.name}",
            hint=f"Say so in spoke.yaml: a graph with predicts: {one.name}.",
            code="no_predicting_graph",
        )

    def start_evaluate(self, spoke: str, environment: str, actor: str, prediction: str | None = None) -> str:
        """Submit ``predictions.evaluate``; Conflict 409 with nothing to do."""
        return self._submit("predictions.evaluate", spoke, environment, actor, prediction)

    def _chosen(self, spoke: str, environment: str, prediction: str | None) -> tuple[Declared, Relation]:
        return chosen(self._scopes(spoke, environment).require(), prediction)

    def _local(self, spoke: str, environment: str, prediction: str | None) -> tuple[Declared, Copy | None]:
        """A prediction as it was copied; None before its first copy."""
        one, relation = self._chosen(spoke, environment, prediction)
        copy = self._copied(relation)
        return (one, None) if copy is None else (replace(one, contract=copy.contract), copy)

    def _copied(self, relation: Relation) -> Copy | None:
        """Conflict 409 where there is no copy, and why is known."""
        found = self._copies.of(relation)
        if isinstance(found, Problem):
            raise Conflict(found.message, hint=found.hint, code=found.code, detail=found.detail)
        if found is not None:
            shown(found.as_of)
        return found

    def _moment(
        self, copy: Copy, days: Sequence[date], day: date | None, time: datetime | None
    ) -> tuple[Time, tuple[datetime, ...]]:
        """The time that is meant, and those of its day."""
        # Times are in UTC, and without a zone.
        moment = time.astimezone(UTC).replace(tzinfo=None) if time is not None and time.tzinfo else time
        shown = moment.date() if moment is not None else day or days[0]
        if copy.contract.grain is Grain.DAY:
            return shown, ()
        times = self._predictions.times(copy, shown)
        if moment is not None:
            return moment, times
        return (times[-1] if times else datetime.combine(shown, datetime.min.time())), times

    def _registered(self, scope: Scope, one: Declared) -> RegisteredMetrics | None:
        """What the default version's training logged."""
        model = scope.declared.models.get(one.contract.model or "")
        if model is None:
            return None
        version = self._registry.default(scope.spoke, scope.environment, str(one.contract.model))
        metric, naive = model.metric.name, model.gates.baseline
        if version is None or metric not in version.metrics:
            return None
        found = version.metrics
        return RegisteredMetrics(
            version.model,
            version.version,
            metric,
            found[metric],
            found.get(naive.metric) if naive else None,
            found,
        )

    def _submit(self, kind: str, spoke: str, environment: str, actor: str, prediction: str | None) -> str:
        params = {"spoke": spoke, "environment": self._scopes(spoke, environment).environment}
        if prediction is not None:
            params["prediction"] = prediction
        return self._operations.submit(kind, params, actor=actor).id


def _merged(
    predicted: Sequence[HistoryValue], actuals: Sequence[HistoryValue], limit: int
) -> tuple[HistoryValue, ...]:
    """By time, oldest first; the newest ``limit``. An actual of the history stands where the prediction has none."""
    known = {value.time: value.actual for value in actuals}
    found = {value.time: value for value in actuals}
    for value in predicted:
        actual = value.actual if value.actual is not None else known.get(value.time)
        found[value.time] = replace(value, actual=actual)
    return tuple(found[time] for time in sorted(found)[-limit:])
