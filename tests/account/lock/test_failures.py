"""A failed statement does not poison its session: https://docs.snowflake.com/en/sql-reference/transactions"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_account import files, statements
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session

# Found before execution, then found while rows are computed or written.
_EARLY = (
    "SELECT NOPE",
    "SELEC 1",
    "SELECT * FROM NOPE",
    "INSERT INTO T VALUES (1, 2, 3)",
    "SELECT read_csv('x')",
)
_LATE = (
    "SELECT S::INT FROM T",
    "INSERT INTO T SELECT S::INT, S FROM T",
    "UPDATE T SET A = S::INT",
    "INSERT INTO T VALUES (NULL, 'x')",
    "DELETE FROM T WHERE S::INT = 1",
    "CREATE TABLE X AS SELECT S::INT AS A FROM T",
    "INSERT OVERWRITE INTO T SELECT S::INT, S FROM T",
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = Account(tmp_path_factory.mktemp("failures") / "account")
    for text in ("CREATE WAREHOUSE W", "CREATE DATABASE D"):
        statements.execute(Session(account), text)
    yield account
    account.close()


@pytest.fixture
def session(account: Account) -> Iterator[Session]:
    session = Session(account)
    session.use("D", "PUBLIC")
    session.warehouse = "W"
    for text in ("CREATE OR REPLACE TABLE T (A INT NOT NULL, S VARCHAR)", "INSERT INTO T VALUES (1, 'x')"):
        statements.execute(session, text)
    yield session
    session.close()


def rows(session: Session, text: str = "SELECT A FROM T ORDER BY A") -> list[tuple[object, ...]]:
    return statements.execute(session, text).rows()


def fail(session: Session, text: str) -> SnowflakeError:
    with pytest.raises(SnowflakeError) as raised:
        statements.execute(session, text)
    return raised.value


@pytest.mark.parametrize("text", _EARLY + _LATE)
def test_with_autocommit_nothing_stays_open(session: Session, text: str) -> None:
    fail(session, text)
    assert rows(session) == [(1,)]
    other = Session(session.account)
    other.use("D", "PUBLIC")
    other.warehouse = "W"
    assert rows(other, "UPDATE T SET A = 2")[0][0] == 1
    assert rows(session) == [(2,)]
    other.close()


@pytest.mark.parametrize("text", _EARLY)
def test_an_error_before_execution_is_undone_alone(session: Session, text: str) -> None:
    rows(session, "BEGIN")
    rows(session, "INSERT INTO T VALUES (2, 'y')")
    fail(session, text)
    assert rows(session) == [(1,), (2,)]
    rows(session, "COMMIT")
    assert rows(session) == [(1,), (2,)]


@pytest.mark.parametrize("text", [t for t in _LATE if not t.startswith("CREATE")])
def test_an_error_before_any_change_is_undone_alone(session: Session, text: str) -> None:
    rows(session, "BEGIN")
    assert rows(session) == [(1,)]
    fail(session, text)
    rows(session, "INSERT INTO T VALUES (2, 'y')")
    assert rows(session) == [(1,), (2,)]
    rows(session, "ROLLBACK")
    assert rows(session) == [(1,)]


@pytest.mark.parametrize("text", [t for t in _LATE if not t.startswith("CREATE")])
@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
def test_an_error_after_a_change_aborts_the_transaction(session: Session, text: str, end: str) -> None:
    """As with TRANSACTION_ABORT_ON_ERROR: nothing of it is committed, and nothing after it by itself."""
    rows(session, "BEGIN")
    rows(session, "INSERT INTO T VALUES (2, 'y')")
    fail(session, text)
    for later in ("SELECT 1", "INSERT INTO T VALUES (3, 'z')", "CREATE TABLE Y (A INT)", "BEGIN"):
        error = fail(session, later)
        assert error.code == 625
        assert "Transaction was aborted" in error.message
    if end == "COMMIT":
        assert fail(session, end).code == 625
    else:
        rows(session, end)
    assert rows(session) == [(1,)]
    assert not session.in_transaction


def test_a_load_of_several_files_is_undone_whole(session: Session) -> None:
    rows(session, "CREATE OR REPLACE STAGE ST")
    folder = files.locate(session, "@ST").root
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("2,a\n")
    (folder / "b.csv").write_text("3,b,c\n")
    rows(session, "BEGIN")
    fail(session, "COPY INTO T FROM @ST")
    assert rows(session) == [(1,)]
    rows(session, "INSERT INTO T VALUES (4, 'd')")
    fail(session, "COPY INTO T FROM @ST")
    assert fail(session, "COMMIT").code == 625
    assert rows(session) == [(1,)]


def test_overwriting_a_table_by_itself(session: Session) -> None:
    assert rows(
        session, "INSERT OVERWRITE INTO T SELECT A + 1, S FROM T UNION ALL SELECT A + 2, S FROM T"
    ) == [(2,)]
    assert rows(session) == [(2,), (3,)]
    rows(session, "BEGIN")
    rows(session, "INSERT INTO T VALUES (9, 'z')")
    rows(session, "INSERT OVERWRITE INTO T SELECT A * 10, S FROM T")
    assert rows(session) == [(20,), (30,), (90,)]
    rows(session, "COMMIT")
    assert rows(session) == [(20,), (30,), (90,)]


def test_with_autocommit_off(session: Session) -> None:
    rows(session, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    fail(session, "INSERT INTO T VALUES (NULL, 'x')")
    rows(session, "INSERT INTO T VALUES (2, 'y')")
    rows(session, "COMMIT")
    assert rows(session) == [(1,), (2,)]


def test_an_account_in_a_linked_folder_reads_its_files(tmp_path: Path) -> None:
    """DuckDB compares whole paths with the folders that it may read."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    account = Account(tmp_path / "link" / "account")
    session = Session(account)
    for text in ("CREATE DATABASE D", "CREATE WAREHOUSE W", "CREATE STAGE ST"):
        statements.execute(session, text)
    folder = files.locate(session, "@ST").root
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("1\n2\n")
    assert rows(session, "SELECT $1 FROM @ST/a.csv") == [("1",), ("2",)]
    account.close()
