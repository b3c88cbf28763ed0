"""Puts one application together: each service made once, in an order one can read, from those above it."""

from dataclasses import dataclass
from datetime import timedelta

from app.leading import Leading
from services.core.hub import Declaration, load_declaration
from services.core.logging import logger
from services.core.revision import Revision
from services.core.settings import Settings
from services.costs.service import Costs
from services.db.changes import Changes
from services.db.engine import Database
from services.db.migrate import migrate
from services.example.operations import ExampleOperations
from services.example.service import Example
from services.failures.service import Failures
from services.features.health import FeatureHealth
from services.features.operations import FeaturesOperations
from services.features.profiling import Profiling
from services.features.service import Features
from services.features.shared import SharedFeatures
from services.health.service import Health
from services.history import History
from services.history.keeper import Keeper
from services.history.lease import Lease, holder_name
from services.history.reading import RunReader
from services.history.runs import RunWriter
from services.hub.operations import HubOperations
from services.hub.service import Hub
from services.knowledge import Knowledge, KnownAnswers
from services.knowledge.repository import KnownRecords
from services.knowledge.types import HUB, SIMULATION
from services.operations import Operations
from services.operations import Registry as Kinds
from services.overview.service import Overview
from services.predictions.operations import PredictionsOperations
from services.predictions.service import Forecasts
from services.registry.operations import RegistryOperations
from services.registry.service import Registry
from services.simulation.operations import SimulationOperations
from services.simulation.repository import SimulatedData
from services.simulation.service import Simulation
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.scope import feature_stores, shared_schema
from services.spokes.operations import SpokesOperations
from services.spokes.places import Places
from services.spokes.repository import Catalogue
from services.spokes.service import Spokes
from services.sync.operations import SyncOperations
from services.sync.repository import Readings
from services.sync.schedule import Intervals, Schedule
from services.sync.service import Sync
from services.training.operations import TrainingOperations
from services.training.seen import SeenRuns
from services.training.service import Training

_STOP_SECONDS = 10.0

log = logger(__name__)


@dataclass(frozen=True)
class Domains:
    """What routes may ask for, each by its own dependency (``app/dependencies.py``); nothing else reads it."""

    operations: Operations
    knowledge: Knowledge
    hub: Hub
    spokes: Spokes
    features: Features
    feature_health: FeatureHealth
    shared_features: SharedFeatures
    training: Training
    registry: Registry
    predictions: Forecasts
    simulation: Simulation
    failures: Failures
    costs: Costs
    health: Health
    sync: Sync
    overview: Overview
    example: Example


@dataclass(frozen=True)
class Runtime:
    """One application's parts, in the order they start; they stop in the reverse order."""

    settings: Settings
    revision: Revision
    database: Database
    changes: Changes
    history: History
    keeper: Keeper
    leading: Leading
    source: ConnectionSource
    knowledge: Knowledge
    embedded: EmbeddedAccount | None
    schedule: Schedule
    domains: Domains

    @property
    def operations(self) -> Operations:
        return self.domains.operations

    def notice(self) -> None:
        """Move the revision when other processes changed anything."""
        self.changes.poll()

    def start(self) -> None:
        """Launch the account, bring the catalogue up to date, take up what an earlier process left."""
        if self._open():
            self.leading.begin(soon=False)

    def start_to_answer(self) -> None:
        """``start``, but return as soon as pages can be answered: work begins a moment later."""
        if self._open():
            self.leading.begin(soon=True)

    def _open(self) -> bool:
        """Whether this process is the one that works."""
        # The account takes longest, and nothing below waits for it.
        if self.embedded is not None and not self.embedded.following:
            self.embedded.start()
        migrate(self.database)
        works = self.keeper.start()
        if works:
            self.knowledge.start()
        else:
            self.leading.join()
        return works

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """What does not end in time goes on at the next start."""
        self.leading.end()
        self.schedule.stop(timeout)
        self.knowledge.stop()
        if not self.operations.stop(timeout):
            log.warning("operations.interrupted", note="they go on at the next start")
        self.source.close()
        if self.embedded is not None:
            self.embedded.stop()
        self.keeper.stop()
        self.changes.close()
        self.database.close()


def compose(
    settings: Settings,
    kinds: Kinds | None = None,
    embedded: EmbeddedAccount | None = None,
    declared: Declaration | None = None,
) -> Runtime:
    """Make the parts; starts nothing.

    ``kinds`` replaces the domains' kinds of operation, ``embedded`` is a launcher that may have started,
    ``declared`` stands for what ``hub.yaml`` declares.
    """
    embedded = embedded or EmbeddedAccount.of(settings)
    declared = declared or load_declaration()
    revision = Revision()
    database = Database(settings.storage.database_url, settings.storage.database_timeout, revision)
    lease = Lease(database, "history", holder_name(settings.storage.history))
    history = History(settings.storage.history, revision, may_write=lease.require)
    source = ConnectionSource(settings.account, embedded, declared)
    catalogue = Catalogue(database, declared.layout)
    records = KnownRecords(database)
    known = KnownAnswers(source, records)
    knowledge = Knowledge(known, records, catalogue.onboarded)
    # The services submit operations, and the kinds of operation use the services: so the kinds come last.
    operations = Operations(
        Kinds() if kinds is None else kinds,
        database,
        url=settings.storage.operations_url,
        source=source,
        settle=knowledge.settle,
    )

    spokes = Spokes(declared, catalogue, source, operations)
    hub = Hub(declared, settings.account, source, known, spokes, operations, revision)
    registry = Registry(known, spokes.scope, operations)
    shared_features = SharedFeatures(declared, source, known, spokes, registry, operations)
    features = Features(known, spokes.scope, shared_features, registry, operations)
    feature_health = FeatureHealth(known, history, spokes, shared_features, registry, operations)
    predictions = Forecasts(source, history, spokes.scope, registry, operations)
    seen = SeenRuns(RunReader(history), RunWriter(history), Places(catalogue, declared.layout).place)
    training = Training(known, spokes.scope, operations, source.pace, seen)
    simulation = Simulation(
        SimulatedData(known, shared_schema(declared)), spokes, training, registry, operations
    )
    failures = Failures(history, database, stores=feature_stores(declared))
    costs = Costs(history, database, spokes)
    health = Health(history, database, training, operations, costs.of_run)
    readings = Readings(history)
    schedule = Schedule(
        readings,
        operations,
        # An application with kinds of its own reads nothing by itself.
        Intervals.of(settings.sync, source.kind == "embedded") if kinds is None else None,
        timedelta(seconds=declared.warehouse.auto_suspend_seconds),
    )
    sync = Sync(
        declared,
        settings.sync,
        readings,
        RunWriter(history),
        Places(catalogue, declared.layout),
        spokes.scope,
        operations,
        schedule,
        knowledge,
    )
    leading = Leading(operations, schedule, embedded, settings.storage.data)
    keeper = Keeper(
        history, lease, promoted=leading.take_over, demoted=leading.give_up, at_rest=leading.at_rest
    )
    overview = Overview(
        spokes,
        health,
        failures,
        features,
        registry,
        predictions,
        knowledge,
        lambda: history.commits,
        training.next_run,
        lambda days: {place: float(credits) for place, credits in costs.by_place(days).items()},
    )
    example = Example(settings.example, operations)

    # What who looks may ask of each part of the account.
    knowledge.learns(HUB, hub.plan, shared_features.read)
    knowledge.learns(SIMULATION, simulation.status)
    knowledge.learns_spokes(
        features.read, registry.models, training.read, simulation.read, predictions.refresh
    )

    if kinds is None:
        for domain in (
            HubOperations(hub, source),
            SpokesOperations(spokes, catalogue),
            FeaturesOperations(
                spokes, shared_features, Profiling(features, shared_features, spokes.scope), feature_health
            ),
            RegistryOperations(registry, spokes.scope),
            PredictionsOperations(predictions, spokes.scope),
            TrainingOperations(training, spokes, features, registry, predictions),
            SimulationOperations(simulation, spokes, declared),
            SyncOperations(sync),
            ExampleOperations(hub, spokes),
        ):
            for kind in domain.kinds():
                operations.registry.add(kind)

    domains = Domains(
        operations,
        knowledge,
        hub,
        spokes,
        features,
        feature_health,
        shared_features,
        training,
        registry,
        predictions,
        simulation,
        failures,
        costs,
        health,
        sync,
        overview,
        example,
    )
    return Runtime(
        settings,
        revision,
        database,
        Changes(database),
        history,
        keeper,
        leading,
        source,
        knowledge,
        embedded,
        schedule,
        domains,
    )
