"""Puts one application together: each service made once, in an order one can read, from those above it."""

from dataclasses import dataclass

from services.core.hub import Declaration, load_declaration
from services.core.logging import logger
from services.core.revision import Revision
from services.core.settings import Settings
from services.costs.service import Costs
from services.db.engine import Database
from services.db.migrate import migrate
from services.example.operations import ExampleOperations
from services.example.service import Example
from services.failures.service import Failures
from services.features.operations import FeaturesOperations
from services.features.service import Features
from services.features.shared import SharedFeatures
from services.history import History
from services.hub.operations import HubOperations
from services.hub.service import Hub
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
from services.snowflake.recent import RecentAnswers
from services.snowflake.scope import shared_schema
from services.spokes.operations import SpokesOperations
from services.spokes.repository import Catalogue
from services.spokes.service import Spokes
from services.training.operations import TrainingOperations
from services.training.service import Training

_STOP_SECONDS = 10.0

log = logger(__name__)


@dataclass(frozen=True)
class Domains:
    """What routes may ask for, each by its own dependency (``app/dependencies.py``); nothing else reads it."""

    operations: Operations
    hub: Hub
    spokes: Spokes
    features: Features
    shared_features: SharedFeatures
    training: Training
    registry: Registry
    predictions: Forecasts
    simulation: Simulation
    failures: Failures
    costs: Costs
    overview: Overview
    example: Example


@dataclass(frozen=True)
class Runtime:
    """One application's parts, in the order they start; they stop in the reverse order."""

    settings: Settings
    revision: Revision
    database: Database
    history: History
    source: ConnectionSource
    embedded: EmbeddedAccount | None
    domains: Domains

    @property
    def operations(self) -> Operations:
        return self.domains.operations

    def start(self) -> None:
        """Launch the account, bring the catalogue up to date, take up what an earlier process left."""
        self._open()
        self.operations.start()

    def start_to_answer(self) -> None:
        """``start``, but return as soon as pages can be answered: work begins a moment later."""
        self._open()
        self.operations.start_soon()

    def _open(self) -> None:
        # The account takes longest, and nothing below waits for it.
        if self.embedded is not None:
            self.embedded.start()
        migrate(self.database)
        self.history.open()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """What does not end in time goes on at the next start."""
        if not self.operations.stop(timeout):
            log.warning("operations.interrupted", note="they go on at the next start")
        self.source.close()
        if self.embedded is not None:
            self.embedded.stop()
        self.history.close()
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
    history = History(settings.storage.history, revision)
    source = ConnectionSource(settings.account, embedded, declared)
    # The services submit operations, and the kinds of operation use the services: so the kinds come last.
    operations = Operations(
        Kinds() if kinds is None else kinds, database, url=settings.storage.operations_url, source=source
    )
    recent = RecentAnswers(source, operations.queries.stamp, source.pace.memory)

    catalogue = Catalogue(database, declared.layout)
    spokes = Spokes(declared, catalogue, source, operations)
    hub = Hub(declared, settings.account, source, recent, spokes, operations)
    registry = Registry(recent, spokes.scope, operations)
    shared_features = SharedFeatures(declared, source, recent, spokes, registry, operations)
    features = Features(recent, spokes.scope, shared_features, registry, operations)
    predictions = Forecasts(recent, spokes.scope, registry, operations)
    training = Training(recent, spokes.scope, operations, source.pace)
    simulation = Simulation(
        SimulatedData(recent, shared_schema(declared)), spokes, training, registry, operations
    )
    failures = Failures(history, database)
    costs = Costs(history, database, spokes)
    overview = Overview(spokes, features, training, registry, predictions)
    example = Example(settings.example, operations)

    if kinds is None:
        for domain in (
            HubOperations(hub, source),
            SpokesOperations(spokes, catalogue),
            FeaturesOperations(spokes, shared_features),
            RegistryOperations(registry, spokes.scope),
            PredictionsOperations(predictions, spokes.scope),
            TrainingOperations(training, spokes, features, registry, predictions),
            SimulationOperations(simulation, spokes, declared),
            ExampleOperations(hub, spokes),
        ):
            for kind in domain.kinds():
                operations.registry.add(kind)

    domains = Domains(
        operations,
        hub,
        spokes,
        features,
        shared_features,
        training,
        registry,
        predictions,
        simulation,
        failures,
        costs,
        overview,
        example,
    )
    return Runtime(settings, revision, database, history, source, embedded, domains)
