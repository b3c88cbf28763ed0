"""An account in this process, and sessions of its users."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.security import logins
from embedded_account.session import Session
from embedded_account.start import start
from embedded_account.statements import execute

assert loaded
_NUMBERS = itertools.count(1)
Login = Callable[..., Session]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = Account(tmp_path_factory.mktemp("account") / "data")
    start(account)
    session = Session(account)
    execute(session, "CREATE WAREHOUSE WH")
    yield account
    account.close()


@pytest.fixture
def admin(account: Account) -> Iterator[Session]:
    """The administrator, in a fresh database's schema S, on a warehouse."""
    session = Session(account)
    run(session, f"CREATE DATABASE D{next(_NUMBERS)}", "CREATE SCHEMA S", "USE WAREHOUSE WH")
    yield session
    session.close()


@pytest.fixture
def login(account: Account, admin: Session) -> Iterator[Login]:
    """`login(role)` → a session of a new user who was given a new role of this name."""
    opened = []

    def begin(role: str, *grants: str) -> Session:
        user = f"U{next(_NUMBERS)}"
        run(
            admin,
            f"CREATE ROLE IF NOT EXISTS {role}",
            f"CREATE USER {user}",
            f"GRANT ROLE {role} TO USER {user}",
            f"GRANT USAGE ON WAREHOUSE WH TO ROLE {role}",
            *(f"GRANT {grant} TO ROLE {role}" for grant in grants),
        )
        session = logins.open_session(account, user, role)
        session.use(str(admin.database), admin.schema)
        run(session, "USE WAREHOUSE WH")
        opened.append(session)
        return session

    yield begin
    for session in opened:
        session.close()


def run(session: Session, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last."""
    rows: list[tuple[object, ...]] = []
    for statement in statements:
        rows = execute(session, statement).rows()
    return rows


def refusal(session: Session, statement: str) -> tuple[int, str, str]:
    """(number, SQLSTATE, message) with which a statement is refused."""
    with pytest.raises(SnowflakeError) as caught:
        execute(session, statement)
    return caught.value.code, caught.value.sqlstate, " ".join(caught.value.message.split())
