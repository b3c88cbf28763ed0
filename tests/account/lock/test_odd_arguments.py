"""Arguments, modifiers and references that nothing answers are refused in Snowflake's shape."""

from __future__ import annotations

import pytest

from .conftest import Guarded


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT 1 ->> SELECT * FROM $2", 709),
        ("SELECT 1 ->> SELECT * FROM $0", 709),
        ("SELECT 1 ->> SELECT * FROM $99999999999", 709),
        ("SELECT $5 FROM VALUES (1)", 904),
        ("SELECT $0 FROM VALUES (1)", 904),
        ("SELECT NOPE.X.A FROM T", 904),
        ('SELECT "a;b" FROM T', 904),
        ("SELECT B LIKE ANY () FROM T", 1003),
        ("SELECT {{x}}", 1003),
        ("SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 'x'))", 1008),
        ("CREATE TEMPORARY ROLE R", 2),
        ("CREATE VOLATILE USER X", 2),
        ("CREATE TEMP DATABASE X", 2),
        ("CREATE TEMP WAREHOUSE X", 2),
        ("CREATE OR ALTER WAREHOUSE X", 2),
    ],
)
def test_refused_by_name(guarded: Guarded, text: str, code: int) -> None:
    guarded.session.warehouse = "W"
    assert guarded.refusal(text).code == code


def test_a_chain_leaves_literals_alone(guarded: Guarded) -> None:
    guarded.session.warehouse = "W"
    assert guarded.run("SELECT 1 A ->> SELECT A, 'FROM $1' FROM $1") == [(1, "FROM $1")]


@pytest.mark.parametrize("arguments", ["", "'x'", "NULL"])
@pytest.mark.parametrize(
    "name", ["ENTITY_DETAIL", "GET_PRESIGNED_URL", "LAST_QUERY_ID", "SYSTEM$GET_TAG", "SYSTEM$WAIT"]
)
def test_functions_of_constants(guarded: Guarded, name: str, arguments: str) -> None:
    if (name, arguments) != ("LAST_QUERY_ID", ""):
        guarded.refusal(f"SELECT {name}({arguments})")
