"""Puts one application together: the account, the database, the domains and their operations."""

from dataclasses import dataclass, field
from typing import Any

from services.core.hub import Declaration, load_declaration
from services.core.logging import logger
from services.core.settings import Settings
from services.db.engine import Database
from services.db.migrate import migrate
from services.example import operations as example_operations
from services.example.service import Example
from services.features import operations as features_operations
from services.features.service import Features
from services.hub import operations as hub_operations
from services.hub.service import Hub
from services.operations import Operations, Registry
from services.predictions import operations as predictions_operations
from services.predictions.service import Forecasts
from services.registry import operations as registry_operations
from services.registry.service import Registry as ModelRegistry
from services.simulation import operations as simulation_operations
from services.simulation.repository import SimulatedData
from services.simulation.service import Simulation
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.identifiers import QualifiedName
from services.snowflake.recent import RecentAnswers
from services.spokes import operations as spokes_operations
from services.spokes.repository import Catalogue
from services.spokes.service import Spokes
from services.training import operations as training_operations
from services.training.service import Training

_STOP_SECONDS = 10.0

log = logger(__name__)


@dataclass
class Services:
    """What routes, pages and the steps of operations reach: one attribute for each domain.

    The domains are filled in by ``compose``, once; nothing changes them afterwards.
    """

    settings: Settings
    database: Database
    source: ConnectionSource
    operations: Operations = field(init=False)
    hub: Hub = field(init=False)
    spokes: Spokes = field(init=False)
    features: Features = field(init=False)
    training: Training = field(init=False)
    registry: ModelRegistry = field(init=False)
    predictions: Forecasts = field(init=False)
    simulation: Simulation = field(init=False)
    example: Example = field(init=False)


@dataclass(frozen=True)
class Runtime:
    """One application's parts, in the order they start; they stop in the reverse order."""

    settings: Settings
    database: Database
    source: ConnectionSource
    embedded: EmbeddedAccount | None
    services: Any
    operations: Operations

    def start(self) -> None:
        """Launch the account, bring the catalogue up to date, take up what an earlier process left."""
        # The account takes longest, and nothing below waits for it.
        if self.embedded is not None:
            self.embedded.start()
        migrate(self.database)
        self.operations.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """What does not end in time goes on at the next start."""
        if not self.operations.stop(timeout):
            log.warning("operations.interrupted", note="they go on at the next start")
        self.source.close()
        if self.embedded is not None:
            self.embedded.stop()
        self.database.close()


def compose(
    settings: Settings,
    registry: Registry | None = None,
    embedded: EmbeddedAccount | None = None,
    declared: Declaration | None = None,
) -> Runtime:
    """Make the parts; starts nothing.

    ``registry`` replaces the domains' kinds of operation, ``embedded`` is a launcher that may have started,
    ``declared`` stands for what ``hub.yaml`` declares.
    """
    embedded = embedded or EmbeddedAccount.of(settings)
    declared = declared or load_declaration()
    database = Database(settings.storage.database_url, settings.storage.database_timeout)
    source = ConnectionSource(settings.account, embedded, declared)
    services = Services(settings, database, source)
    operations = Operations(
        kinds() if registry is None else registry,
        database,
        url=settings.storage.operations_url,
        services=services,
        source=source,
    )
    services.operations = operations
    _add_domains(services, declared)
    return Runtime(settings, database, source, embedded, services, operations)


def kinds() -> Registry:
    """Every kind of operation that the domains declare."""
    modules: tuple[Any, ...] = (
        hub_operations,
        simulation_operations,
        spokes_operations,
        features_operations,
        training_operations,
        registry_operations,
        predictions_operations,
        example_operations,
    )
    return Registry([kind for module in modules for kind in module.KINDS])


def _add_domains(services: Services, hub: Declaration) -> None:
    """The domains reach each other through the container alone."""
    source = services.source
    recent = RecentAnswers(source, services.operations.queries.stamp, source.pace.memory)
    shared = QualifiedName(hub.shared_schema, hub.database)
    services.hub = Hub(hub, services.settings.account, source, recent, services)
    services.spokes = Spokes(hub, Catalogue(services.database), source, services)
    scopes = services.spokes.scope
    services.features = Features(recent, scopes, services)
    services.training = Training(recent, scopes, services, source.pace)
    services.registry = ModelRegistry(recent, scopes, services)
    services.predictions = Forecasts(recent, scopes, services)
    services.simulation = Simulation(SimulatedData(recent, shared), services)
    services.example = Example(services.settings.example, services)
