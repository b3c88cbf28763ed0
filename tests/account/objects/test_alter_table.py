"""ALTER TABLE and the options of CREATE TABLE: carried and shown, or refused by name; never "ok" to nothing."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded_account import statements
from embedded_account.session import Session

DONE = [("Statement executed successfully.",)]


def described(run: Any) -> dict[str, tuple[Any, ...]]:
    """Of each column: type, null?, default, primary key, unique key, comment."""
    return {row[0]: (row[1], row[3], row[4], row[5], row[6], row[9]) for row in run("DESC TABLE T")}


NUMBER, TEXT = "NUMBER(38,0)", "VARCHAR(16777216)"

# Clause on `T (A INT)` with the rows 1 and 2; the new column as described, the rows after one insert of A = 3.
ADDED: list[tuple[str, tuple[Any, ...], list[tuple[Any, ...]]]] = [
    ("COLUMN B INT", (NUMBER, "Y", None, "N", "N", None), [(1, None), (2, None), (3, None)]),
    ("B INT DEFAULT 7", (NUMBER, "Y", "7", "N", "N", None), [(1, 7), (2, 7), (3, 7)]),
    ("COLUMN B VARCHAR DEFAULT 'it''s'", (TEXT, "Y", "'it''s'", "N", "N", None), [(i, "it's") for i in (1, 2, 3)]),
    ("COLUMN B INT NOT NULL DEFAULT -1", (NUMBER, "N", "-1", "N", "N", None), [(1, -1), (2, -1), (3, -1)]),
    ("COLUMN B INT DEFAULT 5 UNIQUE COMMENT 'c'", (NUMBER, "Y", "5", "N", "Y", "c"), [(1, 5), (2, 5), (3, 5)]),
    ("COLUMN B INT DEFAULT 5 PRIMARY KEY", (NUMBER, "N", "5", "Y", "N", None), [(1, 5), (2, 5), (3, 5)]),
    ("COLUMN B INT REFERENCES O (X)", (NUMBER, "Y", None, "N", "N", None), [(1, None), (2, None), (3, None)]),
    ("COLUMN IF NOT EXISTS B DATE", ("DATE", "Y", None, "N", "N", None), [(1, None), (2, None), (3, None)]),
]  # fmt: skip


@pytest.mark.parametrize("temporary", ["", "TEMPORARY "])
@pytest.mark.parametrize(("clause", "column", "rows"), ADDED)
def test_a_column_is_added(
    run: Any, temporary: str, clause: str, column: tuple[Any, ...], rows: list[tuple[Any, ...]]
) -> None:
    run(f"CREATE {temporary}TABLE T (A INT)")
    run("INSERT INTO T VALUES (1), (2)")
    assert run(f"ALTER TABLE T ADD {clause}") == DONE
    assert described(run)["B"] == column
    run("INSERT INTO T (A) VALUES (3)")
    assert sorted(run("SELECT * FROM T")) == rows


def test_several_columns_at_once(run: Any, refused: Any) -> None:
    run("CREATE TABLE T (A INT)")
    run(
        "ALTER TABLE T ADD COLUMN B INT DEFAULT 1, C NUMBER(10,2) NOT NULL, IF NOT EXISTS A INT, D DATE COMMENT 'x, y'"
    )
    assert described(run) == {
        "A": (NUMBER, "Y", None, "N", "N", None),
        "B": (NUMBER, "Y", "1", "N", "N", None),
        "C": ("NUMBER(10,2)", "N", None, "N", "N", None),
        "D": ("DATE", "Y", None, "N", "N", "x, y"),
    }
    # All of a statement or nothing of it.
    assert refused("ALTER TABLE T ADD COLUMN E INT, B INT")[:2] == (1430, "42601")
    assert refused("ALTER TABLE T DROP COLUMN B, NOPE")[:2] == (904, "42000")
    assert refused("ALTER TABLE T ALTER COLUMN B COMMENT 'new', NOPE DROP DEFAULT")[:2] == (904, "42000")
    assert list(described(run)) == ["A", "B", "C", "D"]
    assert described(run)["B"] == (NUMBER, "Y", "1", "N", "N", None)
    run("ALTER TABLE T DROP COLUMN B, C")
    run("ALTER TABLE T DROP COLUMN IF EXISTS NOPE, D")
    assert list(described(run)) == ["A"]


@pytest.mark.parametrize("temporary", ["", "TEMPORARY "])
@pytest.mark.parametrize(
    "clause", ["AUTOINCREMENT START 10 INCREMENT 5", "IDENTITY (10, 5) NOORDER", "AUTOINCREMENT (10, 5)"]
)
def test_numbers_of_an_added_column(run: Any, temporary: str, clause: str) -> None:
    run(f"CREATE {temporary}TABLE T (A INT)")
    run(f"ALTER TABLE T ADD COLUMN B INT {clause}")
    run("INSERT INTO T (A) VALUES (1), (2)")
    assert described(run)["B"] == (NUMBER, "Y", "IDENTITY START 10 INCREMENT 5 NOORDER", "N", "N", None)
    assert sorted(run("SELECT * FROM T")) == [(1, 10), (2, 15)]
    identity = [(row[2], row[5], row[10]) for row in run("SHOW COLUMNS IN TABLE T")] if not temporary else []
    assert identity == (
        [] if temporary else [("A", None, None), ("B", None, "IDENTITY START 10 INCREMENT 5 NOORDER")]
    )


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("B INT NOT NULL", "to non-empty table 'T' unless it has a non-null default value."),
        ("B INT AUTOINCREMENT", "Cannot add column 'B' with non-constant default to non-empty table 'T'."),
        ("B DATE DEFAULT CURRENT_DATE()", "column 'B' with non-constant default to non-empty table 'T'."),
        ("A VARCHAR", "column 'A' already exists"),
    ],
)  # fmt: skip
def test_what_existing_rows_cannot_have(run: Any, refused: Any, clause: str, message: str) -> None:
    run("CREATE TABLE T (A INT)")
    run("INSERT INTO T VALUES (1)")
    assert refused(f"ALTER TABLE T ADD COLUMN {clause}")[2].endswith(message)
    assert run("SELECT * FROM T") == [(1,)]


def test_columns_change(run: Any, refused: Any) -> None:
    run("CREATE TABLE T (A INT DEFAULT 3, B VARCHAR, C NUMBER(10,2), UNIQUE (A, B))")
    run("ALTER TABLE T MODIFY COLUMN A SET NOT NULL, COLUMN B COMMENT 'b', C SET DATA TYPE NUMBER(20,2)")
    run("ALTER TABLE T ALTER \"A\" COMMENT 'it''s'")
    assert described(run) == {
        "A": (NUMBER, "N", "3", "N", "Y", "it's"),
        "B": (TEXT, "Y", None, "N", "Y", "b"),
        "C": ("NUMBER(20,2)", "Y", None, "N", "N", None),
    }
    assert refused("INSERT INTO T VALUES (NULL, 'x', 1)")[:2] == (100072, "22000")
    run("INSERT INTO T (C) VALUES (1.5)")
    run("ALTER TABLE T ALTER (A DROP NOT NULL, COLUMN A DROP DEFAULT, COLUMN B UNSET COMMENT)")
    run("ALTER TABLE T RENAME COLUMN B TO B2")
    run("INSERT INTO T (C) VALUES (2)")
    assert described(run) == {
        "A": (NUMBER, "Y", None, "N", "Y", "it's"),
        "B2": (TEXT, "Y", None, "N", "Y", None),
        "C": ("NUMBER(20,2)", "Y", None, "N", "N", None),
    }
    assert sorted(run("SELECT C, A FROM T")) == [(Decimal("1.50"), 3), (Decimal("2.00"), None)]
    before = described(run)
    assert refused("ALTER TABLE T ALTER COLUMN A SET NOT NULL")[2].endswith(
        "Column 'A' contains null values. Not null constraint cannot be added."
    )
    assert refused("ALTER TABLE T ALTER COLUMN B2 SET DATA TYPE INT")[2].endswith(
        f"cannot change column B2 from type {TEXT} to {NUMBER}"
    )
    assert refused("ALTER TABLE T ALTER COLUMN C SET DATA TYPE NUMBER(20,4)")[0] == 2108
    assert refused("ALTER TABLE T RENAME COLUMN A TO C")[:2] == (1430, "42601")
    assert described(run) == before


def test_numbers_go_on_after_other_changes(run: Any) -> None:
    run("CREATE TABLE T (A INT AUTOINCREMENT, B INT)")
    run("INSERT INTO T (B) VALUES (0)")
    run("ALTER TABLE T RENAME COLUMN A TO ID")
    run("ALTER TABLE T ADD COLUMN C INT DEFAULT 1")
    run("ALTER TABLE T RENAME TO U")
    run("ALTER TABLE U RENAME TO T")
    run("INSERT INTO T (B) VALUES (0)")
    assert sorted(run("SELECT ID FROM T")) == [(1,), (2,)]
    run("ALTER TABLE T ALTER COLUMN ID DROP DEFAULT")
    run("INSERT INTO T (B) VALUES (0)")
    assert run("SELECT COUNT(*) FROM T WHERE ID IS NULL") == [(1,)]
    assert described(run)["ID"] == (NUMBER, "Y", None, "N", "N", None)


CONSTRAINTS = (
    "SELECT CONSTRAINT_NAME, CONSTRAINT_TYPE, ENFORCED FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS "
    "WHERE TABLE_SCHEMA = CURRENT_SCHEMA() ORDER BY 1"
)


def test_constraints(run: Any, refused: Any) -> None:
    run("CREATE TABLE O (X INT PRIMARY KEY)")
    run("CREATE TABLE T (A INT, B INT, C INT, CONSTRAINT U1 UNIQUE (B) NOT ENFORCED RELY)")
    run("ALTER TABLE O DROP PRIMARY KEY")
    run("ALTER TABLE T ADD CONSTRAINT PK PRIMARY KEY (A)")
    run("ALTER TABLE T ADD CONSTRAINT FK FOREIGN KEY (B) REFERENCES O (X) ON DELETE CASCADE")
    run("ALTER TABLE T ADD UNIQUE (B, C)")
    run("ALTER TABLE T RENAME CONSTRAINT U1 TO U2")
    assert run(CONSTRAINTS)[:2] == [("FK", "FOREIGN KEY", "NO"), ("PK", "PRIMARY KEY", "NO")]
    assert len(run(CONSTRAINTS)) == 4
    assert {name: (column[1], *column[3:5]) for name, column in described(run).items()} == {
        "A": ("N", "Y", "N"),
        "B": ("Y", "N", "Y"),
        "C": ("Y", "N", "Y"),
    }
    assert refused("ALTER TABLE T ADD PRIMARY KEY (B)")[:2] == (2200, "42601")
    assert refused("ALTER TABLE T ADD UNIQUE (NOPE)")[:2] == (904, "42000")
    assert refused("ALTER TABLE T DROP CONSTRAINT NOPE")[:2] == (2003, "42S02")
    run("ALTER TABLE T DROP CONSTRAINT U2")
    run("ALTER TABLE T DROP UNIQUE (B, C)")
    run("ALTER TABLE T DROP FOREIGN KEY (B)")
    run("ALTER TABLE T DROP PRIMARY KEY")
    assert run(CONSTRAINTS) == []
    run("ALTER TABLE T ADD PRIMARY KEY (A, B)")
    run("ALTER TABLE T DROP COLUMN B")
    assert run(CONSTRAINTS) == []


SHOWN = (
    'SHOW TABLES LIKE \'T\' ->> SELECT "comment", "cluster_by", "change_tracking", "retention_time" FROM $1'
)
OPTIONS = "CHANGE_TRACKING = TRUE DATA_RETENTION_TIME_IN_DAYS = 5 COMMENT = 'c'"


@pytest.mark.parametrize("temporary", ["", "TEMPORARY "])
def test_options(run: Any, temporary: str) -> None:
    run(f"CREATE {temporary}TABLE T (A INT) CLUSTER BY (A) {OPTIONS}")
    assert run(SHOWN) == [("c", "LINEAR(A)", "ON", "5")]
    run("ALTER TABLE T UNSET CHANGE_TRACKING, COMMENT, DATA_RETENTION_TIME_IN_DAYS")
    run("ALTER TABLE T DROP CLUSTERING KEY")
    assert run(SHOWN) == [("", "", "OFF", "1")]
    run(f"ALTER TABLE T SET {OPTIONS}")
    run("ALTER TABLE T CLUSTER BY (A, UPPER(A))")
    assert run(SHOWN) == [("c", "LINEAR(A, UPPER(A))", "ON", "5")]
    run("ALTER TABLE T SET CHANGE_TRACKING = FALSE")
    assert run(SHOWN) == [("c", "LINEAR(A, UPPER(A))", "OFF", "5")]


COMMENTS = [
    ("TABLE T", "SHOW TABLES LIKE 'T' ->> SELECT \"comment\" FROM $1"),
    ("VIEW V", "SHOW VIEWS LIKE 'V' ->> SELECT \"comment\" FROM $1"),
    ("COLUMN T.A", 'SHOW COLUMNS IN TABLE T ->> SELECT "comment" FROM $1'),
    ("STAGE ST", "SHOW STAGES LIKE 'ST' ->> SELECT \"comment\" FROM $1"),
    ("IF EXISTS TABLE T", "SHOW TABLES LIKE 'T' ->> SELECT \"comment\" FROM $1"),
]


@pytest.mark.parametrize(("target", "shown"), COMMENTS)
def test_comment_on(run: Any, target: str, shown: str) -> None:
    run("CREATE TABLE T (A INT)")
    run("CREATE VIEW V AS SELECT A FROM T")
    run("CREATE STAGE ST")
    text = r"it's \ a 'c'"
    on = target if not target.startswith("IF") else target.removeprefix("IF EXISTS ")
    literal = text.replace("\\", "\\\\").replace("'", "''")
    assert run(f"COMMENT {'IF EXISTS ' if on != target else ''}ON {on} IS '{literal}'") == DONE
    assert run(shown) == [(text,)]


def test_comments_of_absent_things(run: Any, refused: Any) -> None:
    assert refused("COMMENT ON TABLE NOPE IS 'x'")[0] == 2003
    assert refused("COMMENT ON PIPE NOPE IS 'x'")[:2] == (2, "0A000")
    assert run("COMMENT IF EXISTS ON TABLE NOPE IS 'x'") == DONE
    run("CREATE VIEW V AS SELECT 1 AS A")
    run("ALTER VIEW V ALTER COLUMN A COMMENT 'a'")
    assert [row[9] for row in run("DESC VIEW V")] == ["a"]


def test_a_swap_keeps_everything_with_its_object(run: Any) -> None:
    run("CREATE TABLE T (A INT DEFAULT 1) COMMENT = 't'")
    run("CREATE TABLE U (B INT AUTOINCREMENT, UNIQUE (B)) COMMENT = 'u'")
    run("INSERT INTO T VALUES (5)")
    run("ALTER TABLE T SET TAG D.PUBLIC.G = 'of t'")
    query = (
        "SELECT TABLE_NAME, CREATED, COMMENT, ROW_COUNT FROM INFORMATION_SCHEMA.TABLES "
        "WHERE TABLE_SCHEMA = CURRENT_SCHEMA()"
    )
    before = {row[0]: row[1:] for row in run(query)}
    columns = {name: run(f"DESC TABLE {name}") for name in ("T", "U")}
    run("ALTER TABLE T SWAP WITH U")
    assert {row[0]: row[1:] for row in run(query)} == {"T": before["U"], "U": before["T"]}
    assert {name: run(f"DESC TABLE {name}") for name in ("T", "U")} == {"T": columns["U"], "U": columns["T"]}
    tags = [run(f"SELECT SYSTEM$GET_TAG('D.PUBLIC.G', '{name}', 'TABLE')") for name in ("U", "T")]
    assert tags == [[("of t",)], [(None,)]]
    assert run("SELECT * FROM U") == [(5,)]


REFUSED = [
    "ALTER TABLE T ADD SEARCH OPTIMIZATION",
    "ALTER TABLE T DROP SEARCH OPTIMIZATION ON EQUALITY(A)",
    "ALTER TABLE T ADD ROW ACCESS POLICY P ON (A)",
    "ALTER TABLE T DROP ALL ROW ACCESS POLICIES",
    "ALTER TABLE T MODIFY COLUMN A SET MASKING POLICY P",
    "ALTER TABLE T MODIFY COLUMN A UNSET MASKING POLICY",
    "ALTER TABLE T ALTER COLUMN A SET DEFAULT 5",
    "ALTER TABLE T ADD COLUMN B INT MASKING POLICY P",
    "ALTER TABLE T ADD COLUMN B INT AS (A + 1)",
    "ALTER TABLE T ADD COLUMN B VARCHAR COLLATE 'en'",
    "ALTER TABLE T SET ENABLE_SCHEMA_EVOLUTION = TRUE",
    "ALTER TABLE T SET DEFAULT_DDL_COLLATION = 'en'",
    "ALTER TABLE T SET NONSENSE = 1",
    "ALTER TABLE T UNSET NONSENSE",
    "ALTER TABLE T SUSPEND RECLUSTER",
    "CREATE TABLE N (A INT) NONSENSE = 1",
    "CREATE TABLE N (A INT) STAGE_FILE_FORMAT = (TYPE = CSV)",
    "CREATE TABLE N (A INT) WITH ROW ACCESS POLICY P ON (A)",
    "CREATE TABLE N (A INT MASKING POLICY P)",
    "CREATE TABLE N (A VARCHAR COLLATE 'en')",
    "CREATE TABLE N (A INT, B INT AS (A + 1))",
    "CREATE TABLE N (A INT, CHECK (A > 0))",
    "CREATE TABLE N USING TEMPLATE (SELECT 1)",
    "CREATE OR ALTER TABLE T (A INT, B INT)",
    "CREATE HYBRID TABLE N (A INT PRIMARY KEY)",
    "CREATE OR ALTER VIEW V AS SELECT 1 AS A",
]  # fmt: skip


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_carried_is_refused(run: Any, refused: Any, statement: str) -> None:
    run("CREATE TABLE T (A INT)")
    before = run("DESC TABLE T")
    assert refused(statement)[:2] == (2, "0A000")
    assert run("DESC TABLE T") == before
    assert [row[1] for row in run("SHOW TABLES")] == ["T"]


@pytest.mark.parametrize(
    "setting",
    ["CHANGE_TRACKING = MAYBE", "DATA_RETENTION_TIME_IN_DAYS = 91", "DATA_RETENTION_TIME_IN_DAYS = 'x'"],
)
def test_wrong_values_are_refused(run: Any, refused: Any, setting: str) -> None:
    run("CREATE TABLE T (A INT)")
    assert refused(f"ALTER TABLE T SET {setting}")[:2] == (1008, "22023")
    assert refused(f"CREATE TABLE N (A INT) {setting}")[:2] == (1008, "22023")


_COLUMNS = ("A", "B", "C", "D")
_STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(_COLUMNS), st.one_of(st.none(), st.integers(-9, 9))),
    st.tuples(st.just("drop"), st.sampled_from(_COLUMNS), st.none()),
    st.tuples(st.just("rename"), st.sampled_from(_COLUMNS), st.sampled_from(_COLUMNS)),
    st.tuples(st.just("insert"), st.just(""), st.none()),
)


@given(steps=st.lists(_STEPS, max_size=9))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_changes(session: Session, steps: list[tuple[str, str, Any]]) -> None:
    """Against a model: columns with their defaults, and rows as lists."""
    run = partial(statements.execute, session)
    run("CREATE OR REPLACE TABLE T (K INT DEFAULT 0)")
    columns: list[tuple[str, Any]] = [("K", 0)]
    rows: list[list[Any]] = []
    for step, one, two in steps:
        names = [name for name, _ in columns]
        if step == "insert":
            run("INSERT INTO T (K) VALUES (DEFAULT)")
            rows.append([default for _, default in columns])
        elif step == "add" and one not in names:
            run(f"ALTER TABLE T ADD COLUMN {one} INT" + (f" DEFAULT {two}" if two is not None else ""))
            columns.append((one, two))
            rows = [[*row, two] for row in rows]
        elif step == "drop" and one in names:
            run(f"ALTER TABLE T DROP COLUMN {one}")
            at = names.index(one)
            columns.pop(at)
            rows = [row[:at] + row[at + 1 :] for row in rows]
        elif step == "rename" and one in names and two not in names:
            run(f"ALTER TABLE T RENAME COLUMN {one} TO {two}")
            columns[names.index(one)] = (two, columns[names.index(one)][1])
    described = [(row[0], row[4]) for row in run("DESC TABLE T").rows()]
    assert described == [(name, None if default is None else str(default)) for name, default in columns]
    assert Counter(run("SELECT * FROM T").rows()) == Counter(map(tuple, rows))
