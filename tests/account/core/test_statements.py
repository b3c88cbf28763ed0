"""Snowflake statements through the real connector, whole rows compared."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError

# (statements before, query, rows)
QUERIES: list[tuple[list[str], str, list[tuple[Any, ...]]]] = [
    ([], "SELECT 1", [(1,)]),
    ([], "SELECT $1, $2 FROM VALUES (1, 'a'), (2, 'b')", [(1, "a"), (2, "b")]),
    ([], "SELECT COLUMN1 + 1 AS X FROM VALUES (1), (2)", [(2,), (3,)]),
    (
        [],
        "SELECT '2024-02-29'::DATE, '12:30:00'::TIME",
        [(datetime.date(2024, 2, 29), datetime.time(12, 30))],
    ),
    ([], "SELECT 1.25::NUMBER(10,2), 1::FLOAT, TRUE, NULL", [(Decimal("1.25"), 1.0, True, None)]),
    (
        [],
        "SELECT '1969-12-31 23:59:59.5'::TIMESTAMP_NTZ, '2024-01-01 00:00:00.000001'::TIMESTAMP_NTZ",
        [(datetime.datetime(1969, 12, 31, 23, 59, 59, 500000), datetime.datetime(2024, 1, 1, 0, 0, 0, 1))],
    ),
    ([], 'SELECT PARSE_JSON(\'{"a": [1, {"b": "x"}]}\'):a[1].b::STRING', [("x",)]),
    ([], "SELECT IFF(1 > 2, 'y', 'n'), ZEROIFNULL(NULL), DIV0(1, 0), NVL(NULL, 3)", [("n", 0, 0, 3)]),
    (
        [],
        "SELECT DATEADD(day, -7, '2024-01-08'::DATE), DATEDIFF(day, '2024-01-01'::DATE, '2024-01-08'::DATE)",
        [(datetime.date(2024, 1, 1), 7)],
    ),
    (
        [],
        "SELECT CURRENT_DATE() = CURRENT_DATE, CURRENT_TIMESTAMP() > DATEADD(day, -1, CURRENT_DATE())",
        [(True, True)],
    ),
    ([], "SELECT TO_DATE(CURRENT_DATE()) = CURRENT_DATE()", [(True,)]),
    ([], "\n-- a comment\nWITH X AS (SELECT 1 AS A) SELECT A FROM X", [(1,)]),
    ([], "SELECT ROUND(HAVERSINE(52.5, 13.4, 52.6, 13.4), 3)", [(11.119,)]),
    (
        ["CREATE TABLE T (A INT, B STRING)", "INSERT INTO T VALUES (1, 'x'), (2, 'y'), (3, 'y')"],
        "SELECT B, COUNT(*) FROM T GROUP BY B ORDER BY B",
        [("x", 1), ("y", 2)],
    ),
    (
        ["CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1), (2), (3)"],
        "SELECT A FROM T QUALIFY ROW_NUMBER() OVER (ORDER BY A DESC) = 1",
        [(3,)],
    ),
    (
        [
            "CREATE TABLE L (K INT, TS TIMESTAMP_NTZ)",
            "CREATE TABLE R (K INT, TS TIMESTAMP_NTZ, V INT)",
            "INSERT INTO L VALUES (1, '2024-01-02'), (1, '2023-12-31')",
            "INSERT INTO R VALUES (1, '2024-01-01', 10), (1, '2024-01-02', 20), (1, '2024-01-03', 30)",
        ],
        "SELECT L.TS, R.V FROM L ASOF JOIN R MATCH_CONDITION (L.TS >= R.TS) ON L.K = R.K ORDER BY 1",
        [(datetime.datetime(2023, 12, 31), None), (datetime.datetime(2024, 1, 2), 20)],
    ),
    (
        [
            "CREATE TABLE T (A INT, N NUMBER(10,2) DEFAULT CAST(7 AS INT), C VARCHAR NOT NULL COMMENT 'c')",
            "INSERT INTO T (A, C) VALUES (1, '')",
        ],
        "SELECT * FROM T",
        [(1, Decimal("7.00"), "")],
    ),
    (
        ["CREATE TABLE T (A INT AUTOINCREMENT, B INT)", "INSERT INTO T (B) VALUES (5), (6)"],
        "SELECT A, B FROM T ORDER BY A",
        [(1, 5), (2, 6)],
    ),
    (
        [
            "CREATE TABLE T AS SELECT 1 AS A",
            "CREATE VIEW V AS SELECT A + 1 AS B FROM T",
            "INSERT INTO T VALUES (5)",
        ],
        "SELECT B FROM V ORDER BY B",
        [(2,), (6,)],
    ),
    (
        [
            "CREATE TABLE T (A INT, B INT)",
            "INSERT INTO T VALUES (1, 1), (2, 2)",
            "MERGE INTO T USING (SELECT 2 AS A, 9 AS B UNION ALL SELECT 3, 3) S ON T.A = S.A "
            "WHEN MATCHED THEN UPDATE SET B = S.B WHEN NOT MATCHED THEN INSERT (A, B) VALUES (S.A, S.B)",
        ],
        "SELECT A, B FROM T ORDER BY A",
        [(1, 1), (2, 9), (3, 3)],
    ),
    (
        [
            "CREATE TABLE T (A INT)",
            "INSERT INTO T VALUES (1)",
            "BEGIN",
            "INSERT INTO T VALUES (2)",
            "ROLLBACK",
        ],
        "SELECT A FROM T",
        [(1,)],
    ),
    (
        ["CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "INSERT OVERWRITE INTO T SELECT 8"],
        "SELECT A FROM T",
        [(8,)],
    ),
    (["SET X = 5"], "SELECT $X + 1", [(6,)]),
    (["CREATE TEMP TABLE P (A INT)", "INSERT INTO P VALUES (4)"], "SELECT P.A FROM P", [(4,)]),
    (
        ["CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "CREATE TEMP TABLE T (A INT)"],
        "SELECT COUNT(*) FROM T",
        [(0,)],
    ),
    (
        ['CREATE TABLE "lower" ("x y" INT)', 'INSERT INTO "lower" VALUES (1)'],
        'SELECT "x y" FROM "lower"',
        [(1,)],
    ),
    (
        ["CREATE TABLE A1 (X INT)", "CREATE TABLE B1 (X INT)"],
        "SHOW TABLES LIKE '%1' ->> SELECT \"name\" FROM $1 ORDER BY 1",
        [("A1",), ("B1",)],
    ),
    (
        ["CREATE TABLE T (A INT)", "ALTER TABLE T CLUSTER BY (A)"],
        "SHOW TABLES LIKE 'T' ->> SELECT \"cluster_by\" FROM $1",
        [("LINEAR(A)",)],
    ),
    (
        ["CREATE TABLE T (A INT, B VARIANT)"],
        "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS "
        "WHERE TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION",
        [("A", "NUMBER"), ("B", "VARIANT")],
    ),
    (
        ["CREATE TAG G ALLOWED_VALUES 'a', 'b'", "CREATE TABLE T (A INT)", "ALTER TABLE T SET TAG G = 'a'"],
        "SELECT SYSTEM$GET_TAG('G', 'T', 'TABLE')",
        [("a",)],
    ),
]


@pytest.mark.parametrize(("before", "query", "rows"), QUERIES, ids=[q[1][:50] for q in QUERIES])
def test_rows(run: Any, before: list[str], query: str, rows: list[tuple[Any, ...]]) -> None:
    for statement in before:
        run(statement)
    assert run(query) == rows


ERRORS = [
    ("SELECT * FROM NOPE", 2003, "42S02"),
    ("SELECT NOPE FROM T", 904, "42000"),
    ("SELECT NOPE", 904, "42000"),
    ("SELEC 1", 1003, "42000"),
    ("SELECT 1 FROM (", 1003, "42000"),
    ("CREATE TABLE T (A INT)", 2002, "42710"),
    ("DROP TABLE NOPE", 2003, "42S02"),
    ("USE SCHEMA NOPE", 2003, "42S02"),
    ("USE WAREHOUSE NOPE", 2043, "02000"),
    ("CREATE PIPE P AS COPY INTO T FROM @S", 2, "0A000"),
    ("SHOW PIPES", 2, "0A000"),
    ("SELECT SYSTEM$CANCEL_QUERY('x')", 2, "0A000"),
    ("ALTER WAREHOUSE WH ABORT ALL QUERIES", 2, "0A000"),
    ("CREATE WAREHOUSE W9 TAG (NOPE = 'x')", 2, "0A000"),
    ("SELECT 'x'::INT", 100038, "22018"),
    ("INSERT INTO T VALUES (NULL)", 100072, "22000"),
    ("LIST @NOPE", 2003, "42S02"),
    ("ALTER TABLE T SET TAG NOPE = 'x'", 2003, "42S02"),
    ("CALL NOPE()", 2141, "42601"),
    ("SELECT * FROM TABLE(RESULT_SCAN('nope'))", 709, "02000"),
    ("EXECUTE IMMEDIATE $$BEGIN RETURN 1; END$$", 2, "0A000"),
]


@pytest.mark.parametrize(("sql", "code", "sqlstate"), ERRORS, ids=[e[0][:40] for e in ERRORS])
def test_errors_have_snowflakes_shape(run: Any, sql: str, code: int, sqlstate: str) -> None:
    run("CREATE TABLE T (A INT NOT NULL)")
    with pytest.raises(DatabaseError) as caught:
        run(sql)
    assert (caught.value.errno, caught.value.sqlstate) == (code, sqlstate)
    assert run("SELECT COUNT(*) FROM T") == [(0,)]


def test_names_of_unnamed_columns(connection: snowflake.connector.SnowflakeConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), 1 + 1, 'x', current_role() FROM VALUES (1)")
        assert [c.name for c in cursor.description] == ["COUNT(*)", "1 + 1", "'X'", "CURRENT_ROLE()"]


def test_counts_of_dml(connection: snowflake.connector.SnowflakeConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE T (A INT, B INT)")
        counts = []
        for sql in (
            "INSERT INTO T VALUES (1, 1), (2, 2), (3, 3)",
            "UPDATE T SET B = 0 WHERE A > 1",
            "DELETE FROM T WHERE A = 1",
        ):
            cursor.execute(sql)
            counts.append(cursor.rowcount)
    assert counts == [3, 2, 1]


def test_describe_runs_nothing(connection: snowflake.connector.SnowflakeConnection, run: Any) -> None:
    run("CREATE TABLE T (A INT, D DATE)")
    with connection.cursor() as cursor:
        described = cursor.describe("INSERT INTO T SELECT 1, 'a'::DATE")
        assert [c.name for c in described] == ["number of rows inserted"]
        # A dummy literal that would fail if the query ran
        assert [c.name for c in cursor.describe("SELECT 'a'::DATE AS D FROM T")] == ["D"]
        cursor.describe("DROP TABLE T")
    assert run("SELECT COUNT(*) FROM T") == [(0,)]


def test_bound_values(account_server: Any, database: str) -> None:
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)
    values = (1, 2.5, "it's \\ ?", None, True, datetime.date(2024, 1, 1), moment, b"\x00\xff")
    with account_server.connect(
        paramstyle="qmark", database=database, schema="S", warehouse="WH"
    ) as connection:
        row = connection.cursor().execute("SELECT ?, ?, ?, ?, ?, ?, ?, ?", values).fetchall()[0]
    assert row == values


def test_arrays_of_values_are_one_insert(account_server: Any, database: str) -> None:
    rows = [(i, f"n{i}", datetime.date(2024, 1, 1) if i % 2 else None) for i in range(5000)]
    with account_server.connect(
        paramstyle="qmark", database=database, schema="S", warehouse="WH"
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE T (A INT, B STRING, D DATE)")
        cursor.executemany("INSERT INTO T (A, B, D) VALUES (?, ?, ?)", rows)
        assert cursor.rowcount == 5000
        assert cursor.execute("SELECT A, B, D FROM T ORDER BY A").fetchall() == rows


def test_conflicting_writers_wait_for_each_other(account_server: Any, database: str, run: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    run("CREATE TABLE C (N INT)")
    run("INSERT INTO C VALUES (0)")

    def add(_: int) -> None:
        with account_server.connect(database=database, schema="S", warehouse="WH") as connection:
            for _ in range(10):
                connection.cursor().execute("UPDATE C SET N = N + 1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert run("SELECT N FROM C") == [(40,)]


def test_a_killed_account_keeps_what_was_committed(own_server: Any) -> None:
    with own_server.connect() as connection:
        cursor = connection.cursor()
        for sql in (
            "CREATE DATABASE D",
            "CREATE SCHEMA S",
            "CREATE WAREHOUSE W WAREHOUSE_SIZE = SMALL",
            "CREATE ROLE R",
            "GRANT ROLE R TO USER SPOKEHUB",
            "GRANT USAGE ON WAREHOUSE W TO ROLE R",
            "CREATE TABLE T (A INT COMMENT 'first') COMMENT = 'numbers'",
            "INSERT INTO T VALUES (1), (2)",
            "CREATE VIEW V AS SELECT A FROM T",
            "CREATE TAG G",
            "ALTER TABLE T SET TAG G = 'v'",
            "CREATE STAGE ST",
            "BEGIN",
            "INSERT INTO T VALUES (3)",
        ):
            cursor.execute(sql)
        own_server.kill()
        connection._rest = None  # the server is gone: there is no session to close
    own_server.start()
    with own_server.connect(database="D", schema="S", role="R", warehouse="W") as connection:
        cursor = connection.cursor()

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return list(cursor.execute(sql).fetchall())

        assert rows("SELECT A FROM V ORDER BY A") == [(1,), (2,)]
        assert rows("SELECT SYSTEM$GET_TAG('G', 'T', 'TABLE'), CURRENT_ROLE(), CURRENT_WAREHOUSE()") == [
            ("v", "R", "W")
        ]
        assert rows('SHOW WAREHOUSES ->> SELECT "name", "size" FROM $1') == [("W", "Small")]
        assert rows('SHOW TABLES ->> SELECT "name", "comment" FROM $1') == [("T", "numbers")]
        assert rows('SHOW STAGES ->> SELECT "name" FROM $1') == [("ST",)]
        assert rows('DESC TABLE T ->> SELECT "name", "comment" FROM $1') == [("A", "first")]


def test_an_abandoned_transaction_does_not_block_others(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from embedded_account import loaded, locks, statements
    from embedded_account.account import Account
    from embedded_account.session import Session

    assert loaded
    monkeypatch.setattr(locks, "IDLE_SECONDS", 0.05)
    account = Account(tmp_path / "account")
    try:
        gone, present = Session(account), Session(account)
        for sql in (
            "CREATE WAREHOUSE WH",
            "CREATE DATABASE D",
            "CREATE TABLE T (A INT)",
            "INSERT INTO T VALUES (1)",
            "BEGIN",
        ):
            statements.execute(gone, sql)
        statements.execute(present, "USE WAREHOUSE WH")
        statements.execute(gone, "UPDATE T SET A = 2")
        present.use("D", "PUBLIC")
        statements.execute(present, "UPDATE T SET A = 3")
        assert statements.execute(present, "SELECT A FROM T").rows() == [(3,)]
    finally:
        account.close()
