"""Statements that DuckDB would take and Snowflake does not know, with any words behind them."""

from __future__ import annotations

import random

import pytest

from embedded_account.errors import SnowflakeError

from .conftest import SECRET, Guarded

_HEADS = (
    "ANALYZE",
    "ATTACH",
    "CHECKPOINT",
    "COPY T TO",
    "COPY (SELECT 1) TO",
    "COPY FROM DATABASE D TO",
    "CREATE INDEX I ON",
    "CREATE MACRO M(A) AS",
    "CREATE PERSISTENT SECRET S",
    "CREATE SECRET",
    "CREATE TYPE E AS ENUM",
    "DEALLOCATE",
    "DESCRIBE SELECT",
    "DETACH",
    "EXPLAIN ANALYZE",
    "EXPORT DATABASE",
    "FORCE CHECKPOINT",
    "FROM",
    "FROM T SELECT",
    "IMPORT DATABASE",
    "INSERT OR REPLACE INTO T",
    "INSTALL",
    "LOAD",
    "PIVOT T ON",
    "PRAGMA",
    "PREPARE P AS",
    "REINDEX",
    "RESET",
    "SELECT COLUMNS(*) FROM",
    "SELECT * FROM read_csv",
    "SELECT * FROM T POSITIONAL JOIN",
    "SELECT getenv('HOME') FROM T",
    "SET GLOBAL threads = 1",
    "SET SESSION threads = 1",
    "SET VARIABLE X = 1",
    "SHOW ALL TABLES",
    "SUMMARIZE",
    "UNPIVOT T ON",
    "UPDATE EXTENSIONS",
    "VACUUM",
    "(FROM T)",
    "WITH Q AS (DELETE FROM T RETURNING *) SELECT",
)
_TAILS = (
    "* ; ( ) , = := -> :: [1] {{'a':1}} T D main memory temp system __catalog duckdb_settings() 'threads' httpfs "
    "FROM SELECT AS IN ON USING WHERE TRUE 1 'x' '{path}' \"{path}\" read_text('{path}') RETURNING ENUM UNION LIST"
)


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_is_refused(guarded: Guarded, seed: int) -> None:
    choose = random.Random(seed)
    words = _TAILS.format(path=guarded.canary).split()
    for head in _HEADS:
        for length in (0, 1, 3, 5):
            guarded.refusal(" ".join([head, *choose.choices(words, k=length)]))


_WORDS = (
    "SELECT FROM WHERE GROUP BY ORDER T U V A B D PUBLIC main.T memory D.__catalog.objects ( ) , * . = + || :: 1 'x' "
    "NULL AS JOIN ON LATERAL TABLE UNION ALL WITH Q read_csv('{path}') '{path}' getenv('HOME') unnest([1]) EXISTS NOT "
    "IN CASE WHEN THEN END INT HUGEINT struct_pack(a := 1) duckdb_settings() RETURNING QUALIFY OVER x->x "
    "{{'a':1}} [1] $1 ? ;"
)


def test_words_of_queries_in_any_order(guarded: Guarded) -> None:
    """Some make a query: that answers without the host's secret, or is refused in Snowflake's shape."""
    choose = random.Random(0)
    words = _WORDS.format(path=guarded.canary).split()
    refused = 0
    for _ in range(1500):
        text = " ".join(["SELECT", *choose.choices(words, k=choose.randint(1, 9))])
        try:
            assert SECRET not in str(guarded.run(text)), text
        except SnowflakeError:
            guarded.refusal(text)
            refused += 1
    assert refused > 1000
