"""One spoke in one environment on one line, composed of what the other domains know."""

from __future__ import annotations

from services.features.service import Features
from services.knowledge.types import NotYetKnown
from services.overview.types import RunMark, SpokeGlance
from services.predictions.service import Forecasts
from services.registry.service import Registry
from services.spokes.service import Spokes
from services.spokes.types import Spoke
from services.training.service import Training
from services.training.types import GraphRun

_RUNS = 30


class Overview:
    """See types.py."""

    def __init__(
        self,
        spokes: Spokes,
        features: Features,
        training: Training,
        registry: Registry,
        predictions: Forecasts,
    ) -> None:
        self._spokes = spokes
        self._features = features
        self._training = training
        self._registry = registry
        self._predictions = predictions

    def glance(self, spoke: str | None = None) -> tuple[SpokeGlance, ...]:
        """One row for each spoke and environment where it is onboarded, worst first."""
        rows = [
            self._row(known, here.environment)
            for known in self._spokes.all()
            if spoke in (None, known.name)
            for here in known.environments
        ]
        return tuple(sorted(rows, key=badness))

    def _row(self, spoke: Spoke, environment: str) -> SpokeGlance:
        """Ask each domain once."""
        try:
            return self._known_row(spoke, environment)
        except NotYetKnown:
            # A spoke that was not read yet is no reason to hide the others.
            return SpokeGlance(spoke.name, spoke.title, spoke.owner, environment)

    def _known_row(self, spoke: Spoke, environment: str) -> SpokeGlance:
        graphs = self._training.graphs(spoke.name, environment, _RUNS)
        models = self._registry.models(spoke.name, environment)
        evaluations = self._predictions.evaluations(spoke.name, environment, limit=1)
        views = self._features.freshness(spoke.name, environment)
        registered, last = evaluations.registered, next(iter(evaluations.items), None)
        marks = sorted(
            (_mark(run) for graph in graphs for run in graph.runs), key=lambda mark: mark.started_at
        )
        failed = [graph for graph in graphs if graph.runs and graph.runs[0].state.startswith("FAILED")]
        default = next(
            ((model.name, model.default_version) for model in models if model.default_version), (None, None)
        )
        lags = [view.lag_seconds for view in views if view.lag_seconds is not None]
        targets = [view.target_lag_seconds for view in views if view.target_lag_seconds is not None]
        refreshed = [view.last_refreshed_at for view in views if view.last_refreshed_at is not None]
        return SpokeGlance(
            spoke=spoke.name,
            title=spoke.title,
            owner=spoke.owner,
            environment=environment,
            runs=tuple(marks[-_RUNS:]),
            next_run_at=min((graph.next_run_at for graph in graphs if graph.next_run_at), default=None),
            model=default[0],
            model_version=default[1],
            metric=registered.metric if registered else None,
            metric_value=registered.value if registered else None,
            naive_value=registered.naive if registered else None,
            last_evaluated_day=last.day if last else None,
            last_loss=last.loss if last else None,
            last_naive_loss=last.naive_loss if last else None,
            predicted_day=self._predictions.last_day(spoke.name, environment),
            feature_views=len({view.name for view in views}),
            features_refreshed_at=min(refreshed, default=None),
            features_lag_seconds=max(lags, default=None),
            features_target_seconds=min(targets, default=None),
            open_alerts=self._predictions.open_alerts(spoke.name, environment),
            open_failures=len(failed),
        )


def badness(row: SpokeGlance) -> tuple[bool, int, bool, str, str]:
    """A key that puts the worst first: a failed run, open alerts, stale features, then the name."""
    lag, target = row.features_lag_seconds, row.features_target_seconds
    stale = lag is not None and target is not None and lag > target
    return (not row.open_failures, -row.open_alerts, not stale, row.spoke, row.environment)


def _mark(run: GraphRun) -> RunMark:
    return RunMark(
        run.graph, run.run_id, run.attempt, run.state, run.started_at or run.scheduled_at, run.seconds
    )
