"""The same through Snowflake's clients, where types and errors must survive the way."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import BinaryType, StructField, StructType

from tests.account.conftest import AccountServer


@pytest.fixture
def snowpark(account_server: AccountServer, database: str) -> Iterator[Session]:
    options = {**account_server.parameters, "database": database, "schema": "S", "warehouse": "WH"}
    session = Session.builder.configs(options).create()
    yield session
    session.close()


def test_bytes_are_what_was_given(snowpark: Session) -> None:
    given = [b"x", b"\x00\xff", b"78", b""]
    frame = snowpark.create_dataframe(
        [[value] for value in given], StructType([StructField("B", BinaryType())])
    )
    frame.write.save_as_table("BYTES")
    assert sorted(bytes(row[0]) for row in snowpark.table("BYTES").collect()) == sorted(given)


def test_range(snowpark: Session) -> None:
    assert [row[0] for row in snowpark.range(1, 10, 3).collect()] == [1, 4, 7]


def test_snowpark_functions(snowpark: Session) -> None:
    frame = snowpark.create_dataframe([["**a**", "2024-05-06", 1234.5]], ["T", "D", "N"])
    row = frame.select(
        F.trim("T", F.lit("*")),
        F.year("D"),
        F.date_trunc("month", F.to_date("D")),
        F.to_char("N", F.lit("9,999.00")),
        F.parse_json(F.lit('"x"')).cast("string"),
        F.dateadd("day", F.lit(1), F.to_date("D")),
    ).collect()[0]
    assert tuple(row) == ("a", 2024, datetime.date(2024, 5, 1), " 1,234.50", "x", datetime.date(2024, 5, 7))


def test_documents_are_printed_as_snowflake_prints_them(run: Any) -> None:
    assert run("SELECT {'b': [1, 'x'], 'a': {}}, 'x'::VARIANT, []") == [
        ('{\n  "a": {},\n  "b": [\n    1,\n    "x"\n  ]\n}', '"x"', "[]")
    ]


@pytest.mark.parametrize(
    ("expression", "code", "state", "message"),
    [
        ("1 / 0", 100051, "22012", "Division by zero"),
        ("LN(0)", 100047, "22023", "Invalid floating point operation: ln"),
        ("TO_DATE('x')", 100040, "22007", "Date 'x' is not recognized"),
    ],
)
def test_errors(run: Any, expression: str, code: int, state: str, message: str) -> None:
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
        run(f"SELECT {expression}")
    assert (caught.value.errno, caught.value.sqlstate) == (code, state)
    assert message in str(caught.value.msg)
