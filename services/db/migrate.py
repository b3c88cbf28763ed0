"""Bring a catalogue database to the schema this code speaks; done at every start."""

from pathlib import Path

from sqlalchemy import Connection, text

from services.db.engine import Database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# Any constant: PostgreSQL's advisory lock that keeps two starting processes from migrating at once.
_LOCK = 7_310_554_021


def migrate(database: Database, revision: str = "head") -> None:
    """Apply what is missing, in one transaction. Does nothing, quickly, when nothing is."""
    # Imported here: it costs half a second, which only the start of the service pays.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
        _exclude_others(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _exclude_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
