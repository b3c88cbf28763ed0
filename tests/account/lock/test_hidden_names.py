"""The account's own schemas, and DuckDB's, exist for no statement of any kind, however their names are written."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guarded

_OWN = (
    "D.__catalog.objects",
    'D."__catalog".objects',
    '"D"."__Catalog"."objects"',
    "__account.__catalog.objects",
    '"__account"."__catalog"."objects"',
    "__account.history.queries",
    "__objects",
    '"__objects"',
)
_ENGINES = (
    "D.main.objects",
    'D."main"."objects"',
    "memory.main.objects",
    'temp."main".T',
    "system.main.duckdb_tables",
    "system.information_schema.tables",
    'D."information_schema".tables',
    '"information_schema"."tables"',
    "pg_catalog.pg_tables",
    'system."pg_catalog".pg_class',
    "sqlite_master",
    "duckdb_tables",
)
_OBJECT_STATEMENTS = (
    "SELECT * FROM {0}",
    "SELECT COUNT(*) FROM T JOIN {0} ON TRUE",
    "SELECT * FROM T WHERE A IN (SELECT 1 FROM {0})",
    "WITH Q AS (SELECT * FROM {0}) SELECT * FROM Q",
    "SELECT * FROM IDENTIFIER('{0}')",
    "SELECT * FROM TABLE('{0}')",
    "EXPLAIN SELECT * FROM {0}",
    "INSERT INTO {0} SELECT 1",
    "INSERT OVERWRITE INTO {0} SELECT 1",
    "INSERT INTO U SELECT 1 FROM {0}",
    "UPDATE {0} SET NAME = 'x'",
    "UPDATE T SET A = 1 FROM {0}",
    "DELETE FROM {0}",
    "DELETE FROM T USING {0}",
    "MERGE INTO {0} USING T ON TRUE WHEN MATCHED THEN DELETE",
    "MERGE INTO T USING {0} ON TRUE WHEN MATCHED THEN DELETE",
    "TRUNCATE TABLE {0}",
    "CREATE VIEW X AS SELECT * FROM {0}",
    "CREATE TABLE X AS SELECT * FROM {0}",
    "CREATE TABLE X LIKE {0}",
    "CREATE TABLE X CLONE {0}",
    "CREATE TABLE X (A INT DEFAULT (SELECT COUNT(*) FROM {0}))",
    "CREATE DYNAMIC TABLE X TARGET_LAG = '1 day' WAREHOUSE = W AS SELECT * FROM {0}",
    "DROP TABLE {0}",
    "DROP VIEW {0}",
    "ALTER TABLE {0} RENAME TO X",
    "ALTER TABLE {0} ADD COLUMN Z INT",
    "ALTER TABLE {0} DROP COLUMN NAME",
    "ALTER TABLE {0} SET COMMENT = 'x'",
    "ALTER TABLE {0} SWAP WITH T",
    "ALTER TABLE T SWAP WITH {0}",
    "ALTER VIEW {0} SET COMMENT = 'x'",
    "DESCRIBE TABLE {0}",
    "DESC VIEW {0}",
    "COMMENT ON TABLE {0} IS 'x'",
)
# What would make something there, or bring something there.
_CREATING = (
    "COPY INTO {0} FROM @ST",
    "CREATE TABLE {0} (A INT)",
    "CREATE TEMPORARY TABLE {0} (A INT)",
    "CREATE OR REPLACE VIEW {0} AS SELECT 1 AS A",
    "CREATE STAGE {0}",
    "CREATE TAG {0}",
    "CREATE FILE FORMAT {0} TYPE = CSV",
    "CREATE TASK {0} AS SELECT 1",
    "ALTER TABLE T RENAME TO {0}",
    "GRANT SELECT ON TABLE {0} TO ROLE SYSADMIN",
)


@pytest.mark.parametrize("name", _OWN + _ENGINES)
def test_no_statement_reaches_an_object(guarded: Guarded, name: str) -> None:
    for text in _OBJECT_STATEMENTS:
        guarded.refusal(text.format(name))


@pytest.mark.parametrize("name", _OWN)
def test_nothing_is_made_there(guarded: Guarded, name: str) -> None:
    for text in _CREATING:
        guarded.refusal(text.format(name))


@pytest.mark.parametrize(
    "name",
    [
        "D.__catalog",
        'D."__catalog"',
        "D.main",
        'D."Main"',
        "__catalog",
        "pg_catalog",
        'D."information_schema"',
        "temp.main",
    ],
)
def test_no_statement_reaches_a_schema(guarded: Guarded, name: str) -> None:
    for text in (
        "USE SCHEMA {0}",
        "DROP SCHEMA {0}",
        "DROP SCHEMA {0} CASCADE",
        "ALTER SCHEMA {0} SET COMMENT = 'x'",
        "CREATE SCHEMA {0}",
        "CREATE OR REPLACE SCHEMA {0}",
        "CREATE SCHEMA IF NOT EXISTS {0}",
        "CREATE SCHEMA {0} CLONE PUBLIC",
        "SHOW TABLES IN SCHEMA {0}",
        "SHOW VIEWS IN SCHEMA {0}",
        "SHOW STAGES IN SCHEMA {0}",
    ):
        guarded.refusal(text.format(name))


@pytest.mark.parametrize(
    "name", ["__account", '"__account"', "memory", '"Memory"', "system", "temp", "main", "__x"]
)
def test_no_statement_reaches_a_database(guarded: Guarded, name: str) -> None:
    for text in (
        "USE DATABASE {0}",
        "USE {0}",
        "DROP DATABASE {0}",
        "ALTER DATABASE {0} SET COMMENT = 'x'",
        "CREATE DATABASE {0}",
        "CREATE OR REPLACE DATABASE {0}",
        "SHOW SCHEMAS IN DATABASE {0}",
        "SHOW TABLES IN DATABASE {0}",
        "SELECT * FROM {0}.INFORMATION_SCHEMA.TABLES",
    ):
        guarded.refusal(text.format(name))


def test_a_variable_names_nothing_hidden(guarded: Guarded) -> None:
    for name in ("D.__catalog.objects", "__account.__catalog.objects"):
        guarded.run(f"SET HIDDEN = '{name}'")
        for text in ("SELECT * FROM IDENTIFIER($HIDDEN)", "DROP TABLE IDENTIFIER($HIDDEN)"):
            guarded.refusal(text)
    guarded.run("UNSET HIDDEN")


def test_listings_show_nothing_hidden(guarded: Guarded) -> None:
    for text in (
        "SHOW DATABASES",
        "SHOW SCHEMAS IN ACCOUNT",
        "SHOW TABLES IN ACCOUNT",
        "SHOW VIEWS IN ACCOUNT",
        "SHOW OBJECTS IN ACCOUNT",
        "SELECT * FROM D.INFORMATION_SCHEMA.SCHEMATA",
        "SELECT * FROM D.INFORMATION_SCHEMA.TABLES",
        "SELECT * FROM D.INFORMATION_SCHEMA.COLUMNS",
        "SELECT * FROM D.INFORMATION_SCHEMA.VIEWS",
    ):
        try:
            shown = str(guarded.run(text)).casefold()
        except Exception:
            continue  # not answered at all
        for word in (
            "__catalog",
            "__account",
            "'main'",
            "'memory'",
            "'temp'",
            "'system'",
            "duckdb",
            "pg_catalog",
        ):
            assert word not in shown, text


def test_words_of_duckdb_are_columns_or_nothing(guarded: Guarded) -> None:
    for word in ("current_catalog", "current_schema", "session_user", "user"):
        assert guarded.refusal(f"SELECT {word}").code == 904
        assert guarded.refusal(f"SELECT {word} FROM T").code == 904
    assert guarded.run("SELECT USER FROM (SELECT 1 AS USER)") == [(1,)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ROWID FROM T",
        'SELECT "rowid" FROM T',
        "SELECT X.ROWID FROM T X",
        "SELECT A FROM T ORDER BY T.ROWID",
        "SELECT ROWID FROM V",
        "DELETE FROM T WHERE T.ROWID = 0",
        "UPDATE T SET A = T.ROWID",
        "CREATE VIEW W AS SELECT ROWID AS R FROM T",
        "SELECT T FROM T",
        "SELECT X FROM T X",
        "SELECT TO_VARCHAR(X) FROM T AS X",
    ],
)
def test_columns_that_duckdb_adds_are_unknown(guarded: Guarded, text: str) -> None:
    assert guarded.refusal(text).code == 904


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT ROWID FROM (SELECT 1 AS ROWID)", [(1,)]),
        ("SELECT Q.ROWID FROM (SELECT 1) AS Q (ROWID)", [(1,)]),
        ("SELECT ROWID FROM (VALUES (1)) AS Q (ROWID)", [(1,)]),
        ("SELECT A FROM T AS A ORDER BY A", [(1,), (2,)]),
        ("SELECT COUNT(*) AS T FROM T ORDER BY T", [(2,)]),
    ],
)
def test_columns_may_be_called_so(guarded: Guarded, text: str, rows: list[tuple[Any, ...]]) -> None:
    assert guarded.run(text) == rows


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT ON (A) A FROM T",
        "SELECT A FROM T LIMIT 10%",
        "SELECT A FROM T USING SAMPLE 1",
        "SELECT A FROM T SEMI JOIN U ON TRUE",
        "SELECT A FROM T ANTI JOIN U ON TRUE",
    ],
)
def test_clauses_of_duckdb_are_syntax_errors(guarded: Guarded, text: str) -> None:
    assert guarded.refusal(text).code == 1003
