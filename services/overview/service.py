"""One spoke in one environment on one line, composed of what the other domains know."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from services.core.clock import Clock, utc_now
from services.core.hub import HUB
from services.failures.service import Failures
from services.features.service import Features
from services.health.service import Health
from services.health.types import SpokeHealth
from services.knowledge import Knowledge
from services.knowledge.known import seeing, shown_as
from services.knowledge.types import Look, NotYetKnown, spoke_part
from services.overview.types import SpokeGlance
from services.predictions.service import Forecasts
from services.registry.service import Registry
from services.spokes.service import Spokes
from services.spokes.types import Spoke

Place = tuple[str, str]


class Credits(Protocol):
    """What each spoke cost in each environment: see services.costs."""

    def __call__(self, days: int) -> Mapping[Place, float]: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A line's part that changes with a reading of the account, and of which reading it is."""

    as_of: datetime | None
    commits: int
    line: SpokeGlance
    seen: Look


class Overview:
    """See types.py. What a reading told is composed once for each reading."""

    def __init__(
        self,
        spokes: Spokes,
        health: Health,
        failures: Failures,
        features: Features,
        registry: Registry,
        predictions: Forecasts,
        knowledge: Knowledge,
        copied: Callable[[], int],
        next_run: Callable[[str, str], datetime | None],
        credits: Credits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._spokes = spokes
        self._health = health
        self._failures = failures
        self._features = features
        self._registry = registry
        self._predictions = predictions
        self._knowledge = knowledge
        self._copied = copied
        self._next_run = next_run
        self._credits = credits
        self._clock = clock
        self._kept: dict[Place, _Kept] = {}
        self._lock = threading.Lock()

    def glance(self, spoke: str | None = None) -> tuple[SpokeGlance, ...]:
        """One row for each spoke and environment where it is onboarded, worst first."""
        health = {(one.spoke, one.environment): one for one in self._health.glance()}
        failures = self._failures.open_by_place()
        spent = self._credits(7) if self._credits is not None else {}
        now = self._clock()
        rows = [
            _seen(
                self._aged(self._told(known, here.environment), now),
                health.get((known.name, here.environment)),
                failures.get((known.name, here.environment), 0),
                spent.get((known.name, here.environment)),
            )
            for known in self._spokes.all()
            if spoke in (None, known.name)
            for here in known.environments
        ]
        return tuple(sorted(rows, key=badness))

    def hub_failures(self) -> dict[str, int]:
        """Open failures of what the hub shares, by environment: they are in no line."""
        return {
            environment: count
            for (spoke, environment), count in self._failures.open_by_place().items()
            if spoke == HUB
        }

    def _told(self, spoke: Spoke, environment: str) -> SpokeGlance:
        """What a reading of the account told of a place."""
        place = (spoke.name, environment)
        as_of, commits = self._knowledge.as_of(spoke_part(*place)), self._copied()
        with self._lock:
            kept = self._kept.get(place)
        if (
            kept is not None
            and (kept.as_of, kept.commits) == (as_of, commits)
            and kept.line.title == spoke.title
        ):
            shown_as(kept.seen)
            return kept.line
        line, seen = seeing(lambda: self._read_or_not(spoke, environment))
        shown_as(seen)
        with self._lock:
            self._kept[place] = _Kept(as_of, commits, line, seen)
        return line

    def _read_or_not(self, spoke: Spoke, environment: str) -> SpokeGlance:
        line = SpokeGlance(spoke.name, spoke.title, spoke.owner, environment)
        try:
            return self._read(line)
        except NotYetKnown:
            # A spoke that was not read yet is no reason to hide the others.
            return replace(line, known=False)

    def _read(self, line: SpokeGlance) -> SpokeGlance:
        place = (line.spoke, line.environment)
        models = self._registry.models(*place)
        evaluations = self._predictions.evaluations(*place, limit=1)
        views = self._features.freshness(*place)
        registered, last = evaluations.registered, next(iter(evaluations.items), None)
        model, version = next(
            ((one.name, one.default_version) for one in models if one.default_version), (None, None)
        )
        targets = [view.target_lag_seconds for view in views if view.target_lag_seconds is not None]
        refreshed = [view.last_refreshed_at for view in views if view.last_refreshed_at is not None]
        return replace(
            line,
            model=model,
            model_version=version,
            metric=registered.metric if registered else None,
            metric_value=registered.value if registered else None,
            naive_value=registered.naive if registered else None,
            last_evaluated_day=last.day if last else None,
            last_loss=last.loss if last else None,
            last_naive_loss=last.naive_loss if last else None,
            predicted_day=self._predictions.last_day(*place),
            feature_views=len({view.name for view in views}),
            features_refreshed_at=min(refreshed, default=None),
            features_target_seconds=min(targets, default=None),
            open_alerts=self._predictions.open_alerts(*place),
            next_run_at=self._next_run(*place),
        )

    def _aged(self, line: SpokeGlance, now: datetime) -> SpokeGlance:
        at = line.features_refreshed_at
        return (
            line if at is None else replace(line, features_lag_seconds=max((now - at).total_seconds(), 0.0))
        )


def _seen(line: SpokeGlance, health: SpokeHealth | None, failures: int, spent: float | None) -> SpokeGlance:
    """The line with what the history tells of its runs."""
    line = replace(line, open_failures=failures, credits_7=spent)
    if health is None:
        return line
    slowest = health.slowest
    return replace(
        line,
        runs=health.runs,
        # A change of the schedule is read at once after it, the history's next runs with the next reading.
        next_run_at=line.next_run_at if line.known else health.next_run_at,
        success_7=health.success_7,
        success_30=health.success_30,
        slowest_graph=slowest.graph if slowest else None,
        run_p50=slowest.run_p50 if slowest else None,
        run_p95=slowest.run_p95 if slowest else None,
        baseline_p50=slowest.baseline_p50 if slowest else None,
        baseline_p95=slowest.baseline_p95 if slowest else None,
    )


def badness(row: SpokeGlance) -> tuple[int, bool, float, int, str, str]:
    """A key that puts the worst first: open failures, late features, success, open alerts, then the name."""
    lag, target = row.features_lag_seconds, row.features_target_seconds
    late = lag is not None and target is not None and lag > target
    success = 1.0 if row.success_7 is None else row.success_7
    return (-row.open_failures, not late, success, -row.open_alerts, row.spoke, row.environment)
