"""Of what DuckDB has and Snowflake has not, nothing answers: its lists are read from DuckDB itself."""

from __future__ import annotations

import duckdb
import pytest

from embedded_account.functions import SCALARS
from embedded_account.names import duck
from embedded_account.translate.dialect import EmbeddedSnowflake
from embedded_account.translate.vocabulary import FUNCTIONS, is_function

from .conftest import Guarded

_UNKNOWN = {2140, 2141, 2143}
# Some names are words of the language (SHOW, IF): a syntax error, or a table or column of that name.
_WORDS = {904, 1003, 2003}


def _names(guarded: Guarded, *kinds: str) -> list[str]:
    found = guarded.account.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE list_contains(?, function_type) ORDER BY 1",
        [list(kinds)],
    )
    names = [str(name) for (name,) in found if str(name).isidentifier()]
    return [name for name in names if not is_function(name.upper()) and name.upper() not in SCALARS]


def test_every_foreign_function_is_unknown(guarded: Guarded) -> None:
    names = _names(guarded, "scalar", "aggregate", "macro", "window")
    assert len(names) > 500
    path = guarded.canary
    for name in names:
        for call in (f"{name}('{path}')", f'"{name}"()', f"D.PUBLIC.{name}('{path}')"):
            error = guarded.refusal(f"SELECT {call}")
            assert error.code in _UNKNOWN | _WORDS, f"{call}: {error.message}"


def test_every_foreign_table_function_is_unknown(guarded: Guarded) -> None:
    names = _names(guarded, "table", "table_macro", "pragma")
    assert len(names) > 100
    for name in names:
        for call in (
            f"{name}('{guarded.canary}')",
            f"TABLE({name}('{guarded.canary}'))",
            f'system.main."{name}"()',
        ):
            error = guarded.refusal(f"SELECT * FROM {call}")
            assert error.code in _UNKNOWN | _WORDS, f"{call}: {error.message}"
        for text in (f"PRAGMA {name}", f"CALL {name}('{guarded.canary}')", f"PRAGMA {name}('T')"):
            guarded.refusal(text)


def test_names_that_both_have_read_nothing_of_the_host(guarded: Guarded) -> None:
    """A name of Snowflake's that the later steps pass on must not mean a file or a setting in DuckDB."""
    found = guarded.account.execute("SELECT DISTINCT upper(function_name) FROM duckdb_functions()")
    shared = {str(name) for (name,) in found} & FUNCTIONS
    assert len(shared) > 100
    told = str(guarded.canary)
    for name in sorted(shared):
        for text in (
            f"SELECT {name}('{told}')",
            f"SELECT * FROM {name}('{told}')",
            f"SELECT {name}('temp_directory')",
        ):
            try:
                answer = str(guarded.run(text))
            except Exception:
                continue
            assert "canary4711" not in answer
            assert str(guarded.account.data) not in answer


def test_foreign_settings_and_catalogues(guarded: Guarded) -> None:
    settings = guarded.account.execute("SELECT name FROM duckdb_settings() ORDER BY 1")
    for (name,) in settings:
        for text in (f"RESET {name}", f"PRAGMA {name} = 1", f"SELECT current_setting('{name}')"):
            guarded.refusal(text)
    views = guarded.account.execute(
        "SELECT DISTINCT schema_name, view_name FROM duckdb_views() WHERE internal ORDER BY ALL"
    )
    assert len(views) > 20
    for schema, view in views:
        for name in (
            duck(view),
            f"{duck(schema)}.{duck(view)}",
            f"system.{schema}.{view}",
            f'"system".{duck(schema, view)}',
        ):
            assert guarded.refusal(f"SELECT * FROM {name}").code == 2003, name
        if schema != "information_schema":
            guarded.refusal(f"SELECT * FROM {view}")
            guarded.refusal(f"DROP VIEW {schema}.{view}")


# Words of DuckDB's list that Snowflake has as a type, too.
_SNOWFLAKE_TYPES = """
    ARRAY BIGINT BINARY BOOLEAN CHAR DATE DATETIME DEC DECIMAL DOUBLE FLOAT FLOAT4 FLOAT8 GEOMETRY INT INTEGER
    INTERVAL MAP NULL NUMERIC NVARCHAR REAL SMALLINT STRING TEXT TIME TIMESTAMP TIMESTAMPTZ TINYINT UUID VARBINARY
    VARCHAR VARIANT
"""


def test_foreign_types(guarded: Guarded) -> None:
    found = {
        str(n).upper() for (n,) in guarded.account.execute("SELECT DISTINCT type_name FROM duckdb_types()")
    }
    foreign = sorted(name for name in found - set(_SNOWFLAKE_TYPES.split()) if name.isidentifier())
    assert {"HUGEINT", "UNION", "ENUM", "STRUCT", "LIST", "UINTEGER", "BIT"} <= set(foreign)
    for kind in foreign:
        for text in (f"SELECT 1::{kind}", f"SELECT CAST(NULL AS {kind})", f"CREATE TABLE X (A {kind})"):
            assert guarded.refusal(text).code in {1003, 2040}, text
    for text in (
        "SELECT [1]::INT[]",
        "CREATE TABLE X (A INT[])",
        "SELECT 'a'::ENUM('a')",
        "SELECT NULL::UNION(A INT)",
    ):
        guarded.refusal(text)


def test_a_users_function_may_have_a_foreign_name(guarded: Guarded) -> None:
    guarded.run(
        "CREATE TEMPORARY FUNCTION getenv(name VARCHAR) RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
        "HANDLER = 'f' AS 'def f(name): return name'"
    )
    try:
        # There are no workers in this process: it was found, and nothing of DuckDB answers for it.
        assert "Python functions" in guarded.refusal("SELECT getenv('HOME')").message
    finally:
        guarded.run("DROP FUNCTION getenv(VARCHAR)")


def test_duckdb_itself_is_locked(guarded: Guarded) -> None:
    connection = guarded.account.cursor()
    for sql in (
        f"SELECT * FROM read_csv('{guarded.canary}')",
        f"SELECT * FROM '{guarded.canary}'",
        f"SELECT * FROM glob('{guarded.canary.parent}/*')",
        f"COPY (SELECT 1) TO '{guarded.canary.parent}/out.csv'",
        f"ATTACH '{guarded.canary.parent}/other.duckdb'",
        f"EXPORT DATABASE '{guarded.canary.parent}/out'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET allowed_directories = ['/']",
        "RESET allowed_directories",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql).fetchall()
    assert sorted(path.name for path in guarded.canary.parent.iterdir()) == ["account", "canary.csv"]


def test_every_function_that_is_read_is_snowflakes() -> None:
    parser = EmbeddedSnowflake.Parser
    assert (set(parser.FUNCTIONS) | set(parser.FUNCTION_PARSERS)) - FUNCTIONS == {"IDENTIFIER", "TABLE"}
