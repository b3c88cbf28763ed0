"""Puts one application together: the account, the database, the domains and their operations."""

from dataclasses import dataclass, field
from typing import Any

from services.core.settings import Settings
from services.db.engine import Database
from services.operations import Operations, Registry
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount


@dataclass
class Services:
    """What routes, pages and the steps of operations reach: one attribute for each domain.

    The domains are filled in below, once; nothing changes them afterwards.
    """

    settings: Settings
    database: Database
    source: ConnectionSource
    operations: Operations = field(init=False)


@dataclass(frozen=True)
class Runtime:
    """One application's parts, in the order they start; they stop in the reverse order."""

    settings: Settings
    database: Database
    source: ConnectionSource
    embedded: EmbeddedAccount | None
    services: Any
    operations: Operations


def compose(
    settings: Settings, registry: Registry | None = None, embedded: EmbeddedAccount | None = None
) -> Runtime:
    """Make the parts; starts nothing.

    ``registry`` replaces the domains' kinds of operation, ``embedded`` is a launcher that may have started.
    """
    embedded = embedded or EmbeddedAccount.of(settings)
    database = Database(settings.storage.database_url)
    source = ConnectionSource(settings.account, embedded)
    services = Services(settings, database, source)
    operations = Operations(
        kinds() if registry is None else registry,
        database,
        url=settings.storage.operations_url,
        services=services,
        source=source,
    )
    services.operations = operations
    return Runtime(settings, database, source, embedded, services, operations)


def kinds() -> Registry:
    """Every kind of operation that the domains declare."""
    return Registry()
