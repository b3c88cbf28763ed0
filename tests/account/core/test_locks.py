"""Transactions that change one table follow each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session
from embedded_account.statements import execute

assert loaded


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = Account(tmp_path_factory.mktemp("account"))
    for text in ("CREATE WAREHOUSE W", "CREATE DATABASE D"):
        execute(Session(account), text)
    yield account
    account.close()


@pytest.fixture
def sessions(account: Account) -> Iterator[tuple[Session, Session]]:
    first, second = Session(account), Session(account)
    for session in (first, second):
        session.use("D", "PUBLIC")
        session.warehouse = "W"
    for name in ("T", "U"):
        execute(first, f"CREATE OR REPLACE TABLE {name} AS SELECT 1 A")
    yield first, second
    first.close()
    second.close()


def run(session: Session, *texts: str) -> list[tuple[object, ...]]:
    return [execute(session, text).rows() for text in texts][-1]


class Waiting(threading.Thread):
    """Statements that must wait; `end` gives their last rows."""

    def __init__(self, session: Session, *texts: str) -> None:
        super().__init__(daemon=True)
        self._call: Callable[[], list[tuple[object, ...]]] = lambda: run(session, *texts)
        self.rows: list[tuple[object, ...]] | None = None
        self.error: SnowflakeError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.rows = self._call()
        except SnowflakeError as error:
            self.error = error

    def end(self) -> list[tuple[object, ...]] | None:
        self.join(30)
        assert not self.is_alive()
        assert self.error is None, self.error
        return self.rows


CHANGES = [
    ("UPDATE T SET A = A + 10", [(12,)]),
    ("DELETE FROM T WHERE A = 2", []),
    ("DELETE FROM T WHERE A = 1", [(2,)]),
    ("MERGE INTO T USING (SELECT 2 B) S ON T.A = S.B WHEN MATCHED THEN UPDATE SET A = 7", [(7,)]),
    ("TRUNCATE TABLE T", []),
    ("INSERT OVERWRITE INTO T SELECT A + 5 FROM T", [(7,)]),
]


@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize(("change", "left"), CHANGES)
def test_the_second_writer_waits_and_sees_the_first(
    sessions: tuple[Session, Session], change: str, left: list[tuple[object, ...]], transaction: bool
) -> None:
    first, second = sessions
    run(first, "BEGIN", "UPDATE T SET A = 2")
    # It reads the old row before it waits: its transaction must not hold on to that.
    texts = ["BEGIN", "SELECT * FROM T", change, "COMMIT"] if transaction else [change]
    waiting = Waiting(second, *texts)
    waiting.join(0.2)
    assert waiting.is_alive()
    run(first, "COMMIT")
    waiting.end()
    assert run(first, "SELECT A FROM T") == left


def test_inserts_and_reads_do_not_wait(sessions: tuple[Session, Session]) -> None:
    first, second = sessions
    run(first, "BEGIN", "UPDATE T SET A = 2")
    run(second, "INSERT INTO T VALUES (5)", "UPDATE U SET A = 3", "SELECT * FROM T")
    run(first, "ROLLBACK")
    assert run(second, "SELECT A FROM T ORDER BY A") == [(1,), (5,)]


def test_an_uncommitted_change_that_is_undone_frees_the_table(sessions: tuple[Session, Session]) -> None:
    first, second = sessions
    for ending in ("ROLLBACK", "CREATE OR REPLACE TABLE OTHER (A INT)", None):
        run(first, "BEGIN", "UPDATE T SET A = A")
        waiting = Waiting(second, "UPDATE T SET A = 4")
        run(first, ending) if ending else first.close()
        waiting.end()
    assert run(second, "SELECT A FROM T") == [(4,)]


def test_transactions_that_wait_for_each_other(sessions: tuple[Session, Session]) -> None:
    first, second = sessions
    run(first, "BEGIN", "UPDATE T SET A = 2")
    run(second, "BEGIN", "UPDATE U SET A = 3")
    waiting = Waiting(first, "UPDATE U SET A = A * 2", "COMMIT")
    waiting.join(0.2)
    with pytest.raises(SnowflakeError, match="waits for this transaction") as caught:
        run(second, "UPDATE T SET A = 9")
    assert (caught.value.code, caught.value.sqlstate) == (625, "57014")
    run(second, "ROLLBACK")
    waiting.end()
    assert run(second, "SELECT T.A, U.A FROM T, U") == [(2, 2)]


def test_who_waits_can_be_cancelled_and_timed_out(sessions: tuple[Session, Session]) -> None:
    first, second = sessions
    run(first, "BEGIN", "UPDATE T SET A = 2")
    waiting = Waiting(second, "UPDATE T SET A = 3")
    waiting.join(0.2)
    second.abort()
    waiting.join(10)
    assert waiting.error is not None
    assert waiting.error.code == 604
    run(second, "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    with pytest.raises(SnowflakeError, match="timeout of 1 second"):
        run(second, "UPDATE T SET A = 3")


def test_no_change_is_lost(account: Account, sessions: tuple[Session, Session]) -> None:
    first, _ = sessions

    def add() -> None:
        session = Session(account)
        session.use("D", "PUBLIC")
        session.warehouse = "W"
        for turn in range(10):
            texts = ["UPDATE T SET A = A + 1"]
            if turn % 2:
                texts = ["BEGIN", "SELECT A FROM T", *texts, "UPDATE U SET A = A + 1", "COMMIT"]
            run(session, *texts)
        session.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert run(first, "SELECT T.A, U.A FROM T, U") == [(41, 21)]


def test_overwriting_a_table_by_its_own_rows(sessions: tuple[Session, Session]) -> None:
    first, _ = sessions
    run(first, "INSERT OVERWRITE INTO T SELECT A + 1 FROM T", "BEGIN", "INSERT INTO T VALUES (8)")
    run(first, "INSERT OVERWRITE INTO T SELECT A * 10 FROM T", "COMMIT")
    assert run(first, "SELECT A FROM T ORDER BY A") == [(20,), (80,)]
    run(first, "INSERT OVERWRITE INTO T SELECT A FROM T WHERE FALSE", "INSERT OVERWRITE INTO T SELECT 1")
    assert run(first, "SELECT A FROM T") == [(1,)]
