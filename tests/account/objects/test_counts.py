"""How many rows a table has, and when it was changed: right after every statement."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded_account import statements
from embedded_account.errors import SnowflakeError
from embedded_account.session import Session

OF_T = "FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_NAME = 'T'"
ROW_COUNT = f"SELECT ROW_COUNT {OF_T}"
SHOWN = "SHOW TABLES LIKE 'T' ->> SELECT \"rows\" FROM $1"

# Each statement, and the number of rows as it changes a number before.
CHANGES: dict[str, Any] = {
    "INSERT INTO T VALUES (1), (2), (3)": lambda n: n + 3,
    "DELETE FROM T": lambda n: 0,
    "TRUNCATE TABLE T": lambda n: 0,
    "INSERT OVERWRITE INTO T SELECT 1": lambda n: 1,
    "INSERT INTO T SELECT A FROM T": lambda n: 2 * n,
    "UPDATE T SET A = A + 1": lambda n: n,
    "CREATE OR REPLACE TABLE T (A INT)": lambda n: 0,
    "ALTER TABLE T RENAME TO U": lambda n: n,
}


@given(
    steps=st.lists(
        st.one_of(st.sampled_from(list(CHANGES)), st.sampled_from(["BEGIN", "ROLLBACK"])),
        max_size=12,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_of_the_rows_there_are(session: Session, steps: list[str]) -> None:

    def run(sql: str) -> list[tuple[Any, ...]]:
        return statements.execute(session, sql).rows()

    run("CREATE OR REPLACE TABLE T (A INT)")
    count, before = 0, None
    for step in steps:
        if step == "BEGIN":
            before = count if before is None else before
        elif step == "ROLLBACK":
            count, before = (count if before is None else before), None
        else:
            count = CHANGES[step](count)
            if step.startswith(("CREATE", "ALTER")):
                before = None
        run(step)
        if step.startswith("ALTER"):
            run("ALTER TABLE U RENAME TO T")
        if count > 1000:
            break
        assert run(ROW_COUNT) == run(SHOWN) == [(count,)]
        assert run("SELECT COUNT(*) FROM T") == [(count,)]
    run("ROLLBACK")


TIMES = f"SELECT CREATED, LAST_ALTERED, LAST_DDL {OF_T}"
DML = [
    "INSERT INTO T VALUES (2)",
    "INSERT OVERWRITE INTO T VALUES (2)",
    "UPDATE T SET A = 2",
    "DELETE FROM T",
    "TRUNCATE TABLE T",
    "MERGE INTO T USING (SELECT 5 AS A) S ON T.A = S.A WHEN NOT MATCHED THEN INSERT (A) VALUES (S.A)",
]
DDL = [
    "ALTER TABLE T ADD COLUMN B INT",
    "ALTER TABLE T SET COMMENT = 'c'",
    "ALTER TABLE T ALTER COLUMN A COMMENT 'c'",
    "ALTER TABLE T CLUSTER BY (A)",
]


@pytest.mark.parametrize("statement", DML + DDL)
def test_a_change_moves_last_altered(run: Any, statement: str) -> None:
    run("CREATE TABLE T (A INT)")
    run("INSERT INTO T VALUES (1)")
    [(created, altered, ddl)] = run(TIMES)
    assert created <= ddl <= altered
    run(statement)
    [(created_after, altered_after, ddl_after)] = run(TIMES)
    assert created_after == created
    assert altered_after > altered
    assert (ddl_after > ddl) == (statement in DDL)
    run("SELECT * FROM T")
    assert run(TIMES) == [(created_after, altered_after, ddl_after)]


@pytest.mark.parametrize("statement", ["DELETE FROM T WHERE A = 9", "UPDATE T SET A = 1 WHERE A = 9"])
def test_what_changes_nothing_moves_nothing(run: Any, statement: str) -> None:
    run("CREATE TABLE T (A INT)")
    before = run(TIMES)
    run(statement)
    assert run(TIMES) == before


def test_what_is_undone_moves_nothing(run: Any, session: Session) -> None:
    run("CREATE TABLE T (A INT NOT NULL)")
    before = run(TIMES)
    run("BEGIN")
    run("INSERT INTO T VALUES (1)")
    assert run(TIMES)[0][1] > before[0][1]
    run("ROLLBACK")
    assert run(TIMES) == before
    with contextlib.suppress(SnowflakeError):
        run("INSERT INTO T VALUES (NULL)")
    assert run(TIMES) == before


def test_times_go_with_the_table(run: Any) -> None:
    run("CREATE TABLE U (A INT)")
    run("INSERT INTO U VALUES (1)")
    run("CREATE TABLE T (A INT)")
    own = run(TIMES)
    run("ALTER TABLE T SWAP WITH U")
    run("ALTER TABLE T SWAP WITH U")
    assert run(TIMES)[0][0] == own[0][0]
    run("DROP TABLE T")
    run("CREATE TABLE T (A INT)")
    [(created, altered, _)] = run(TIMES)
    assert created > own[0][0]
    assert altered <= run("SELECT CURRENT_TIMESTAMP()")[0][0]
