"""One statement a request, or as many as MULTI_STATEMENT_COUNT says."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector
from hypothesis import given
from hypothesis import strategies as st
from snowflake.connector.errors import ProgrammingError

from embedded_account.parse.batch import split

from .conftest import Guarded

_FIRST = (
    "SELECT 1",
    "(SELECT 1)",
    "WITH Q AS (SELECT 1) SELECT * FROM Q",
    "VALUES (1)",
    "-- a comment; with a semicolon\nSELECT 1",
    "/* ; */ SELECT ';'",
    "SELECT $$;$$",
    'SELECT 1 AS ";"',
    "INSERT INTO T VALUES (3, 'z')",
    "INSERT OVERWRITE INTO T VALUES (3, 'z')",
    "UPDATE T SET A = 3",
    "DELETE FROM T",
    "MERGE INTO T USING U ON FALSE WHEN MATCHED THEN DELETE",
    "TRUNCATE TABLE T",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "SHOW TABLES ->> SELECT * FROM $1",
    "DESCRIBE TABLE T",
    "USE SCHEMA PUBLIC",
    "SET X = 1",
    "BEGIN",
    "BEGIN TRANSACTION",
    "ALTER SESSION SET QUERY_TAG = 'x'",
    "CALL P()",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "CREATE TABLE X (A INT)",
    "CREATE TABLE X AS SELECT 1 AS A",
    "CREATE VIEW X AS SELECT 1 AS A",
    "CREATE DYNAMIC TABLE X TARGET_LAG = '1 day' WAREHOUSE = W AS SELECT 1 AS A",
    "CREATE TASK X AS SELECT 1",
    "COPY INTO T FROM @ST",
    "DROP VIEW V",
    "SELECT MODEL(M, V)!PREDICT(1)",
)


@pytest.mark.parametrize("first", _FIRST)
def test_two_statements_run_neither(guarded: Guarded, first: str) -> None:
    for text in (f"{first}; DROP TABLE T", f"{first};;\n DROP TABLE T;", f"DROP TABLE T; {first}"):
        error = guarded.refusal(text)
        assert (error.code, error.sqlstate) == (8, "0A000"), text
        assert error.message == "Actual statement count 2 did not match the desired statement count 1."


def test_text_within_a_statement_holds_one_too(guarded: Guarded) -> None:
    for text in (
        "EXECUTE IMMEDIATE 'SELECT 1; DROP TABLE T'",
        "EXECUTE IMMEDIATE $$SELECT 1; DROP TABLE T$$",
        "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SELECT 1; DROP TABLE T'''",
    ):
        assert guarded.refusal(text).code == 8, text


def test_what_closes_a_statement_is_none(guarded: Guarded) -> None:
    for text in (
        "SELECT 1;",
        "SELECT 1 ; ;",
        "SELECT 1; -- DROP TABLE T;",
        "SELECT 1; /* ; */",
        "; SELECT 1",
    ):
        assert guarded.run(text) == [(1,)], text
    for text in ("SELECT 1 -- /*\n, 2", "SELECT 1, /* /* */ 2 -- ;\n;"):
        assert guarded.run(text) == [(1, 2)], text
    for text in ("", ";", " ; -- nothing"):
        assert guarded.refusal(text).code == 900


_PIECES = (
    "SELECT 1",
    "SELECT ';'",
    "SELECT $$;$$",
    'SELECT ";"',
    "/* ; */ SELECT 1",
    "INSERT INTO T VALUES ('it''s;')",
)
_GAPS = (";", " ; ", ";;", ";\n-- ;\n", "; /* ; */ ;")


@given(
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6),
    st.lists(st.sampled_from(_GAPS), min_size=6, max_size=6),
)
def test_splitting_finds_what_was_joined(pieces: list[str], gaps: list[str]) -> None:
    text = "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=False))
    found = split(text)
    assert len(found) == len(pieces)
    assert all(piece in part for piece, part in zip(pieces, found, strict=True))


@pytest.mark.parametrize(
    "block",
    [
        "BEGIN SELECT 1; SELECT 2; END;",
        "DECLARE X INT; BEGIN RETURN X; END",
        "CREATE TASK X AS BEGIN SELECT 1; SELECT 2; END;",
        "CREATE PROCEDURE P() RETURNS INT LANGUAGE SQL AS DECLARE X INT; BEGIN RETURN 1; END;",
    ],
)
def test_a_scripting_block_is_one_statement(block: str) -> None:
    assert split(block) == [block]


# ----- through the connector


def test_as_many_as_the_client_says(connection: snowflake.connector.SnowflakeConnection) -> None:
    text = "CREATE TABLE T (A INT); INSERT INTO T VALUES (1), (2); SELECT A FROM T ORDER BY A"
    with connection.cursor() as cursor:
        cursor.execute(text, num_statements=3)
        assert cursor.fetchall() == [("Table T successfully created.",)]
        assert cursor.nextset()
        assert cursor.rowcount == 2
        assert cursor.nextset()
        assert cursor.fetchall() == [(1,), (2,)]
        assert not cursor.nextset()
        for wanted, there in ((2, text), (1, text), (2, "SELECT 1")):
            with pytest.raises(ProgrammingError, match="did not match the desired statement count") as raised:
                cursor.execute(there, num_statements=wanted)
            assert (raised.value.errno, raised.value.sqlstate) == (8, "0A000")
        cursor.execute("SELECT 1; SELECT 2", num_statements=0)
        assert cursor.fetchall() == [(1,)]
        assert cursor.nextset()
        assert cursor.fetchall() == [(2,)]
        assert cursor.execute("SELECT 3", num_statements=0).fetchall() == [(3,)]


def test_as_many_as_the_session_says(run: Any, connection: snowflake.connector.SnowflakeConnection) -> None:
    run("ALTER SESSION SET MULTI_STATEMENT_COUNT = 0")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2; SELECT 3")
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
    assert found == [[(1,)], [(2,)], [(3,)]]
    run("ALTER SESSION UNSET MULTI_STATEMENT_COUNT")
    with pytest.raises(ProgrammingError, match="Actual statement count 2"):
        run("SELECT 1; SELECT 2")


def test_the_first_failure_ends_them(run: Any, connection: snowflake.connector.SnowflakeConnection) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="NOPE"):
        cursor.execute("CREATE TABLE T (A INT); SELECT NOPE; DROP TABLE T", num_statements=3)
    assert run("SELECT COUNT(*) FROM T") == [(0,)]


def test_execute_string(connection: snowflake.connector.SnowflakeConnection) -> None:
    cursors = connection.execute_string("CREATE TABLE T (A INT); INSERT INTO T VALUES (1); SELECT A FROM T;")
    assert [cursor.fetchall() for cursor in cursors][-1] == [(1,)]
