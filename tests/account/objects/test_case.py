"""Names that differ only in case are names of two objects, and none is read by the other's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_account import statements
from embedded_account.account import Account
from embedded_account.names import real, stored
from embedded_account.session import Session

NAMES = ("FOO", '"foo"', '"Foo"', '"fOO"', '"foo$LATEST"', '"FOO$LATEST"')
CREATE = {
    "TABLE": "CREATE TABLE {0} AS SELECT {1} AS A",
    "TEMPORARY TABLE": "CREATE TEMPORARY TABLE {0} AS SELECT {1} AS A",
    "VIEW": "CREATE VIEW {0} AS SELECT {1} AS A",
    "DYNAMIC TABLE": "CREATE DYNAMIC TABLE {0} TARGET_LAG = '1 day' WAREHOUSE = W AS SELECT {1} AS A",
}


@given(
    one=st.text(st.sampled_from("aAbB1_é\ue000"), max_size=6),
    two=st.text(st.sampled_from("aAbB1_é\ue000"), max_size=6),
)
def test_no_two_names_are_held_as_one(one: str, two: str) -> None:
    assert real(stored(one)) == one
    assert (stored(one).upper() == stored(two).upper()) == (one == two)


@pytest.mark.parametrize("kind", CREATE)
def test_each_name_is_one_object(run: Any, refused: Any, kind: str) -> None:
    for number, name in enumerate(NAMES):
        assert refused(f"SELECT * FROM {name}")[0] == 2003
        run(CREATE[kind].format(name, number))
    for number, name in enumerate(NAMES):
        plain = name.strip('"')
        assert run(f"SELECT {name}.A FROM {name}") == [(number,)]
        assert run(f"SELECT X.A FROM {name} AS X JOIN {name} AS Y ON X.A = Y.A") == [(number,)]
        assert [row[0] for row in run(f"DESC TABLE {name}")] == ["A"]
        if "TEMPORARY" not in kind:
            where = f"WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_NAME = '{plain}'"
            for listed in ("TABLES", "COLUMNS"):
                assert run(f"SELECT COUNT(*) FROM INFORMATION_SCHEMA.{listed} {where}") == [(1,)]
    word = kind.removeprefix("TEMPORARY ")
    assert [row[1] for row in run(f"SHOW {word}S")] == sorted(name.strip('"') for name in NAMES)
    run(f"DROP {word} FOO")
    assert refused("SELECT * FROM FOO")[0] == 2003
    assert run('SELECT A FROM "foo"') == [(1,)]


def test_dml_and_ddl(run: Any, refused: Any) -> None:
    run('CREATE TABLE "t" ("a" INT AUTOINCREMENT, B INT)')
    run("CREATE TABLE T (A INT)")
    run('INSERT INTO "t" (B) VALUES (1), (2)')
    run('UPDATE "t" SET B = "t".B + 10 WHERE "t"."a" = 1')
    run('DELETE FROM "t" WHERE "t".B = 2')
    run('MERGE INTO "t" USING (SELECT 5 AS B) S ON "t".B = S.B WHEN NOT MATCHED THEN INSERT (B) VALUES (S.B)')
    run('CREATE VIEW "v" AS SELECT * FROM "t"')
    run('CREATE OR REPLACE VIEW "v" AS SELECT B FROM "v" WHERE B > 5')
    assert run('SELECT B FROM "v"') == [(11,)]
    assert run("SELECT COUNT(*) FROM T") == [(0,)]
    run('ALTER TABLE "t" RENAME TO "T2x"')
    run('ALTER TABLE "T2x" SWAP WITH T')
    run("INSERT INTO T (B) VALUES (7)")
    assert sorted(run('SELECT "a", B FROM T')) == [(1, 11), (3, 5), (4, 7)]
    run('CREATE OR REPLACE TABLE "T2x" CLONE T')
    run('TRUNCATE TABLE "T2x"')
    assert run('SELECT COUNT(*) FROM "T2x"') == [(0,)]
    code, _, message = refused('SELECT * FROM "t"')
    assert code == 2003
    assert "\ue000" not in message


def test_schemas(run: Any, refused: Any, account: Account) -> None:
    session = Session(account)
    session.use("D", "PUBLIC")
    session.warehouse = "W"
    for number, name in enumerate(('"case"', '"Case"', "CASE_")):
        statements.execute(session, f"CREATE SCHEMA {name}")
        statements.execute(session, f"CREATE TABLE T AS SELECT {number} AS A")
    for number, name in enumerate(('"case"', '"Case"', "CASE_")):
        assert run(f"SELECT A FROM {name}.T") == [(number,)]
    shown_names = [row[1] for row in run("SHOW SCHEMAS LIKE 'case%' IN DATABASE D")]
    assert shown_names == ["CASE_", "Case", "case"]
    listed = "SELECT SCHEMA_NAME, CREATED IS NOT NULL FROM D.INFORMATION_SCHEMA.SCHEMATA"
    assert run(f"{listed} WHERE SCHEMA_NAME ILIKE 'case%' ORDER BY 1") == [
        ("CASE_", True),
        ("Case", True),
        ("case", True),
    ]
    assert refused('SELECT * FROM "CASE".T')[0] == 2003
    statements.execute(session, 'DROP SCHEMA "Case"')
    assert run('SELECT A FROM "case".T') == [(0,)]
    session.close()


def test_after_opening_again(tmp_path: Any) -> None:
    account = Account(tmp_path / "account")
    session = Session(account)
    for sql in (
        "CREATE DATABASE D",
        "CREATE WAREHOUSE W",
        'CREATE SCHEMA "s"',
        'CREATE TABLE "t" AS SELECT 1 AS A',
    ):
        statements.execute(session, sql)
    account.close()
    account = Account(tmp_path / "account")
    try:
        session = Session(account)
        session.warehouse = "W"
        assert account.schemas("D") == ["PUBLIC", "s"]
        assert statements.execute(session, 'SELECT A FROM D."s"."t"').rows() == [(1,)]
    finally:
        account.close()


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE N (A INT, "a" INT)',
        'ALTER TABLE T ADD COLUMN "a" INT',
        'ALTER TABLE T RENAME COLUMN B TO "a"',
        'CREATE DATABASE "d"',
    ],
)
def test_columns_and_databases_are_refused_by_name(run: Any, refused: Any, statement: str) -> None:
    run("CREATE TABLE T (A INT, B INT)")
    assert refused(statement)[:2] == (2, "0A000")
    assert "names differ only in case" in refused(statement)[2]
    run('ALTER TABLE T RENAME COLUMN A TO "a"')
    assert [row[0] for row in run("DESC TABLE T")] == ["a", "B"]
