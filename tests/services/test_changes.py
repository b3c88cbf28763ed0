"""What others commit is noticed, on both databases; nothing is noticed when nothing happened."""

from datetime import UTC, datetime

import pytest

from services.db.changes import Changes
from services.db.engine import Database
from services.db.records import SpokeRecord

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Database:
    name = "database" if request.param == "sqlite" else "postgres_database"
    database: Database = request.getfixturevalue(name)
    return database


def test_a_commit_of_another_process_is_noticed(either: Database) -> None:
    changes, other = Changes(either), Database(either.url)
    changes.poll()
    before = either.revision.value
    changes.poll()
    with other.read() as db:
        assert db.get(SpokeRecord, "tides") is None
    changes.poll()
    assert either.revision.value == before
    for number in range(1, 4):
        with other.write() as db:
            db.merge(
                SpokeRecord(name="tides", title=str(number), owner="ada", created_at=NOW, updated_at=NOW)
            )
        changes.poll()
        assert either.revision.value == before + number
        changes.poll()
        assert either.revision.value == before + number
    other.close()
    changes.close()


def test_what_is_under_way_is_noticed_once_it_is_done(either: Database) -> None:
    changes, other = Changes(either), Database(either.url)
    changes.poll()
    with other.write() as db:
        db.add(SpokeRecord(name="tides", title="Tides", owner="ada", created_at=NOW, updated_at=NOW))
        db.flush()
        changes.poll()
        changes.poll()
        before = either.revision.value
    changes.poll()
    assert either.revision.value == before + 1
    other.close()
    changes.close()


def test_a_connection_that_was_lost_is_made_again(database: Database) -> None:
    changes = Changes(database)
    changes.poll()
    connection = changes._connection
    assert connection is not None
    connection.driver_connection.close()  # type: ignore[union-attr]
    changes.poll()
    changes.poll()
    assert changes._connection not in (None, connection)
    changes.close()
