"""What the migrations make of an empty SQLite file; `make catalogue` writes it to migrations/schema.sql."""

import tempfile
from pathlib import Path

from services.db import migrate
from services.db.engine import Database


def schema(folder: Path) -> str:
    """``migrations/schema.sql`` as it is to be, by way of a database in ``folder``."""
    database = Database(f"sqlite:///{folder / 'catalogue.sqlite'}")
    with database.engine.begin() as connection:
        migrate._upgrade(connection, "head")
    raw = database.engine.raw_connection()
    try:
        return migrate.written_schema(raw.driver_connection)
    finally:
        raw.close()
        database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        migrate.SCHEMA.write_text(schema(Path(made)))
