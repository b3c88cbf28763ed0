"""Services with plausible rows and no account behind them: what the pages are tested and looked at with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sample_account import Features, Hub, Knowledge, Overview, Registry, SharedFeatures, Spokes
from sample_costs import costs
from sample_failures import Failures
from sample_feature_health import FeatureHealth
from sample_forecasts import Predictions, Simulation
from sample_health import health
from sample_operations import Example, Operations
from sample_runs import Training
from sample_sync import Sync

from services.costs.service import Costs
from services.health.service import Health


@dataclass
class Sample:
    """What routes ask for, as the application has it."""

    knowledge: Knowledge = field(default_factory=Knowledge)
    hub: Hub = field(default_factory=Hub)
    spokes: Spokes = field(default_factory=Spokes)
    features: Features = field(default_factory=Features)
    feature_health: FeatureHealth = field(default_factory=FeatureHealth)
    shared_features: SharedFeatures = field(default_factory=SharedFeatures)
    training: Training = field(default_factory=Training)
    health: Health = field(default_factory=lambda: health(Training()))
    registry: Registry = field(default_factory=Registry)
    predictions: Predictions = field(default_factory=Predictions)
    simulation: Simulation = field(default_factory=Simulation)
    failures: Failures = field(default_factory=Failures)
    costs: Costs = field(default_factory=costs)
    sync: Sync = field(default_factory=Sync)
    overview: Overview = field(default_factory=Overview)
    example: Example = field(default_factory=Example)
    operations: Operations = field(default_factory=Operations)


def sample(options: Mapping[str, Any] | None = None) -> Sample:
    """A sample; options: setup (state of the example), run (state of the newest run), empty (no spoke yet)."""
    options = options or {}
    state = options.get("setup", "succeeded")
    training = Training(options.get("run", "SUCCEEDED"))
    services = Sample(
        training=training,
        health=health(training, bool(options.get("empty", False))),
        example=Example(state),
        operations=Operations("running" if state == "absent" else state, state == "running"),
        simulation=Simulation(not options.get("empty", False)),
        failures=Failures(bool(options.get("empty"))),
        feature_health=FeatureHealth(bool(options.get("empty"))),
        costs=costs(bool(options.get("empty", False))),
        sync=Sync(bool(options.get("empty"))),
    )
    if options.get("empty"):
        services.spokes.all = lambda: ()  # type: ignore[method-assign]
        services.shared_features.views = lambda environment, shapes=True: ()  # type: ignore[method-assign]
        services.overview.glance = lambda spoke=None: ()  # type: ignore[method-assign]
    return services
