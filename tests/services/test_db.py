"""The catalogue: migrations make what the records say, on both databases, and audit events stay."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from services.db.engine import Database
from services.db.migrate import MIGRATIONS, SCHEMA, head, migrate
from services.db.records import AuditEventRecord, Record, SpokeRecord
from tests.services.catalogue import schema

NOW = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Database:
    name = "database" if request.param == "sqlite" else "postgres_database"
    database: Database = request.getfixturevalue(name)
    return database


def test_records_and_migrations_agree(either: Database) -> None:
    with either.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Record.metadata) == []


def test_an_empty_file_is_given_what_the_migrations_make(tmp_path: Path) -> None:
    """Run `make catalogue` after a change of the migrations."""
    assert schema(tmp_path) == SCHEMA.read_text()


def test_the_newest_file_is_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert [head()] == ScriptDirectory.from_config(config).get_heads()


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_older_catalogue_is_brought_up_to_date(tmp_path: Path, revision: str) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate(database, revision)
    migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == head()
        assert compare_metadata(context, Record.metadata) == []
    database.close()


def test_a_newer_catalogue_is_refused(database: Database) -> None:
    with database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CommandError, match="9999"):
        migrate(database)


def test_migrating_again_changes_nothing(either: Database) -> None:
    with either.write() as db:
        db.add(SpokeRecord(name="pudo", title="PUDO", owner="ada", created_at=NOW, updated_at=NOW))
    migrate(either)
    with either.read() as db:
        assert db.scalars(select(SpokeRecord.name)).all() == ["pudo"]


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET actor = 'eve'", "DELETE FROM audit_events"])
def test_audit_events_are_append_only(either: Database, statement: str) -> None:
    with either.write() as db:
        db.add(AuditEventRecord(at=NOW, actor="ada", action="spoke.onboard", detail={"a": [1, None]}))
    with pytest.raises(DatabaseError, match="append-only"), either.write() as db:
        db.execute(text(statement))
    with either.read() as db:
        assert [(e.actor, e.detail) for e in db.scalars(select(AuditEventRecord))] == [
            ("ada", {"a": [1, None]})
        ]


def test_times_come_back_in_utc(either: Database) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5)))
    with either.write() as db:
        db.add(SpokeRecord(name="pudo", title="PUDO", owner="ada", created_at=local, updated_at=NOW))
    with either.read() as db:
        spoke = db.get_one(SpokeRecord, "pudo")
        assert (spoke.created_at, spoke.created_at.utcoffset()) == (NOW, timedelta(0))


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="without a zone"), database.write() as db:
        db.add(SpokeRecord(name="x", title="x", owner="x", created_at=datetime(2026, 1, 1), updated_at=NOW))


def test_an_exception_rolls_back(database: Database) -> None:
    def fail() -> None:
        with database.write() as db:
            db.add(SpokeRecord(name="pudo", title="PUDO", owner="ada", created_at=NOW, updated_at=NOW))
            db.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as db:
        assert db.scalars(select(SpokeRecord)).all() == []


def test_writers_that_read_first_wait_for_each_other(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'c.sqlite'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def count() -> None:
        for _ in range(25):
            with database.write() as db:
                n = db.execute(text("SELECT n FROM counter")).scalar_one()
                db.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as db:
        assert db.execute(text("SELECT n FROM counter")).scalar_one() == 100
    database.close()
