"""Clauses whose words or types DuckDB takes otherwise, as whole statements."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from embedded_account.errors import SnowflakeError
from tests.account.functions.conftest import Sql

DAY, NEXT = datetime.date(2024, 5, 6), datetime.date(2024, 5, 7)
STAMP, FIRST = datetime.datetime(2024, 5, 6), datetime.datetime(2024, 5, 1)

# (statements before, query, rows)
CASES: list[tuple[list[str], str, list[tuple[Any, ...]]]] = [
    (
        [
            "CREATE OR REPLACE TABLE A AS SELECT 2 AS X, 'b' AS Y UNION ALL SELECT 1, 'c' UNION ALL SELECT 1, 'a'"
        ],
        "SELECT * FROM A ORDER BY ALL",
        [(1, "a"), (1, "c"), (2, "b")],
    ),
    ([], "SELECT X, COUNT(*) FROM A GROUP BY ALL ORDER BY ALL DESC", [(2, 1), (1, 2)]),
    ([], 'SELECT "ALL" FROM (SELECT X AS "ALL", Y FROM A) ORDER BY "ALL", Y', [(1,), (1,), (2,)]),
    ([], "SELECT X + 1 AS K, SUM(K) OVER (ORDER BY K) AS S FROM A ORDER BY K DESC LIMIT 1", [(3, 7)]),
    (
        [],
        "SELECT ( ROW_NUMBER() OVER (ORDER BY SEQ8()) - 1 ) * (2) + (10) FROM ( TABLE (GENERATOR(ROWCOUNT => 3)))",
        [(10,), (12,), (14,)],
    ),
    (["UPDATE A T SET T.Y = 'z' WHERE T.X = 2"], "SELECT Y FROM A WHERE X = 2", [("z",)]),
    (
        [
            "CREATE OR REPLACE TABLE B (K INT, V VARIANT)",
            "INSERT INTO B SELECT 1, {'q': 1}",
            "MERGE INTO B USING (SELECT 1 AS K UNION ALL SELECT 2) S ON B.K = S.K "
            "WHEN MATCHED THEN UPDATE SET B.V = 'w' WHEN NOT MATCHED THEN INSERT (K, V) VALUES (S.K, {'n': S.K})",
        ],
        "SELECT K, V FROM B ORDER BY K",
        [(1, '"w"'), (2, '{"n":2}')],
    ),
    (
        ["UPDATE B SET V = 5 WHERE K = 2"],
        "SELECT V = 'w', V:z, TYPEOF(V) FROM B ORDER BY K",
        [(True, None, "VARCHAR"), (False, None, "INTEGER")],
    ),
    ([], "VALUES (1, 'a'), (2, 'b')", [(1, "a"), (2, "b")]),
    ([], "WITH C AS (SELECT V AS W FROM B) SELECT W::STRING FROM C WHERE W = 'w'", [("w",)]),
    ([], "SELECT L.K FROM B L JOIN A R ON L.V = R.Y OR R.X = L.K ORDER BY 1", [(1,), (1,), (2,)]),
]


# DuckDB does not know the type of these when it chooses among a macro's overloads.
HIDDEN: list[tuple[str, tuple[Any, ...]]] = [
    (
        "TO_CHAR(SUM(I)), TO_CHAR(MAX(D)), MAX(V)::VARCHAR, TRIM(MAX(V)), MAX(J:a)::STRING",
        ("3", "2024-05-06", "abc", "abc", "x"),
    ),
    (
        "MAX(D)::TIMESTAMP_NTZ, YEAR(MAX(D)), YEAR(MIN(VD)), DATEADD(day, 1, MAX(D))",
        (STAMP, 2024, 2024, NEXT),
    ),
    ("DATE_TRUNC('month', MAX(TS)), MAX(VD) = MAX(D), MAX(J:a) = 'x', 1 + MAX(S)", (FIRST, True, True, 13)),
    ("LAG(D, 0) OVER (ORDER BY D)::TIMESTAMP_NTZ, DATEADD(day, 1, MAX(D) OVER ())", (STAMP, NEXT)),
    ("D AS K, K::TIMESTAMP_NTZ, DATEADD(day, 1, K) AS M, YEAR(M)", (DAY, STAMP, NEXT, 2024)),
]


@pytest.mark.parametrize(("expressions", "row"), HIDDEN, ids=[case[0][:60] for case in HIDDEN])
def test_hidden_types(sql: Sql, expressions: str, row: tuple[Any, ...]) -> None:
    assert sql.row(expressions, "FROM T") == row


@pytest.mark.parametrize(("before", "query", "rows"), CASES, ids=[case[1][:70] for case in CASES])
def test_rows(sql: Sql, before: list[str], query: str, rows: list[tuple[Any, ...]]) -> None:
    for statement in before:
        sql(statement)
    assert sql(query) == rows


def test_types_that_stay(sql: Sql) -> None:
    assert sql.types(
        "SELECT DATEADD(day, 1, D), DATE_TRUNC('month', D), TRUNC(TS, 'day'), D + 1, J:a FROM T"
    ) == [
        "date",
        "date",
        "timestamp_ntz",
        "date",
        "variant",
    ]


def test_a_default_is_translated(sql: Sql) -> None:
    sql(
        "CREATE OR REPLACE TABLE C (A INT, B VARCHAR DEFAULT TO_CHAR(5, '00'), C DATE DEFAULT '2024-05-06'::DATE + 1)"
    )
    sql("INSERT INTO C (A) VALUES (1)")
    assert [(b, str(c)) for b, c in sql("SELECT B, C FROM C")] == [(" 05", "2024-05-07")]


def test_documents_in_tables(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE DOCS (V VARIANT, O OBJECT, A ARRAY)")
    sql("INSERT INTO DOCS SELECT 'x'::VARIANT, OBJECT_CONSTRUCT('k', 'v'), ARRAY_CONSTRUCT(1, 'a')")
    ((v, o, a),) = sql("SELECT V, O, A FROM DOCS WHERE V = 'x' AND O:k = 'v' AND A[1] = 'a'")
    assert [json.loads(text) for text in (v, o, a)] == ["x", {"k": "v"}, [1, "a"]]


# Statement, and what it leaves in the column BIN of the row 1.
BYTES = [
    ("INSERT INTO BT VALUES (1, '0a0B', 'x')", b"\x0a\x0b"),
    ("INSERT INTO BT VALUES (1, DEFAULT, 'x')", None),
    ("INSERT INTO BT VALUES (1, NULL, 'x')", None),
    ("INSERT INTO BT VALUES (1, TO_BINARY('hi', 'UTF-8'), 'x')", b"hi"),
    ("INSERT INTO BT (BIN, K) SELECT 'ab', 1", b"\xab"),
    ("INSERT INTO BT (K, BIN) SELECT * FROM (SELECT 1, 'ab')", b"\xab"),
    ("INSERT INTO BT SELECT 1, 'ab', 'x' UNION ALL SELECT 2, 'cd', 'y'", b"\xab"),
    ("INSERT OVERWRITE INTO BT SELECT 1, MAX(C), C FROM (SELECT 'ab' AS C) GROUP BY C", b"\xab"),
    ("UPDATE BT SET BIN = 'ff' WHERE K = 1", b"\xff"),
    (
        "MERGE INTO BT USING (SELECT 1 AS K, 'fe' AS B) S ON BT.K = S.K WHEN MATCHED THEN UPDATE SET BIN = S.B",
        b"\xfe",
    ),
    (
        "MERGE INTO BT USING (SELECT 1 AS K, 'fd' AS B) S ON FALSE "
        "WHEN NOT MATCHED THEN INSERT (K, BIN) VALUES (S.K, S.B)",
        b"\xfd",
    ),
    (
        "MERGE INTO BT USING (SELECT 1 AS K, 'fc' AS B) S ON FALSE "
        "WHEN NOT MATCHED THEN INSERT VALUES (S.K, S.B, 'x')",
        b"\xfc",
    ),
]


@pytest.mark.parametrize(("statement", "value"), BYTES, ids=[case[0] for case in BYTES])
def test_text_in_a_binary_column(sql: Sql, statement: str, value: bytes | None) -> None:
    sql("CREATE OR REPLACE TABLE BT (K INT, BIN BINARY, V VARCHAR)")
    if statement.startswith("UPDATE") or "WHEN MATCHED" in statement:
        sql("INSERT INTO BT (K) VALUES (1)")
    sql(statement)
    assert sql("SELECT BIN FROM BT WHERE K = 1") == [(value,)]


def test_text_that_is_no_bytes(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE BT (K INT, BIN BINARY)")
    for statement in (
        "INSERT INTO BT VALUES (1, 'zz')",
        "INSERT INTO BT SELECT 1, 'zz'",
        "INSERT INTO BT SELECT * FROM (SELECT 1, 'zz')",
    ):
        with pytest.raises(SnowflakeError, match="'zz'") as caught:
            sql(statement)
        assert caught.value.code == 100115
    with pytest.raises(SnowflakeError, match="expecting 2 but got 1"):
        sql("INSERT INTO BT SELECT 1")
    assert sql("SELECT * FROM BT") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("INPUT => J, MODE => 'x'", 1008),
        ("INPUT => 'x'", 1044),
        ("INPUT => V", 1044),
        ("INPUT => J:a::VARCHAR", 1044),
        ("MODE => 'BOTH'", 1015),
    ],
)
def test_flatten_refuses(sql: Sql, arguments: str, code: int) -> None:
    with pytest.raises(SnowflakeError) as caught:
        sql(f"SELECT F.VALUE FROM T, LATERAL FLATTEN({arguments}) F")
    assert caught.value.code == code
