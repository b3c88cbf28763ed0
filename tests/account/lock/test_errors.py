"""Errors that DuckDB finds, told in Snowflake's words and numbers."""

from __future__ import annotations

import pytest

from .conftest import Guarded

_COMPILATION = "SQL compilation error:\n"
# (statement, code, SQLSTATE, message)
_ERRORS: tuple[tuple[str, int, str, str], ...] = (
    ("SELECT NOPE(1)", 2140, "42601", f"{_COMPILATION}Unknown function NOPE"),
    ("SELECT READ_CSV('x')", 2140, "42601", f"{_COMPILATION}Unknown function READ_CSV"),
    (
        "SELECT * FROM TABLE(NOPE(1))",
        2143,
        "42601",
        f"{_COMPILATION}Unknown user-defined table function NOPE",
    ),
    ("SELECT NOPE", 904, "42000", f"{_COMPILATION}invalid identifier 'NOPE'"),
    ("SELECT NOPE FROM T", 904, "42000", f"{_COMPILATION}invalid identifier 'NOPE'"),
    ("SELECT * EXCLUDE (NOPE) FROM T", 904, "42000", f"{_COMPILATION}invalid identifier 'NOPE'"),
    ("SELECT T.NOPE FROM T", 904, "42000", f"{_COMPILATION}invalid identifier 'T.NOPE'"),
    ("SELECT A FROM T, U", 2028, "42601", f"{_COMPILATION}ambiguous column name 'A'"),
    (
        "SELECT A, COUNT(*) FROM T",
        979,
        "42601",
        f"{_COMPILATION}'A' in select clause is neither an aggregate nor in the group by clause.",
    ),
    ("SELECT 1 + 'x'", 100038, "22018", "Numeric value 'x' is not recognized"),
    (
        "INSERT INTO T VALUES (1)",
        2020,
        "21S01",
        f"{_COMPILATION}Insert value list does not match column list expecting 2 but got 1",
    ),
    ("SELECT B::INT FROM T", 100038, "22018", "Numeric value 'x' is not recognized"),
    ("SELECT B::BOOLEAN FROM T", 100037, "22018", "Boolean value 'x' is not recognized"),
    ("SELECT B::DATE FROM T", 100040, "22007", "Date 'x' is not recognized"),
    ("SELECT B::TIMESTAMP_NTZ FROM T", 100035, "22007", "Timestamp 'x' is not recognized"),
    ("SELECT ?", 2049, "42601", f"{_COMPILATION}Bind variable 1 not set."),
    (
        "SELECT * FROM NOPE",
        2003,
        "42S02",
        f"{_COMPILATION}Object 'NOPE' does not exist or not authorized.",
    ),
    (
        "SELECT * FROM NOPE.T",
        2003,
        "42S02",
        f"{_COMPILATION}Schema 'D.NOPE' does not exist or not authorized.",
    ),
    (
        "SELECT * FROM NOPE.S.T",
        2003,
        "42S02",
        f"{_COMPILATION}Database 'NOPE' does not exist or not authorized.",
    ),
    ("SELECT 1::HUGEINT", 2040, "0A000", f"{_COMPILATION}Unsupported data type 'HUGEINT'."),
    ("SELECT * FROM (DELETE FROM T) AS Q", 1003, "42000", ""),
    (
        "WITH Q AS (DELETE FROM T) SELECT 1",
        1003,
        "42000",
        f"{_COMPILATION}syntax error: unexpected 'DELETE'.",
    ),
    (
        "WITH Q AS (SELECT 1) DELETE FROM T",
        1003,
        "42000",
        f"{_COMPILATION}syntax error: unexpected 'DELETE'.",
    ),
    (
        "WITH Q AS (UPDATE T SET A = 1) SELECT 1",
        1003,
        "42000",
        f"{_COMPILATION}syntax error: unexpected 'UPDATE'.",
    ),
    ("SELECT * FROM (DESCRIBE T)", 1003, "42000", f"{_COMPILATION}syntax error: unexpected 'DESCRIBE'."),
    ("EXPLAIN DROP TABLE T", 1003, "42000", f"{_COMPILATION}syntax error: unexpected 'DROP'."),
    ("DELETE FROM T RETURNING *", 1003, "42000", f"{_COMPILATION}syntax error: unexpected 'returning'."),
    ("SELECT [X FOR X IN [1]]", 1003, "42000", f"{_COMPILATION}syntax error: unexpected 'for'."),
    ("SELECT (T).* FROM T", 1003, "42000", f"{_COMPILATION}syntax error: unexpected '*'."),
)
_NOT_HERE = (
    ("SELECT SOUNDEX_P123('a')", "function SOUNDEX_P123"),
    ("SELECT ST_DISTANCE(A, A) FROM T", "function ST_DISTANCE"),
    ("SELECT SYSTEM$NOPE()", "function SYSTEM$NOPE"),
    ("SELECT * FROM TABLE(VALIDATE(T))", "TABLE(VALIDATE(…))"),
    ("SELECT * FROM T AT (OFFSET => -60)", "time travel"),
    ("SELECT SNOWFLAKE.CORTEX.COMPLETE('a', 'b')", "SNOWFLAKE.CORTEX.COMPLETE(…)"),
)


@pytest.mark.parametrize(("text", "code", "sqlstate", "message"), _ERRORS)
def test_errors(guarded: Guarded, text: str, code: int, sqlstate: str, message: str) -> None:
    error = guarded.refusal(text)
    assert (error.code, error.sqlstate) == (code, sqlstate), error.message
    assert not message or error.message == message


@pytest.mark.parametrize(("text", "what"), _NOT_HERE)
def test_what_snowflake_has_and_this_account_has_not_is_named(guarded: Guarded, text: str, what: str) -> None:
    error = guarded.refusal(text)
    assert (error.code, error.sqlstate) == (2, "0A000"), error.message
    assert f"'{what}'" in error.message
