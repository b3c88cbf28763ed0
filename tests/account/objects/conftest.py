"""One account in this process; each test gets a schema and a session of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_account import loaded, statements
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session

assert loaded
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = Account(tmp_path_factory.mktemp("objects") / "account")
    session = Session(account)
    for sql in ("CREATE DATABASE D", "CREATE WAREHOUSE W", "CREATE TAG D.PUBLIC.G"):
        statements.execute(session, sql)
    session.close()
    yield account
    account.close()


@pytest.fixture
def session(account: Account) -> Iterator[Session]:
    session = Session(account)
    session.use("D", "PUBLIC")
    session.warehouse = "W"
    statements.execute(session, f"CREATE SCHEMA S{next(_NUMBERS)}")
    yield session
    session.close()


@pytest.fixture
def run(session: Session) -> Callable[[str], list[tuple[Any, ...]]]:
    """Runs one statement; its rows."""
    return lambda sql: statements.execute(session, sql).rows()


@pytest.fixture
def refused(session: Session) -> Callable[[str], tuple[int, str, str]]:
    """Runs a statement that must fail; the error's code, SQLSTATE and message."""

    def execute(sql: str) -> tuple[int, str, str]:
        with pytest.raises(SnowflakeError) as caught:
            statements.execute(session, sql)
        return caught.value.code, caught.value.sqlstate, caught.value.message

    return execute
