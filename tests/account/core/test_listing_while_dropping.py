"""SHOW and INFORMATION_SCHEMA while other sessions create and drop databases, schemas and tables."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.functions import VIRTUAL
from embedded_account.session import Session
from embedded_account.statements import execute, registered

assert loaded

ROUNDS = 12
SHOWN = sorted({words for words in registered() if words[0] == "SHOW"})
# What needs a name, or is not about objects of databases.
_NAMED = {"COLUMNS", "GRANTS", "MODEL", "PARAMETERS", "VARIABLES", "VERSIONS"}
SHOWS = [" ".join(words) + " IN ACCOUNT" for words in SHOWN if not _NAMED & set(words)]
VIEWS = [f"SELECT * FROM KEPT.{name}" for name in sorted(VIRTUAL) if name.startswith("INFORMATION_SCHEMA.")]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    account = Account(tmp_path)
    session = Session(account)
    for text in (
        "CREATE WAREHOUSE W",
        "CREATE DATABASE KEPT",
        "CREATE TABLE T (A INT)",
        "CREATE VIEW V AS SELECT A FROM T",
        "CREATE STAGE ST",
    ):
        execute(session, text)
    yield account
    account.close()


def churn(account: Account, number: int, stop: threading.Event) -> None:
    session = Session(account)
    session.warehouse = "W"
    for turn in itertools.count():
        if stop.is_set():
            return
        name = f"GONE{number}_{turn % 3}"
        for text in (
            f"CREATE DATABASE {name}",
            f"CREATE SCHEMA {name}.S",
            f"CREATE TABLE {name}.S.T AS SELECT 1 A",
            f"CREATE VIEW {name}.S.V AS SELECT A FROM {name}.S.T",
            f"CREATE SCHEMA KEPT.S{number}",
            f"CREATE TABLE KEPT.S{number}.T AS SELECT 1 A",
            f"DROP TABLE KEPT.S{number}.T",
            f"DROP SCHEMA KEPT.S{number}",
            f"DROP SCHEMA {name}.S",
            f"DROP DATABASE {name}",
        ):
            execute(session, text)


def test_listings_never_fail(account: Account) -> None:
    failures: list[tuple[str, str]] = []
    stop = threading.Event()

    def change(number: int) -> None:
        try:
            churn(account, number, stop)
        except SnowflakeError as error:
            failures.append(("change", error.message))

    def read(texts: list[str]) -> None:
        session = Session(account)
        session.use("KEPT", "PUBLIC")
        session.warehouse = "W"
        for _, text in itertools.product(range(ROUNDS), texts):
            try:
                execute(session, text)
            except SnowflakeError as error:
                failures.append((text, error.message))

    changing = [threading.Thread(target=change, args=(number,)) for number in range(2)]
    reading = [threading.Thread(target=read, args=(texts,)) for texts in (SHOWS, VIEWS, SHOWS[::-1])]
    for thread in (*changing, *reading):
        thread.start()
    for thread in reading:
        thread.join(120)
    stop.set()
    for thread in changing:
        thread.join(60)
    assert sorted(set(failures)) == []


def test_a_database_that_is_gone_is_named(account: Account) -> None:
    session = Session(account)
    execute(session, "CREATE DATABASE SHORT")
    execute(Session(account), "DROP DATABASE SHORT")
    for text in ("SELECT * FROM INFORMATION_SCHEMA.TABLES", "SELECT * FROM SHORT.INFORMATION_SCHEMA.SCHEMATA",
                 "SHOW TABLES IN DATABASE SHORT", "SHOW TABLES", "SHOW SCHEMAS IN DATABASE SHORT"):  # fmt: skip
        with pytest.raises(SnowflakeError, match="Database 'SHORT' does not exist or not authorized"):
            execute(session, text)
