"""Tables, views and dynamic tables share one name space: no statement about one takes another's place or rows."""

from __future__ import annotations

from typing import Any

import pytest

CREATE = {
    "TABLE": "CREATE TABLE {name} (A INT)",
    "VIEW": "CREATE VIEW {name} AS SELECT 7 AS A",
    "DYNAMIC TABLE": "CREATE DYNAMIC TABLE {name} TARGET_LAG = '1 day' WAREHOUSE = W AS SELECT 8 AS A",
}
ROWS = {"TABLE": [(1,), (2,)], "VIEW": [(7,)], "DYNAMIC TABLE": [(8,)]}
PAIRS = [(held, made) for held in CREATE for made in CREATE if held != made]


def fill(run: Any, kind: str, name: str = "X") -> None:
    run(CREATE[kind].format(name=name))
    if kind == "TABLE":
        run(f"INSERT INTO {name} VALUES (1), (2)")


def rows(run: Any, name: str = "X") -> list[tuple[Any, ...]]:
    return sorted(run(f"SELECT A FROM {name}"))


def created(made: str) -> list[str]:
    """Each form of CREATE of one kind."""
    plain = CREATE[made].format(name="X")
    forms = [
        plain,
        plain.replace("CREATE", "CREATE OR REPLACE"),
        plain.replace(" X ", " IF NOT EXISTS X "),
    ]
    if made == "TABLE":
        forms += [f"CREATE OR REPLACE TABLE X {tail}" for tail in ("AS SELECT 3 AS A", "LIKE O", "CLONE O")]
    return forms


@pytest.mark.parametrize(("held", "made"), PAIRS)
def test_another_kind_keeps_its_name(run: Any, refused: Any, held: str, made: str) -> None:
    fill(run, "TABLE", "O")
    fill(run, held)
    word = held.replace(" ", "_")
    for statement in created(made):
        assert refused(statement) == (
            2203, "42710", f"SQL compilation error:\nObject 'X' already exists as {word}"
        ), statement  # fmt: skip
        assert rows(run) == ROWS[held], statement


@pytest.mark.parametrize(("held", "made"), PAIRS)
def test_drop_and_alter_name_the_kind_they_find(run: Any, refused: Any, held: str, made: str) -> None:
    fill(run, held)
    found, wanted = held.replace(" ", "_"), made.replace(" ", "_")
    answer = (
        2203,
        "42601",
        f"SQL compilation error: Object found is of type '{found}', not specified type '{wanted}'.",
    )
    for statement in (
        f"DROP {made} X",
        f"DROP {made} IF EXISTS X",
        f"ALTER {made} X RENAME TO Y",
        f"ALTER {made} IF EXISTS X SET COMMENT = 'c'",
    ):
        assert refused(statement) == answer, statement
        assert rows(run) == ROWS[held], statement


@pytest.mark.parametrize(("held", "made"), [(a, b) for a in CREATE for b in CREATE])
def test_no_name_is_taken_by_renaming(run: Any, refused: Any, session: Any, held: str, made: str) -> None:
    fill(run, held)
    fill(run, made, "Y")
    name = f"{session.database}.{session.schema}.X"
    assert refused(f"ALTER {made} Y RENAME TO X") == (
        2002, "42710", f"SQL compilation error:\nObject '{name}' already exists."
    )  # fmt: skip
    assert (rows(run), rows(run, "Y")) == (ROWS[held], ROWS[made])


@pytest.mark.parametrize("held", ["VIEW", "DYNAMIC TABLE"])
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE O SWAP WITH X",
        "ALTER TABLE X SWAP WITH O",
        "TRUNCATE TABLE X",
        "TRUNCATE TABLE IF EXISTS X",
    ],
)
def test_rows_of_other_kinds_are_not_touched(run: Any, refused: Any, held: str, statement: str) -> None:
    fill(run, "TABLE", "O")
    fill(run, held)
    assert refused(statement)[0] == 2203
    assert (rows(run), rows(run, "O")) == (ROWS[held], ROWS["TABLE"])


@pytest.mark.parametrize("kind", CREATE)
def test_the_same_kind(run: Any, refused: Any, session: Any, kind: str) -> None:
    fill(run, kind)
    plain = CREATE[kind].format(name="X")
    name = f"{session.database}.{session.schema}.X"
    assert refused(plain) == (2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")
    assert run(plain.replace(" X ", " IF NOT EXISTS X ")) == [("X already exists, statement succeeded.",)]
    assert rows(run) == ROWS[kind]
    run(plain.replace("CREATE", "CREATE OR REPLACE"))
    assert rows(run) == ([] if kind == "TABLE" else ROWS[kind])
    run(f"DROP {kind} X")
    assert refused("SELECT * FROM X")[0] == 2003


@pytest.mark.parametrize("kind", CREATE)
def test_a_temporary_table_hides_any_kind(run: Any, kind: str) -> None:
    fill(run, kind)
    run("CREATE TEMPORARY TABLE X (A INT)")
    run("INSERT INTO X VALUES (5)")
    assert rows(run) == [(5,)]
    run("DROP TABLE X")
    assert rows(run) == ROWS[kind]


# What fails while it is read, and what fails only while it is computed, which a view is not when it is made.
WRONG = [(kind, "SELECT NOPE AS A FROM X") for kind in CREATE] + [
    (kind, "SELECT 'x'::INT AS A FROM X") for kind in CREATE if kind != "VIEW"
]


@pytest.mark.parametrize(("kind", "query"), WRONG)
def test_what_cannot_be_replaced_stays(run: Any, refused: Any, kind: str, query: str) -> None:
    fill(run, kind)
    head = CREATE[kind].format(name="X").split("(A INT)")[0].split("AS SELECT")[0]
    refused(f"{head.replace('CREATE', 'CREATE OR REPLACE')} AS {query}")
    assert rows(run) == ROWS[kind]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE TABLE X TAG (NOPE = 'v') AS SELECT 3 AS A",
        "CREATE OR REPLACE TABLE X (A INT) ROW ACCESS POLICY P ON (A)",
        "CREATE OR REPLACE TABLE X CLONE NOPE",
        "CREATE OR REPLACE TABLE X LIKE NOPE",
        "CREATE OR REPLACE TABLE X CLONE X AT (OFFSET => -60)",
        "CREATE OR REPLACE TABLE X (A INT, A INT)",
        "CREATE OR REPLACE TABLE X (A INT) ENABLE_SCHEMA_EVOLUTION = TRUE",
        "CREATE OR REPLACE VIEW X TAG (NOPE = 'v') AS SELECT 1 AS A",
        "UNDROP TABLE X",
    ],
)
def test_a_refused_definition_leaves_the_table(run: Any, refused: Any, statement: str) -> None:
    fill(run, "TABLE")
    refused(statement)
    assert rows(run) == ROWS["TABLE"]


def test_a_table_may_be_made_from_itself(run: Any) -> None:
    fill(run, "TABLE")
    run("CREATE OR REPLACE TABLE X AS SELECT A + 1 AS A, A AS B FROM X")
    assert sorted(run("SELECT * FROM X")) == [(2, 1), (3, 2)]
    run("CREATE OR REPLACE TABLE X (B NUMBER(10,2) NOT NULL, C INT AUTOINCREMENT) AS SELECT B, A FROM X")
    assert [row[:4] for row in run("DESC TABLE X")] == [
        ("B", "NUMBER(10,2)", "COLUMN", "N"),
        ("C", "NUMBER(38,0)", "COLUMN", "Y"),
    ]
    run("CREATE OR REPLACE TABLE X CLONE X")
    assert sorted(run("SELECT C FROM X")) == [(2,), (3,)]
    run("CREATE OR REPLACE TABLE X LIKE X")
    assert run("SELECT * FROM X") == []


def test_a_view_may_be_made_from_itself(run: Any) -> None:
    fill(run, "TABLE", "O")
    run("CREATE VIEW X (A) AS SELECT A + 1 FROM O")
    run("CREATE OR REPLACE VIEW X AS SELECT A * 10 AS A FROM X WHERE A > 2")
    assert rows(run) == [(30,)]
    run("INSERT INTO O VALUES (5)")
    assert rows(run) == [(30,), (60,)]


def test_a_copy_takes_everything_with_it(run: Any) -> None:
    run(
        "CREATE TABLE O (A INT AUTOINCREMENT START 10 INCREMENT 5, B INT DEFAULT 7 COMMENT 'b', C VARCHAR NOT NULL, "
        "PRIMARY KEY (A), UNIQUE (B, C)) CLUSTER BY (C)"
    )
    run("INSERT INTO O (C) VALUES ('x'), ('y')")
    described = run("DESC TABLE O")
    run("CREATE TABLE L LIKE O")
    run("CREATE TABLE X CLONE O")
    assert run("DESC TABLE L") == run("DESC TABLE X") == described
    assert run("SELECT * FROM L") == []
    run("INSERT INTO X (C) VALUES ('z')")
    run("INSERT INTO L (C) VALUES ('z')")
    run("INSERT INTO O (C) VALUES ('z')")
    everything = [(10, 7, "x"), (15, 7, "y"), (20, 7, "z")]
    assert sorted(run("SELECT * FROM X")) == sorted(run("SELECT * FROM O")) == everything
    assert run("SELECT * FROM L") == [(10, 7, "z")]
    run("DROP TABLE O")
    run("INSERT INTO X (C) VALUES ('w')")
    assert run("SELECT max(A) FROM X") == [(25,)]
    shown = "SHOW TABLES LIKE 'X' ->> SELECT \"cluster_by\" FROM $1"
    assert run(shown) == [("LINEAR(C)",)]


def test_a_name_in_another_schema(run: Any, refused: Any, session: Any) -> None:
    home = session.schema
    run("CREATE TABLE X (A INT AUTOINCREMENT, B INT DEFAULT 3 COMMENT 'b', UNIQUE (B))")
    run("INSERT INTO X (B) VALUES (1)")
    described = run("DESC TABLE X")
    run(f"CREATE SCHEMA {home}_OTHER")
    run(f"ALTER TABLE {home}.X RENAME TO {home}_OTHER.Y")
    assert run("DESC TABLE Y") == described
    run("INSERT INTO Y (A) VALUES (DEFAULT)")
    assert sorted(run("SELECT * FROM Y")) == [(1, 1), (2, 3)]
    assert refused(f"SELECT * FROM {home}.X")[0] == 2003
    assert refused(f"ALTER TABLE Y RENAME TO {home}_NOPE.Y")[0] == 2003
    run(f"DROP SCHEMA {home}")
    run("INSERT INTO Y (B) VALUES (9)")
    assert run("SELECT max(A) FROM Y") == [(3,)]
