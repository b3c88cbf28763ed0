"""Whatever is sent, the answer is Snowflake's kind of error or a result: never a fault of the account itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded_account import loaded, statements
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session

assert loaded
INTERNAL = 603


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    account = Account(tmp_path_factory.mktemp("refusals") / "account")
    session = Session(account)
    for sql in (
        "CREATE DATABASE D",
        "CREATE WAREHOUSE W",
        "CREATE TABLE T (A INT, B VARIANT)",
        "CREATE VIEW V AS SELECT A FROM T",
        "CREATE STAGE ST",
        "CREATE TAG G",
    ):
        statements.execute(session, sql)
    yield session
    account.close()


def failure(session: Session, text: str) -> SnowflakeError | None:
    try:
        statements.execute(session, text)
    except SnowflakeError as error:
        return error
    return None


_TEXT = (
    "T V ST G W D PUBLIC NOPE A B SELECT FROM WHERE AS IN LIKE SET UNSET TAG TABLE VIEW STAGE TASK MODEL DATASET "
    "DYNAMIC PROCEDURE FUNCTION WAREHOUSE SCHEMA DATABASE ROLE IF EXISTS NOT OR REPLACE VERSION VERSIONS IMMEDIATE ALL "
    "GRANT ON TO RENAME ADD DROP COLUMN COMMENT = ( ) , . ; * 1 'x' '1 day' @ST $1 $$a$$ \"q\" ? :: => ->> NULL TRUE"
)
WORDS = _TEXT.split()
HEADS = sorted({" ".join(words) for words in statements.registered()})


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(HEADS), tail=st.lists(st.sampled_from(WORDS), max_size=7))
def test_any_words(session: Session, head: str, tail: list[str]) -> None:
    text = " ".join([head, *tail])
    if (
        re.match(r"(DROP|USE|BEGIN|START|CREATE( OR REPLACE)?) ?(DATABASE|SCHEMA|TRANSACTION)?", text)
        and "D" in tail
    ):
        return  # it would take away what the others need
    error = failure(session, text)
    if session.in_transaction:
        statements.execute(session, "ROLLBACK")
    session.use("D", "PUBLIC")
    if error is not None:
        assert error.code != INTERNAL, f"{text!r}: {error.message}"
        assert re.fullmatch(r"[0-9A-Z]{5}", error.sqlstate)


@given(text=st.text(max_size=40))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(session: Session, text: str) -> None:
    error = failure(session, text)
    if error is not None:
        assert error.code != INTERNAL, f"{text!r}: {error.message}"
