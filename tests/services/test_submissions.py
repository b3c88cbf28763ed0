"""The same work asked for twice is done once, also when it is asked for at the same instant."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from services.core.errors import Conflict
from services.db.engine import Database
from services.db.records import AuditEventRecord, OperationRecord
from services.operations.journal import Journal
from services.operations.submissions import NewOperation, Submissions

TRAIN = NewOperation(
    id="one",
    kind="training.run",
    title="Train",
    actor="ada",
    spoke="pudo",
    environment="DEV",
    queue_key="pudo/DEV",
    params={"spoke": "pudo"},
    steps=(("start", "Start"),),
    fingerprint="train pudo",
)
PREDICT = replace(TRAIN, id="other", kind="inference.run", fingerprint="predict pudo")
AGAIN = replace(TRAIN, id="two", actor="bob")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Database:
    name = "database" if request.param == "sqlite" else "postgres_database"
    database: Database = request.getfixturevalue(name)
    return database


def test_at_the_same_instant(either: Database) -> None:
    submissions, at_once = Submissions(either), threading.Barrier(12)
    answers: list[tuple[str, bool]] = []

    def ask(new: NewOperation, key: str | None) -> None:
        at_once.wait(20)
        answers.append(submissions.create(new, key))

    asked = [(replace(TRAIN, id=f"t{n}"), f"key {n % 2}" if n < 4 else None) for n in range(8)]
    asked += [(replace(PREDICT, id=f"p{n}"), None) for n in range(4)]
    threads = [threading.Thread(target=ask, args=one) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with either.read() as db:
        written = set(db.execute(select(OperationRecord.id, OperationRecord.kind)).tuples())
        audited = db.scalars(select(AuditEventRecord.operation_id)).all()
    assert sorted(kind for _, kind in written) == ["inference.run", "training.run"]
    assert len(answers) == 12
    assert sorted(id for id, new in answers if new) == sorted(audited) == sorted(id for id, _ in written)
    assert {id for id, _ in answers} == {id for id, _ in written}
    first = next(id for id, kind in written if kind == "training.run")
    assert [submissions.known(replace(TRAIN, id="late"), key) for key in ("key 0", "key 1")] == [first] * 2


def nothing(journal: Journal) -> None:
    """It is queued."""


def running(journal: Journal) -> None:
    journal.begin("one")


def over(journal: Journal) -> None:
    journal.begin("one")
    journal.finish("one", None)


def cancelled(journal: Journal) -> None:
    journal.request_cancel("one", "ada")


def stopping(journal: Journal) -> None:
    journal.begin("one")
    journal.request_cancel("one", "ada")


def resumed(journal: Journal) -> None:
    journal.request_cancel("one", "ada")
    journal.resume("one", "ada")


@pytest.mark.parametrize(
    ("before", "found"),
    [(nothing, True), (running, True), (resumed, True), (over, False), (cancelled, False), (stopping, False)],
)
def test_what_is_open_is_found(either: Database, before: Callable[[Journal], None], found: bool) -> None:
    submissions, journal = Submissions(either), Journal(either)
    assert submissions.create(TRAIN) == ("one", True)
    before(journal)
    assert submissions.known(AGAIN) == ("one" if found else None)
    assert submissions.create(AGAIN, "key") == (("one", False) if found else ("two", True))
    assert submissions.create(replace(AGAIN, id="three"), "key") == ("one" if found else "two", False)
    assert submissions.create(PREDICT) == ("other", True)


def test_a_part_of_another_is_found_and_made_all_the_same(either: Database) -> None:
    submissions = Submissions(either)
    whole = replace(TRAIN, id="whole", kind="example.setup", fingerprint="whole")
    part = replace(TRAIN, id="part", parent_id="whole", parent_step="train")
    assert submissions.create(whole) == ("whole", True)
    assert submissions.create(part) == ("part", True)
    assert submissions.create(AGAIN) == ("part", False)
    # A parent waits for the child that it made, whatever else there is.
    assert submissions.create(replace(part, id="second")) == ("second", True)


def test_what_is_under_way_elsewhere_is_not_resumed(either: Database) -> None:
    submissions, journal = Submissions(either), Journal(either)
    submissions.create(TRAIN)
    journal.request_cancel("one", "ada")
    submissions.create(AGAIN)
    with pytest.raises(Conflict, match="under way in another operation"):
        journal.resume("one", "ada")
    journal.begin("two")
    journal.finish("two", None)
    assert journal.resume("one", "ada") == 2
