"""Bring a catalogue database to the schema this code speaks; done at every start.

A start waits for this, and importing Alembic takes longer than all else together: so a database that is up to date
is left alone, and an empty SQLite file is given ``migrations/schema.sql``, which is what the migrations make.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from services.db.engine import Database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
SCHEMA = MIGRATIONS / "schema.sql"
_VERSION = "alembic_version"
# Any constant: PostgreSQL's advisory lock that keeps two starting processes from migrating at once.
_LOCK = 7_310_554_021


def migrate(database: Database, revision: str = "head") -> None:
    """Apply what is missing, in one transaction. Does nothing, quickly, when nothing is."""
    wanted = head() if revision == "head" else revision
    with database.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
        _exclude_others(connection)
        found = _revision(connection)
        if found == wanted:
            return
        if found is None and connection.dialect.name == "sqlite" and wanted == made_by_schema():
            for statement in statements(SCHEMA.read_text()):
                connection.exec_driver_sql(statement)
            return
        _upgrade(connection, revision)


def head() -> str:
    """The newest revision: each file in ``versions`` begins with its own, and they go in order."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def made_by_schema() -> str | None:
    """The revision that ``schema.sql`` makes, which its first line names."""
    try:
        with SCHEMA.open() as lines:
            return lines.readline().removeprefix("-- ").strip()
    except FileNotFoundError:
        return None


def written_schema(connection: sqlite3.Connection) -> str:
    """What ``schema.sql`` is to be: everything in a database that the migrations made, and its revision."""
    (version,) = connection.execute(f"SELECT version_num FROM {_VERSION}").fetchone()
    made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    lines = [f"-- {version}", *(f"{statement.strip()};" for (statement,) in made)]
    return "\n".join([*lines, f"INSERT INTO {_VERSION} VALUES ('{version}');", ""])


def statements(script: str) -> Iterator[str]:
    """The statements of a script of SQLite's; a trigger's inner semicolons are not ends."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _upgrade(connection: Connection, revision: str) -> None:
    # Imported here: it costs half a second, which only a start that migrates pays.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revision(connection: Connection) -> str | None:
    """The revision a database is at; None when it has nothing in it."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if _VERSION not in tables:
        return ""
    return connection.scalar(text(f"SELECT version_num FROM {_VERSION}")) or ""


def _exclude_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
