"""What functions refuse, and Snowflake's numbers and words for it."""

from __future__ import annotations

import pytest

from embedded_account.errors import SnowflakeError
from tests.account.functions.conftest import Sql

DIVISION = (100051, "22012", "Division by zero")


def _invalid(function: str) -> tuple[int, str, str]:
    return (100047, "22023", f"Invalid floating point operation: {function}")


CASES: list[tuple[str, tuple[int, str, str]]] = [
    *(
        (expression, DIVISION)
        for expression in (
            "1 / 0",
            "0 / 0",
            "I / Z",
            "1.5 / 0",
            "F / 0",
            "I / 0.0",
            "I % Z",
            "MOD(1, 0)",
            "F % 0",
            "1 / (I - 3)",
        )
    ),
    ("SQRT(-1)", _invalid("sqrt")),
    ("SQRT(Z - 1)", _invalid("sqrt")),
    ("LN(0)", _invalid("ln")),
    ("LN(-1)", _invalid("ln")),
    ("LOG(10, 0)", _invalid("ln")),
    ("ACOS(2)", _invalid("acos")),
    ("ASIN(-2)", _invalid("asin")),
    ("EXP(1000)", _invalid("exp(1000)")),
    ("POW(10, 400)", _invalid("pow(10,400)")),
    ("POWER(-1, 0.5)", _invalid("pow(-1,0.5)")),
    ("TO_DATE('x')", (100040, "22007", "Date 'x' is not recognized")),
    ("TO_TIMESTAMP(V)", (100035, "22007", "Timestamp 'abc' is not recognized")),
    ("TO_TIMESTAMP_LTZ(V)", (100035, "22007", "Timestamp 'abc' is not recognized")),
    ("YEAR(V)", (100035, "22007", "Timestamp 'abc' is not recognized")),
    ("'25:00'::TIME", (100108, "22007", "Time '25:00' is not recognized")),
    ("TO_DATE('2024', 'MM')", (100096, "22007", "Can't parse '2024' as date with format 'MM'")),
    ("TO_NUMBER('x', '99')", (100140, "22007", "Can't parse 'x' as number with format '99'")),
    ("'zz'::BINARY", (100115, "22000", "The following string is not a legal hex-encoded value: 'zz'")),
    ("OBJECT_INSERT({'a': 1}, 'a', 2)", (100112, "22000", "Duplicate field key 'a'")),
]


@pytest.mark.parametrize(("expression", "error"), CASES, ids=[case[0] for case in CASES])
def test_refused(sql: Sql, expression: str, error: tuple[int, str, str]) -> None:
    with pytest.raises(SnowflakeError) as caught:
        sql.row(expression, "FROM T")
    assert (caught.value.code, caught.value.sqlstate, caught.value.message) == error


def test_text_that_is_no_number(sql: Sql) -> None:
    for expression in ("1 + V", "-V", "ABS(V)", "SUM(V)", "J:a + 1"):
        with pytest.raises(SnowflakeError) as caught:
            sql.row(expression, "FROM T")
        assert (caught.value.code, caught.value.sqlstate) == (100038, "22018"), expression


def test_in_a_view_and_in_dml(sql: Sql) -> None:
    sql("CREATE OR REPLACE VIEW BROKEN AS SELECT I / Z AS X FROM T")
    sql("CREATE OR REPLACE TABLE KEPT (X FLOAT)")
    for statement in (
        "SELECT * FROM BROKEN",
        "INSERT INTO KEPT SELECT X FROM BROKEN",
        "INSERT INTO KEPT SELECT LN(0)",
    ):
        with pytest.raises(SnowflakeError):
            sql(statement)
    assert sql("SELECT * FROM KEPT") == []


def test_rows_left_out_are_not_divided(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE PAIRS AS SELECT 4 AS A, 2 AS B UNION ALL SELECT 1, 0")
    for query in (
        "SELECT A / B FROM PAIRS WHERE B <> 0",
        "SELECT A / B FROM (SELECT * FROM PAIRS WHERE B <> 0) WHERE A / B > 1",
        "SELECT X FROM (SELECT IFF(B = 0, NULL, A / B) AS X, IFF(B = 0, NULL, A / B) + 1 AS Y FROM PAIRS) WHERE X > 1",
        "SELECT DIV0(A, B) FROM PAIRS WHERE DIV0(A, B) + DIV0(A, B) > 0",
    ):
        assert sql(query) == [(2,)], query


@pytest.mark.parametrize("call", ["TRIM()", "DATEADD(day, 1)", "TO_CHAR(1, 'x', 2)", "DATE_TRUNC('nope', D)"])
def test_wrong_arguments(sql: Sql, call: str) -> None:
    with pytest.raises(SnowflakeError) as caught:
        sql.row(call, "FROM T")
    assert caught.value.message.startswith("SQL compilation error:")
